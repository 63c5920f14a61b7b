from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.problems import ROWS, loop_config, make_network, make_problem
from tl_core.errors import ModelError
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Metric, Note, Progress, Stopped, drain
from tl_core.training.loop import LoopControl, Problem, fit

PROJECT = Path(__file__).resolve().parents[2]


def train(network, problem=None, control=None, **changes):
    training = fit(
        network,
        network[-1],
        problem or make_problem(),
        loop_config(**changes),
        make_accelerator("float32"),
        control or LoopControl(),
    )
    events = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


def weights(network) -> np.ndarray:
    return np.concatenate([each.detach().numpy().ravel() for each in network.parameters()])


def test_the_loss_falls_and_progress_ends_at_its_total():
    network = make_network()
    result, events = train(network, epochs=30)
    losses = [each.value for each in events if isinstance(each, Metric) and each.name == "training loss"]
    progress = [each for each in events if isinstance(each, Progress)]
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])
    assert progress[-1].done == progress[-1].total == 30 * ROWS
    assert result.steps == 30 * 5


def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    first, second, third = make_network(0.3), make_network(0.3), make_network(0.3)
    train(first)
    train(second)
    train(third, seed=1)
    assert np.array_equal(weights(first), weights(second))
    assert not np.allclose(weights(first), weights(third))


@pytest.mark.parametrize("stop_at", [1, 7, 13])
def test_a_stopped_training_resumes_to_the_weights_of_an_unbroken_one(tmp_path: Path, stop_at: int):
    unbroken = make_network(0.3)
    train(unbroken)
    asked = iter([False] * stop_at + [True])
    with pytest.raises(Stopped):
        train(make_network(0.3), control=LoopControl(tmp_path, 1e9, lambda: next(asked)))
    resumed = make_network(0.3)
    torch.manual_seed(99)
    result, events = train(resumed, control=LoopControl(tmp_path, 1e9))
    assert np.array_equal(weights(unbroken), weights(resumed))
    assert result.steps == 20
    told = [each for each in events if isinstance(each, Progress)]
    assert len(told) == 20 - stop_at
    assert told[-1].done == told[-1].total
    assert [each.earlier_share for each in told] == pytest.approx([stop_at / 20] * len(told), abs=0.02)


def test_a_training_cut_off_between_checkpoints_resumes_to_the_same_weights(tmp_path: Path):
    unbroken = make_network(0.3)
    train(unbroken)
    network = make_network(0.3)
    cut = fit(
        network,
        network[-1],
        make_problem(),
        loop_config(),
        make_accelerator("float32"),
        LoopControl(tmp_path, 0.0),
    )
    for _ in range(17):
        next(cut)
    cut.close()
    resumed = make_network(0.3)
    train(resumed, control=LoopControl(tmp_path, 1e9))
    assert np.array_equal(weights(unbroken), weights(resumed))


def renewing_problem(seen: list[int]) -> Problem:
    """Every epoch has rows of other lengths, and so other batches."""
    problem = make_problem()

    def renew(epoch: int) -> np.ndarray:
        seen.append(epoch)
        return np.roll(problem.lengths, 7 * epoch)

    return Problem(problem.lengths, problem.losses, problem.validate, renew)


def test_rows_are_renewed_for_each_epoch_and_again_on_a_resume(tmp_path: Path):
    seen: list[int] = []
    unbroken = make_network(0.3)
    train(unbroken, renewing_problem(seen))
    assert seen == [0, 1, 2, 3]
    asked = iter([False] * 7 + [True])
    with pytest.raises(Stopped):
        train(make_network(0.3), renewing_problem([]), LoopControl(tmp_path, 1e9, lambda: next(asked)))
    seen.clear()
    resumed = make_network(0.3)
    train(resumed, renewing_problem(seen), LoopControl(tmp_path, 1e9))
    assert seen == [1, 2, 3]
    assert np.array_equal(weights(unbroken), weights(resumed))


def test_early_stopping_keeps_the_best_weights():
    problem = make_problem()
    values = iter([3.0, 1.0, 2.0, 2.0, 2.0])
    seen = []

    def validate(model, part, parts):
        seen.append(weights(model))
        return np.array([next(values), 1.0, 1.0])

    network = make_network()
    result, _ = train(network, Problem(problem.lengths, problem.losses, validate), epochs=20, patience=2)
    assert result.best_epoch == 2
    assert result.stopped_early
    assert len(seen) == 4
    assert np.array_equal(weights(network), seen[1])


def test_an_early_stop_is_not_undone_by_a_resume(tmp_path: Path):
    problem = make_problem()

    def make(values):
        return Problem(problem.lengths, problem.losses, lambda *_: np.array([next(values), 1.0, 1.0]))

    first, again = make_network(), make_network()
    train(first, make(iter([1.0, 2.0, 2.0])), LoopControl(tmp_path, 1e9), epochs=20, patience=2)
    result, events = train(again, make(iter([])), LoopControl(tmp_path, 1e9), epochs=20, patience=2)
    assert result.stopped_early
    assert not events
    assert np.array_equal(weights(first), weights(again))


def failing(problem: Problem, times: int) -> Problem:
    """The problem on a device whose memory runs out the first `times` times."""
    left = [times]

    def losses(model, rows):
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("made by a test")
        return problem.losses(model, rows)

    return Problem(problem.lengths, losses, problem.validate)


def test_running_out_of_memory_once_halves_the_batches_and_changes_nothing_else():
    plain, halved = make_network(), make_network()
    train(plain)
    _, events = train(halved, failing(make_problem(), 1))
    assert any(isinstance(each, Note) and "halves" in each.text for each in events)
    assert np.allclose(weights(plain), weights(halved), atol=1e-5)


def test_running_out_of_memory_twice_ends_with_a_clear_message():
    with pytest.raises(ModelError, match="batch of 8 rows.*smaller batch size"):
        train(make_network(), failing(make_problem(), 2))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="torch for Windows has no libuv, by which processes meet")
def test_two_processes_get_the_result_of_one(tmp_path: Path):
    network = make_network()
    train(network)
    script = PROJECT / "tests" / "training" / "two_processes.py"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node=2",
        str(script),
        str(tmp_path),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    subprocess.run(command, check=True, env=environment, timeout=200)
    shared = [np.load(tmp_path / f"weights-{rank}.npy") for rank in (0, 1)]
    assert [(tmp_path / f"world-{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1)] == ["2", "2"]
    assert np.allclose(shared[0], shared[1], atol=1e-6)
    assert np.allclose(shared[0], weights(network), atol=1e-4)
    assert (tmp_path / "stopped-0.txt").exists()
    assert (tmp_path / "stopped-1.txt").exists()
    assert [(tmp_path / f"early-{rank}.txt").read_text(encoding="utf-8") for rank in (0, 1)] == ["2", "2"]
    assert len(list((tmp_path / "checkpoint-by-0").glob("step-*"))) == 1
    assert not (tmp_path / "checkpoint-by-1").exists()


def test_a_parameter_stays_while_its_rate_is_zero():
    network, before = make_network(), weights(make_network())
    first = next(name for name, _ in network.named_parameters())
    rates = {first: (0.0, 0.0, 1e-2)}
    training = fit(
        network,
        network[-1],
        make_problem(),
        loop_config(epochs=3),
        make_accelerator("float32"),
        LoopControl(),
        rate_of=lambda name, epoch: rates.get(name, (1e-2, 1e-2, 1e-2))[epoch],
    )
    asked, moved = [], []
    start = dict(make_network().named_parameters())[first].detach().clone()
    for event in training:
        if isinstance(event, Progress):
            parameter = dict(network.named_parameters())[first]
            asked.append(parameter.requires_grad)
            moved.append(not torch.equal(parameter.detach(), start))
    steps = len(asked) // 3
    assert asked == [False] * 2 * steps + [True] * steps
    assert moved == [False] * 2 * steps + [True] * steps
    assert all(each.requires_grad for each in network.parameters())
    assert not np.allclose(weights(network), before)


def test_averaged_weights_are_the_running_mean_of_every_step():
    network = make_network()
    names = [name for name, _ in network.named_parameters()]
    training = fit(
        network,
        network[-1],
        Problem(make_problem().lengths, make_problem().losses),
        loop_config(epochs=4, averaging=0.9),
        make_accelerator("float32"),
        LoopControl(),
    )
    mean = {name: each.detach().clone() for name, each in network.named_parameters()}
    steps = 0
    while True:
        try:
            event = next(training)
        except StopIteration:
            break
        if isinstance(event, Progress):
            steps += 1
            decay = min(0.9, steps / (steps + 10))
            for name, each in network.named_parameters():
                mean[name] = decay * mean[name] + (1 - decay) * each.detach()
    after = dict(network.named_parameters())
    for name in names:
        assert torch.allclose(after[name], mean[name], atol=1e-6)


def test_validation_judges_the_averaged_weights_and_training_goes_on_from_its_own():
    plain, averaged = make_network(), make_network()
    train(plain, epochs=3)
    _, events = train(averaged, epochs=3, averaging=0.99)
    losses = [each.value for each in events if isinstance(each, Metric) and each.name == "training loss"]
    _, of_plain = train(make_network(), epochs=3)
    alike = [each.value for each in of_plain if isinstance(each, Metric) and each.name == "training loss"]
    assert losses == alike  # the steps are the same
    assert not np.allclose(weights(plain), weights(averaged))


def test_a_stopped_training_keeps_its_averaged_weights(tmp_path: Path):
    whole = make_network()
    train(whole, epochs=4, averaging=0.9)
    asked = iter([False] * 7 + [True])
    half = make_network()
    with pytest.raises(Stopped):
        train(half, control=LoopControl(tmp_path, 0.0, lambda: next(asked)), epochs=4, averaging=0.9)
    again = make_network()
    train(again, control=LoopControl(tmp_path), epochs=4, averaging=0.9)
    assert np.allclose(weights(whole), weights(again), atol=1e-6)


def test_what_an_early_end_never_released_is_not_counted_as_trained():
    network, problem = make_network(), make_problem()
    validated = iter([1.0, 2.0, 3.0, 4.0])

    def validate(model, part, parts):
        return np.array([next(validated), 0.0, 1.0])

    names = [name for name, _ in network.named_parameters()]
    late = names[0]  # released in the fourth epoch alone, which an early end leaves out
    result = drain(
        fit(
            network,
            network[-1],
            Problem(problem.lengths, problem.losses, validate),
            loop_config(epochs=5, patience=1),
            make_accelerator("float32"),
            LoopControl(),
            lambda name, epoch: 1e-2 if name != late or epoch > 3 else 0.0,
        )
    )
    assert result.stopped_early
    sizes = {name: parameter.numel() for name, parameter in network.named_parameters()}
    assert result.trained_parameters == sum(sizes.values()) - sizes[late]
