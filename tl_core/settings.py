"""Where data, runs and models lie, and how much the machine may be used.

Everything comes from the environment and from nowhere else:

- `TL_HOME`: folder of jobs, runs and caches; default `~/.transfer-learning`.
- `TL_THREADS`: CPU threads of a worker; default: all cores the process may use.
- `HF_HUB_OFFLINE`: any value but `0` keeps the engine off the network.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tl_core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Settings:
    """Places and limits of this installation."""

    home: Path
    threads: int
    offline: bool

    @property
    def jobs(self) -> Path:
        return self.home / "jobs"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def cache(self) -> Path:
        return self.home / "cache"


def usable_cores() -> int:
    """How many CPU cores this process may use, at least one."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def read_settings() -> Settings:
    """The settings that the environment gives now; ConfigError if a value is not usable."""
    home = Path(os.environ.get("TL_HOME") or Path.home() / ".transfer-learning").expanduser().resolve()
    threads = os.environ.get("TL_THREADS", "").strip()
    if threads and (not threads.isdigit() or int(threads) < 1):
        raise ConfigError(f"TL_THREADS must be a whole number from 1 on; got {threads!r}.")
    offline = os.environ.get("HF_HUB_OFFLINE", "0").strip() not in ("", "0")
    return Settings(home=home, threads=int(threads) if threads else usable_cores(), offline=offline)
