"""Steps that the recipes of shipped models share: the data folder, telling how it goes, float16, the machine's name."""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path
from typing import TypeVar

from tl_core.console import speak_utf8
from tl_core.errors import ConfigError, DataError
from tl_core.processes import prepare_torch
from tl_core.pythons import refusal
from tl_core.settings import Settings
from tl_core.training.checkpoint import read_tensors
from tl_core.training.events import Event, Note, Progress, Training, drive
from tl_core.wording import per_second

T = TypeVar("T")
TELL_SECONDS = 20.0


def begin() -> None:
    """What every command of this project does first: the right Python, UTF-8, threads that sleep while they wait."""
    if refusal():
        raise SystemExit(f"error: {refusal()}")
    speak_utf8()
    prepare_torch()


def data_folder(given: str) -> Path:
    """The folder of the public sets; ConfigError if none was given or it is not one."""
    folder = Path(given).expanduser()
    if not given or not folder.is_dir():
        raise ConfigError(
            "--data must name the folder of the public sets (or set TL_DATA); got {given!r}.", given=given
        )
    return folder


def find_file(folder: Path, name: str) -> Path:
    """The file `name` in a folder or one below it, plain or gzip; DataError if it is not there."""
    for pattern in (name, f"{name}.gz", f"*/{name}", f"*/{name}.gz"):
        for path in sorted(folder.glob(pattern)):
            return path
    raise DataError("{folder} holds no {name}, plain or as .gz.", folder=folder, name=name)


def told(name: str, training: Training[T], unit: str = "rows") -> T:
    """Drain a training and say on stderr how it goes."""
    return drive(training, _Teller(name, unit))


class _Teller:
    """Says of one training's events what a person who waits wants to know."""

    def __init__(self, name: str, unit: str) -> None:
        self.name, self.unit = name, unit
        self.began = self.last = time.perf_counter()
        self.done_before: float | None = None
        self.losses: list[float] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Note):
            tell(f"{self.name}: {event.text}")
        elif isinstance(event, Progress):
            self._progress(event)
        elif event.name == "training loss":
            self.losses.append(event.value)
        else:
            tell(f"{self.name}: step {event.step}, {event.name} {event.value:.4f}")

    def _progress(self, event: Progress) -> None:
        self.done_before = event.done if self.done_before is None else self.done_before
        now = time.perf_counter()
        if now - self.last < TELL_SECONDS:
            return
        self.last = now
        rate = per_second(event.done - self.done_before, now - self.began)
        line = f"{self.name}: {event.done:,.0f} of {event.total:,.0f} {self.unit}, {rate:.1f}/s"
        line += f", loss {sum(self.losses) / len(self.losses):.3f}" if self.losses else ""
        line += f", {(event.total - event.done) / rate / 60:.0f} min left" if rate else ""
        tell(line)
        self.losses.clear()


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def halve(folder: Path) -> None:
    """Every tensor of numbers with a point as float16."""
    from safetensors.torch import save_file

    for file in folder.rglob("*.safetensors"):
        tensors = read_tensors(file)  # a copy: no system but Linux writes over a file that is mapped
        halved = {
            name: tensor.half().contiguous() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
        }
        save_file(halved, file)


def machine_name(settings: Settings) -> str:
    """The processor or GPU that computed this, and with how many threads."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    name = platform.processor() or platform.machine()
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        lines = [
            line
            for line in cpu.read_text(encoding="utf-8", errors="replace").splitlines()
            if "model name" in line
        ]
        name = lines[0].partition(":")[2].strip() if lines else name
    return f"{name}, {settings.threads} threads"
