"""What goes wrong while a job lives, really done: kill -9, stop, a second job, a folder that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.encoders.tiny import write_tiny_encoder
from tl_core.data.examples import Examples
from tl_core.errors import RunError
from tl_core.jobs.classify.compare import submit_comparison
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.jobs.trainings import resume_job
from tl_core.knobs import knobs_of
from tl_core.runs.queue import jobs_ahead
from tl_core.runs.store import Job, Store
from tl_core.settings import Settings, read_settings
from tl_core.tasks.classify.strategies import STRATEGIES, Strategy

PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TL_CHECKPOINT_SECONDS", "0.2")
    return Store(read_settings())


def examples(count: int = 120) -> Examples:
    random = np.random.default_rng(0)
    words = {"bad": ["bad", "poor", "sad", "ill"], "good": ["good", "fine", "nice", "well"]}
    labels = tuple(("bad", "good")[at % 2] for at in range(count))
    texts = tuple(
        " ".join(random.choice([*words[label], "a", "b"], size=6)) + f" {at}"
        for at, label in enumerate(labels)
    )
    return Examples(texts, labels, tuple(range(2, count + 2)))


def long_job(store: Store, folder: Path, epochs: int = 40, **changes) -> Job:
    """A LoRA training of some seconds on a tiny encoder."""
    if not (folder / "tiny").exists():
        write_tiny_encoder(folder / "tiny", "bert")
    settings = {
        "lora": {"epochs": epochs, "batch_size": 2, "max_tokens": 32, "patience": 100, "adapter_dropout": 0.1}
    }
    config = of_strategies(strategies=("lora",), encoder=str(folder / "tiny"), settings=settings, **changes)
    return submit_comparison(store, config, Task(examples()))


def wait(condition: Callable[[], object], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def wait_until_ended(store: Store, job: Job, seconds: float = 120.0) -> Job:
    wait(lambda: store.job(job.id).ended, seconds)
    return store.job(job.id)


def wait_for_checkpoint(store: Store, job: Job) -> None:
    wait(lambda: list(store.settings.runs.glob(f"{job.id}-*/checkpoint/step-*")))


def scores(store: Store, job: Job) -> dict[str, object]:
    [run] = store.runs_of(job.id)
    return {name: run.record.report[name] for name in ("accuracy", "macro_f1", "log_loss")}


def test_a_killed_worker_is_interrupted_and_resumes_to_the_scores_of_an_unbroken_run(
    store: Store, tmp_path: Path
):
    unbroken = long_job(store, tmp_path)
    assert wait_until_ended(store, unbroken).status == "done"

    job = long_job(store, tmp_path)
    wait_for_checkpoint(store, job)
    psutil.Process(int(store.job(job.id).record.pid)).kill()
    wait(lambda: store.job(job.id).status == "interrupted", 5)
    [run] = store.runs_of(job.id)
    assert run.status == "interrupted"

    resume_job(store, job.id)
    assert wait_until_ended(store, job).status == "done"
    assert scores(store, job) == scores(store, unbroken)
    [run] = store.runs_of(job.id)
    assert not (run.folder / "checkpoint").exists()


def test_a_finished_cell_is_not_trained_again_by_a_resume(store: Store, tmp_path: Path):
    job = long_job(store, tmp_path, epochs=15, seeds=2)
    wait(lambda: [run for run in store.runs_of(job.id) if run.status == "done"], 90)
    first = next(run for run in store.runs_of(job.id) if run.status == "done")
    store.request_stop(job.id)
    assert wait_until_ended(store, job).status == "stopped"
    resume_job(store, job.id)
    assert wait_until_ended(store, job).status == "done"
    assert store.run(first.id).record == first.record
    assert [run.status for run in store.runs_of(job.id)] == ["done", "done"]


def test_stop_is_heard_within_seconds_and_nothing_is_lost(store: Store, tmp_path: Path):
    job = long_job(store, tmp_path, epochs=100)
    wait_for_checkpoint(store, job)
    store.request_stop(job.id)
    wait(lambda: store.job(job.id).ended, 10)
    assert store.job(job.id).status == "stopped"
    assert list(store.settings.runs.glob(f"{job.id}-*/checkpoint/step-*"))


def test_a_second_job_waits_behind_the_first_without_torch_and_can_be_stopped_there(
    store: Store, tmp_path: Path
):
    first = long_job(store, tmp_path, epochs=100)
    wait(lambda: store.job(first.id).status == "running")
    second, third = long_job(store, tmp_path, epochs=3), long_job(store, tmp_path, epochs=3)
    time.sleep(2)
    assert [store.job(each.id).status for each in (second, third)] == ["queued", "queued"]
    assert [each.id for each in jobs_ahead(store, store.job(second.id))] == [first.id]
    assert {each.id for each in jobs_ahead(store, store.job(third.id))} == {first.id, second.id}
    waiting = _workers(second)
    assert waiting
    if sys.platform != "darwin":  # where only root may ask what another process has mapped
        assert not [each.path for each in waiting[0].memory_maps() if "torch" in Path(each.path).name]
    store.request_stop(second.id)
    wait(lambda: store.job(second.id).status == "stopped", 10)
    store.request_stop(first.id)
    assert wait_until_ended(store, third).status == "done"


def _workers(job: Job) -> list[psutil.Process]:
    """The processes that work on a job; in a virtual environment on Windows a launcher stands before the interpreter."""
    return [each for each in psutil.process_iter(["cmdline"]) if job.id in (each.info["cmdline"] or ())]


def test_a_queued_job_whose_worker_was_killed_is_passed_over(store: Store, tmp_path: Path):
    first = long_job(store, tmp_path, epochs=100)
    wait(lambda: store.job(first.id).status == "running")
    second, third = long_job(store, tmp_path, epochs=3), long_job(store, tmp_path, epochs=3)
    wait(lambda: _workers(second))
    time.sleep(1.5)
    for process in _workers(second):
        process.kill()
    store.request_stop(first.id)
    assert wait_until_ended(store, third).status == "done"


def test_the_job_goes_on_when_whoever_submitted_it_is_killed(store: Store, tmp_path: Path):
    write_tiny_encoder(tmp_path / "tiny", "bert")
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from tests.runs.test_faults import long_job\n"
        "from tl_core.runs.store import Store\n"
        "from tl_core.settings import read_settings\n"
        f"long_job(Store(read_settings()), Path({str(tmp_path)!r}), epochs=20)\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}
    )
    wait(lambda: [each for each in store.jobs() if each.status == "running"])
    server.kill()
    server.wait()
    [job] = store.jobs()
    assert wait_until_ended(store, job).status == "done"


@pytest.mark.parametrize("place", ["a file stands there", "no permission"])
def test_a_home_that_cannot_be_written_is_told_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
):
    blocked = tmp_path / "blocked"
    if place == "no permission":
        if sys.platform == "win32" or os.geteuid() == 0:
            pytest.skip("root, and Windows, do not go by a folder's mode")
        blocked.mkdir(mode=0o500)
    else:
        blocked.write_text("a file", encoding="utf-8")
    monkeypatch.setenv("TL_HOME", str(blocked / "home"))
    store = Store(read_settings())
    with pytest.raises(RunError, match="cannot be written.*TL_HOME"):
        submit_comparison(store, of_strategies(strategies=("tfidf",)), Task(examples()))
    assert store.jobs() == []


def test_a_failed_training_says_why_and_the_others_go_on(store: Store, tmp_path: Path):
    write_tiny_encoder(tmp_path / "tiny", "bert")
    config = of_strategies(strategies=("tfidf", "frozen"), encoder=str(tmp_path / "tiny"))
    (tmp_path / "tiny" / "model.safetensors").write_bytes(b"broken")
    job = wait_until_ended(store, submit_comparison(store, config, Task(examples())))
    assert job.status == "failed"
    assert "1 of 2 trainings failed" in job.reason
    assert {run.record.strategy: run.status for run in store.runs_of(job.id)} == {
        "tfidf": "done",
        "frozen": "failed",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="torch for Windows has no libuv, by which processes meet")
def test_two_processes_train_one_comparison_and_only_the_first_writes(store: Store, tmp_path: Path):
    """Every strategy of the common loop comes to the result of a single process."""
    write_tiny_encoder(tmp_path / "tiny", "bert")
    in_loop = [each for each in STRATEGIES if each.in_loop]
    config = of_strategies(
        strategies=("tfidf", *(each.name for each in in_loop)),
        encoder=str(tmp_path / "tiny"),
        settings={each.name: same_in_every_process(each) for each in in_loop},
    )
    together = wait_until_ended(store, submit_comparison(store, config, Task(examples()), processes=2), 300)
    assert together.status == "done", (together.folder / "log.txt").read_text(encoding="utf-8")
    alone = wait_until_ended(store, submit_comparison(store, config, Task(examples())), 300)
    by_strategy = [
        {run.record.strategy: run.record.report["log_loss"] for run in store.runs_of(job.id)}
        for job in (together, alone)
    ]
    assert by_strategy[0].keys() == {"tfidf", *(each.name for each in in_loop)}
    assert by_strategy[0] == pytest.approx(by_strategy[1], abs=1e-4)


def same_in_every_process(strategy: Strategy) -> dict[str, object]:
    """Short settings without chance: each process draws its own dropout."""
    wanted = {
        "epochs": 3,
        "batch_size": 6,
        "max_tokens": 32,
        "pairs": 60,
        "dropout": 0.0,
        "encoder_dropout": 0.0,
        "word_dropout": 0.0,
        "start": "random",
        "precision": "float32",
    }
    return {knob.name: wanted[knob.name] for knob in knobs_of(strategy.config) if knob.name in wanted}
