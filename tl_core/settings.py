"""Folders of data, runs and models, and how much the machine may be used.

Everything comes from the environment and from nowhere else:

- `TL_HOME`: folder of jobs, runs and caches; default `~/.transfer-learning`.
- `TL_THREADS`: CPU threads of a worker; default: all cores the process may use.
- `TL_DEVICE`: `auto` (default) measures once which device is fastest, `cpu`, `cuda` or `mps` asks for one.
- `TL_NICENESS`: how far a worker gives way to other processes, 0 (not at all) to 19; default 10.
- `TL_CHECKPOINT_SECONDS`: longest time between two checkpoints of a training; default 30.
- `HF_HUB_OFFLINE`: any value but `0` keeps the engine off the network.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tl_core.errors import ConfigError

DEVICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True, slots=True)
class Settings:
    """Places and limits of this installation."""

    home: Path
    threads: int
    offline: bool
    checkpoint_seconds: float = 30.0
    device: str = "auto"
    niceness: int = 10

    @property
    def jobs(self) -> Path:
        return self.home / "jobs"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def vectors(self) -> Path:
        return self.home / "vectors"

    @property
    def cache(self) -> Path:
        return self.home / "cache"


def usable_cores() -> int:
    """Number of CPU cores that this process may use, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def read_settings() -> Settings:
    """The settings that the environment gives now; ConfigError if a value is not usable."""
    home = Path(os.environ.get("TL_HOME") or Path.home() / ".transfer-learning").expanduser().resolve()
    offline = os.environ.get("HF_HUB_OFFLINE", "0").strip() not in ("", "0")
    return Settings(
        home=home,
        threads=int(_number("TL_THREADS", usable_cores(), low=1)),
        offline=offline,
        checkpoint_seconds=_number("TL_CHECKPOINT_SECONDS", 30.0, low=0),
        niceness=int(_number("TL_NICENESS", 10, low=0)),
        device=_one_of("TL_DEVICE", DEVICES),
    )


def _one_of(name: str, choices: tuple[str, ...]) -> str:
    text = os.environ.get(name, "").strip().lower() or choices[0]
    if text not in choices:
        raise ConfigError(
            "{name} must be one of {choices}; got {text!r}.", name=name, choices=", ".join(choices), text=text
        )
    return text


def _number(name: str, default: float, *, low: float) -> float:
    text = os.environ.get(name, "").strip()
    try:
        value = float(text) if text else default
    except ValueError:
        value = float("nan")
    if not value >= low:
        raise ConfigError(
            "{name} must be a number from {low:g} on; got {text!r}.", name=name, low=low, text=text
        )
    return value
