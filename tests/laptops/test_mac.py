"""The main jobs with a torch as macOS has it: no oneDNN, no float64 on the GPU, memory that runs out in words."""

from __future__ import annotations

import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import torch

from tests.jobs.jobs import finished, small_config
from tests.jobs.reader_jobs import saved_reader, small_set
from tests.training.problems import loop_config, make_network, make_problem
from tl_core.jobs.devices import measure_devices
from tl_core.pythons import this_python
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.saved import load_reader
from tl_core.training import choose_device, devices
from tl_core.training.checkpoint import Checkpoint
from tl_core.training.choose_device import DeviceChoice
from tl_core.training.events import Note
from tl_core.training.loop import LoopControl, Problem, fit
from tl_core.training.precision import has_bfloat16

STRATEGIES = (
    "tfidf",
    "bow",
    "mean",
    "bag",
    "recurrent",
    "cnn",
    "frozen",
    "contrastive",
    "lora",
    "top-layers",
    "gradual",
    "full",
)


def test_without_onednn_the_devices_are_told(mac: None, settings: Settings):
    assert not has_bfloat16("cpu")
    told = measure_devices(settings)
    assert told["devices"][-1]["kind"] == "cpu"
    assert told["chosen"]["encoder"]["kind"] == "cpu"


def test_every_strategy_is_trained_and_scored(mac: None, settings: Settings, tmp_path: Path):
    store = Store(settings)
    job = finished(store, small_config(tmp_path, STRATEGIES))
    assert job.status == "done", job.reason
    assert {run.record.strategy for run in store.runs_of(job.id)} == set(STRATEGIES)
    assert {
        run.record.facts["device"] for run in store.runs_of(job.id) if run.record.strategy != "tfidf"
    } == {"cpu"}


def test_a_reader_answers(mac: None, settings: Settings, tmp_path: Path):
    folder = saved_reader(tmp_path, settings, tmp_path / "reader")
    data = small_set()
    reply = load_reader(folder, settings, device="cpu").ask(
        data.questions[0].text, data.passages[0].text, Reading(top=1)
    )
    assert reply.windows


class FakeDevice:
    def __init__(self, kind: str) -> None:
        self.type = kind


class Watched:
    """A tensor that notes how it is copied."""

    def __init__(self) -> None:
        self.asked: dict[str, object] = {}

    def to(self, device: object, **options: object) -> Watched:
        self.asked = options
        return self


@pytest.mark.parametrize(("kind", "may_go_on"), [("mps", False), ("cpu", False), ("cuda", True)])
def test_only_cuda_copies_while_the_program_goes_on(kind: str, may_go_on: bool):
    batch = {"input_ids": Watched()}
    devices.to_device(batch, FakeDevice(kind))  # type: ignore[arg-type]
    assert batch["input_ids"].asked == {"non_blocking": may_go_on}


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("MPS backend out of memory (MPS allocated: 9.05 GB, other allocations: 3.20 MB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:116] data. DefaultCPUAllocator: not enough memory"),
        torch.OutOfMemoryError("CUDA out of memory."),
        MemoryError(),
    ],
)
def test_every_kind_of_running_out_of_memory_halves_the_batches(error: BaseException):
    left = [error]
    problem = make_problem()

    def losses(model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        if left:
            raise left.pop()
        return problem.losses(model, rows)

    network = make_network()
    training = fit(
        network,
        network[-1],
        Problem(problem.lengths, losses, problem.validate),
        loop_config(epochs=1),
        devices.make_accelerator("float32"),
        LoopControl(),
    )
    assert any(isinstance(each, Note) and "halves" in each.text for each in training)


def test_another_runtime_error_is_no_lack_of_memory():
    assert not devices.is_out_of_memory(RuntimeError("shape mismatch"))
    assert not devices.is_out_of_memory(ValueError("out of memory"))


def test_the_random_numbers_of_an_apple_gpu_are_kept_and_given_back(monkeypatch: pytest.MonkeyPatch):
    given = []
    monkeypatch.setattr(torch.mps, "get_rng_state", lambda: torch.tensor([1, 2, 3]))
    monkeypatch.setattr(torch.mps, "set_rng_state", lambda state: given.append(state.tolist()))
    state = devices.random_state(FakeDevice("mps"))  # type: ignore[arg-type]
    devices.restore_random_state(state)  # on a machine without one
    assert given == []
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    devices.restore_random_state(Checkpoint(state, {}).tensors)
    assert given == [[1, 2, 3]]


# which device


@pytest.fixture
def apple(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], float | None]:
    """A machine with an Apple GPU: seconds a step by device and work, which the test may change."""
    seconds: dict[tuple[str, str], float | None] = {
        ("mps", "encoder"): 0.010,
        ("cpu", "encoder"): 0.025,
        ("mps", "words"): 0.009,
        ("cpu", "words"): 0.002,
    }
    monkeypatch.setattr(choose_device, "available_kinds", lambda: ["mps", "cpu"])
    monkeypatch.setattr(choose_device, "seconds_per_step", lambda kind, work: seconds[kind, work])
    return seconds


def test_the_faster_device_is_chosen_for_each_kind_of_work(apple: dict, settings: Settings):
    assert choose_device.choose_device(settings, "encoder") == DeviceChoice(
        "mps", "Measured here, a training step of a small encoder: Apple GPU 10.0 ms, CPU 25.0 ms."
    )
    assert choose_device.choose_device(settings, "words").kind == "cpu"


def test_a_measurement_is_made_once_and_kept(apple: dict, settings: Settings):
    assert choose_device.choose_device(settings).kind == "mps"
    apple["mps", "encoder"] = 1.0
    assert choose_device.choose_device(settings).kind == "mps"


def test_a_measurement_of_a_month_ago_is_made_again(apple: dict, settings: Settings):
    assert choose_device.choose_device(settings).kind == "mps"
    path = settings.cache / choose_device.SPEEDS
    write_record(path, {**(read_record(path) or {}), "measured": time.time() - 32 * 24 * 3600})
    apple["mps", "encoder"] = 1.0
    assert choose_device.choose_device(settings).kind == "cpu"


@pytest.mark.parametrize("work", choose_device.WORKS)
def test_the_steps_that_are_measured_can_be_made(work: str):
    assert (choose_device.seconds_per_step("cpu", work) or 0) > 0


def test_a_gpu_on_which_the_step_fails_is_not_chosen(apple: dict, settings: Settings):
    apple["mps", "encoder"] = None
    choice = choose_device.choose_device(settings)
    assert choice.kind == "cpu"
    assert choice.why.endswith("It failed on: Apple GPU.")


def test_a_device_may_be_asked_for(apple: dict, monkeypatch: pytest.MonkeyPatch):
    from tl_core.errors import ConfigError
    from tl_core.settings import read_settings

    monkeypatch.setenv("TL_DEVICE", "cpu")
    assert choose_device.choose_device(read_settings()).kind == "cpu"
    monkeypatch.setenv("TL_DEVICE", "cuda")
    with pytest.raises(ConfigError, match="asks for cuda, but torch can use only mps, cpu"):
        choose_device.choose_device(read_settings())
    monkeypatch.setenv("TL_DEVICE", "gpu")
    with pytest.raises(ConfigError, match="one of auto, cpu, cuda, mps"):
        read_settings()


def test_several_processes_without_cuda_train_on_cpus(
    apple: dict, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert choose_device.choose_device(settings).kind == "cpu"


def test_a_real_step_is_measured_on_the_cpu():
    for work in choose_device.WORKS:
        took = choose_device.seconds_per_step("cpu", work)
        assert took is not None
        assert took > 0
    with patch.object(choose_device, "_encoder", side_effect=NotImplementedError("no such operation")):
        assert choose_device.seconds_per_step("cpu", "encoder") is None


def test_an_nvidia_card_beside_a_cpu_build_is_told_with_the_cure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    from tl_core.jobs import devices

    monkeypatch.setattr(devices.shutil, "which", lambda name: "C:/Windows/nvidia-smi.exe")
    monkeypatch.setattr(torch.version, "cuda", None)
    [line] = measure_devices(settings)["advice"]
    assert "build for the CPU" in line
    assert f"{this_python()} -m pip install" in line
    monkeypatch.setattr(devices.shutil, "which", lambda name: None)
    assert measure_devices(settings)["advice"] == []


def test_accelerators_follow_the_choice_within_one_process(settings: Settings):
    first = devices.make_accelerator("float32")
    second = devices.make_accelerator("bfloat16")
    assert (first.device.type, second.device.type) == ("cpu", "cpu")
    assert (first.mixed_precision, second.mixed_precision) in {("no", "bf16"), ("bf16", "bf16")}
