"""A run's events on disk: one JSON line each, appended by the worker, read by everybody else.

A line that cannot be written is lost and the training goes on: what it is for is the model, not the telling.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from tl_core.training.events import Event, event_to_json
from tl_core.whole_files import read_whole


class EventLog:
    """Appends events to a file, which is opened with the first one; a resumed run goes on in the same file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def write(self, event: Event) -> None:
        with suppress(OSError):
            file = self._opened()
            file.write(json.dumps(event_to_json(event), ensure_ascii=False) + "\n")
            file.flush()

    def close(self) -> None:
        with suppress(OSError):  # what could not be flushed
            if self._file is not None:
                self._file.close()

    def _opened(self) -> TextIO:
        if self._file is None:  # also when it was refused before
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        return self._file


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a run in order; a last line that is still being written is left out."""
    try:
        lines = read_whole(path).split(b"\n")
    except FileNotFoundError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


@dataclass(frozen=True, slots=True)
class Curve:
    """One measured curve: values by optimizer step, in step order."""

    name: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def read_curves(path: Path) -> tuple[Curve, ...]:
    """The curves of a run; a step that was done again after a resume counts once, as it was last."""
    points: dict[str, dict[int, float]] = {}
    for event in read_events(path):
        if event.get("event") == "metric":
            points.setdefault(event["name"], {})[event["step"]] = event["value"]
    return tuple(
        Curve(name, tuple(sorted(of)), tuple(of[step] for step in sorted(of))) for name, of in points.items()
    )
