"""Device that a training runs on: the fastest one here, by a short measurement that is made once.

A GPU that is there is not always faster: small networks are often quicker on the CPU of a Mac. So a few
real steps of each kind of work are timed on every device, and the result is kept until torch, the devices
or the number of threads change, at most a month: other work on the machine may have disturbed it. `TL_DEVICE` asks for
a device without measuring.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tl_core.errors import ConfigError, TLError
from tl_core.records import read_record, write_record
from tl_core.settings import Settings
from tl_core.training.precision import autocast, resolve_precision

if TYPE_CHECKING:
    import torch

Work = Literal["encoder", "words"]  # transformers; small networks on word vectors
WORKS: tuple[Work, ...] = ("encoder", "words")
TITLES = {"cpu": "CPU", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}
SPEEDS = "device_speeds.json"  # in the cache
KEPT_SECONDS = 30 * 24 * 3600.0
STEPS, WARM_UP = 4, 2  # steps that are timed, and those before them that pay for set-up


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """The kind of device, `cpu`, `cuda` or `mps`, and why it was chosen, as a sentence."""

    kind: str
    why: str


def choose_device(settings: Settings, work: Work = "encoder") -> DeviceChoice:
    """The device for this kind of work. Loads torch, and measures once where there is more than the CPU.

    ConfigError if `TL_DEVICE` asks for one that torch cannot use here.
    """
    there = available_kinds()
    if settings.device != "auto":
        if settings.device not in there:
            raise ConfigError(
                "TL_DEVICE asks for {device}, but torch can use only {there} here. "
                "Choose one of these, or auto.",
                device=settings.device,
                there=", ".join(there),
            )
        return DeviceChoice(settings.device, f"TL_DEVICE asks for {settings.device}.")
    if there == ["cpu"]:
        return DeviceChoice("cpu", "torch finds no GPU that it can use here.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # each process must come to the same
        kind = "cuda" if "cuda" in there else "cpu"
        return DeviceChoice(kind, "Several processes train together on NVIDIA GPUs, or else on CPUs.")
    return _fastest(_speeds(settings, there), work)


def available_kinds() -> list[str]:
    """The kinds of device that torch can use here, the CPU last."""
    import torch

    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return [kind for kind, there in available.items() if there]


def _fastest(speeds: dict[str, dict[str, float | None]], work: Work) -> DeviceChoice:
    """The quickest device by seconds a step; None are the seconds of one that failed."""
    seconds = {kind: took for kind, took in speeds[work].items() if took is not None}
    failed = [TITLES[kind] for kind, took in speeds[work].items() if took is None]
    best = min(seconds, key=seconds.__getitem__)
    timings = [
        f"{TITLES[kind]} {1000 * took:.1f} ms"
        for kind, took in sorted(seconds.items(), key=lambda timing: timing[1])
    ]
    what = (
        "a training step of a small encoder" if work == "encoder" else "a step of a small recurrent network"
    )
    why = f"Measured here, {what}: {', '.join(timings)}."
    if failed:
        why += f" It failed on: {', '.join(failed)}."
    return DeviceChoice(best, why)


def _speeds(settings: Settings, kinds: list[str]) -> dict[str, dict[str, float | None]]:
    """Seconds a step by work and device: kept from an earlier measurement, or measured now."""
    path, key = settings.cache / SPEEDS, _key(settings, kinds)
    kept = read_record(path)
    if kept is not None and kept.get("key") == key and time.time() - kept["measured"] < KEPT_SECONDS:
        return dict(kept["seconds"])
    seconds: dict[str, dict[str, float | None]] = {
        work: {kind: seconds_per_step(kind, work) for kind in kinds} for work in WORKS
    }
    with suppress(TLError):  # where nothing can be kept it is measured again
        write_record(path, {"key": key, "measured": time.time(), "seconds": seconds})
    return seconds


def _key(settings: Settings, kinds: list[str]) -> str:
    """The key of what a measurement holds for."""
    import torch

    gpu = torch.cuda.get_device_name() if "cuda" in kinds else ""
    return f"{torch.__version__} {' '.join(kinds)} {gpu} {settings.threads}"


def seconds_per_step(kind: str, work: Work) -> float | None:
    """Seconds of one training step on a device, the quickest of a few; None if it cannot be done there."""
    import torch

    try:
        device = torch.device(kind)
        network, batch = _encoder(device) if work == "encoder" else _words(device)
        precision = resolve_precision("auto", kind) if work == "encoder" else "float32"
        times = []
        for _ in range(WARM_UP + STEPS):
            began = time.perf_counter()
            with autocast(device, precision):
                loss = network(batch).float().square().mean()
            loss.backward()
            network.zero_grad()
            float(loss.detach().cpu())  # waits for the device
            _wait_for(device)
            times.append(time.perf_counter() - began)
        return min(times[WARM_UP:])
    except (RuntimeError, NotImplementedError, TypeError, AssertionError):  # an operation or memory it lacks
        return None


def _encoder(device: torch.device) -> tuple[Any, torch.Tensor]:
    """Two layers as wide as the packaged encoders, and 8 texts of 64 tokens."""
    import torch

    layer = torch.nn.TransformerEncoderLayer(384, 12, 1536, dropout=0.0, batch_first=True)
    network = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return network.to(device), torch.zeros(8, 64, 384).to(device)


def _words(device: torch.device) -> tuple[Any, torch.Tensor]:
    """A GRU over packed word vectors beside a bag of them, and 32 texts of 40 words: every operation that a strategy
    needs and a device may lack.
    """
    import torch
    from torch.nn.functional import embedding_bag
    from torch.nn.utils.rnn import pack_padded_sequence

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(5_000, 50)
            self.words = torch.nn.Parameter(torch.zeros(5_000, 64))
            self.cell = torch.nn.GRU(50, 64, batch_first=True)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            lengths = torch.arange(9, 41)
            packed = pack_padded_sequence(self.table(ids), lengths, batch_first=True, enforce_sorted=False)
            state: torch.Tensor = self.cell(packed)[1][0]
            offsets, weights = torch.arange(0, ids.numel(), 40), torch.ones(ids.numel())
            bags = embedding_bag(
                ids.flatten(),
                self.words,
                offsets.to(ids.device),
                mode="sum",
                per_sample_weights=weights.to(ids.device),
            )
            return torch.zeros_like(bags).index_copy(0, torch.arange(32).to(ids.device), state + bags)

    return Network().to(device), torch.zeros(32, 40, dtype=torch.int64).to(device)


def _wait_for(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize()
    elif device.type == "mps":
        torch.mps.synchronize()
