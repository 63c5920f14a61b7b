"""Progress of a whole comparison: one number over all its trainings, and the time that is left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from tl_core.errors import TLError
from tl_core.records import write_record

WRITE_SECONDS, LONGEST_PAUSE = 0.5, 60.0
TELLING_SHARE = 0.03  # of the whole cost, from which on the measured speed says more than what was expected


@dataclass(slots=True)
class JobProgress:
    """Adds up weighted parts and writes `progress.json` at most twice a second; what cannot be written is left out.

    `weights` are expected costs of the trials by name, in any one unit. The time left is the cost
    left times the seconds that a unit of cost has taken in this process; where the costs are
    seconds, as a probe expects them, it is told from the start.
    """

    path: Path
    weights: dict[str, float]
    in_seconds: bool = False
    finished: set[str] = field(default_factory=set)
    earlier: dict[str, float] = field(default_factory=dict)  # share of a trial that another process did
    doing: str = ""
    cost_done_here: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    written: float = 0.0
    pause: float = WRITE_SECONDS  # until the next try: longer each time that the file is held

    def skip(self, name: str) -> None:
        """A trial that an earlier process finished."""
        self.finished.add(name)

    def update(self, name: str, title: str, share: float, earlier: float = 0.0) -> None:
        """The trial `name` is `share` (0 to 1) done, `earlier` of it by an earlier process."""
        self.doing = title
        self.earlier[name] = max(self.earlier.get(name, 0.0), earlier)
        if time.perf_counter() - self.written >= self.pause:
            self._write(name, share)

    def finish(self, name: str) -> None:
        self.cost_done_here += self.weights[name] * (1 - self.earlier.get(name, 0.0))
        self.finished.add(name)
        self._write("", 0.0)

    def _write(self, name: str, share: float) -> None:
        now = time.perf_counter()
        total = sum(self.weights.values()) or 1.0
        part = self.weights.get(name, 0.0) * share
        done = sum(self.weights[key] for key in self.finished) + part
        here = self.cost_done_here + part - self.weights.get(name, 0.0) * self.earlier.get(name, 0.0)
        seconds = now - self.began
        left = (total - done) * seconds / here if here > TELLING_SHARE * total else None
        if left is None and self.in_seconds:
            left = total - done
        progress = {
            "share": min(1.0, done / total),
            "seconds": seconds,
            "seconds_left": left,
            "doing": self.doing,
            "finished": len(self.finished),
            "cells": len(self.weights),
        }
        try:
            write_record(self.path, progress)
            self.pause = WRITE_SECONDS
        except TLError:  # no training ends, or waits long, because its progress could not be told
            self.pause = min(8 * self.pause, LONGEST_PAUSE)
        self.written = time.perf_counter()
