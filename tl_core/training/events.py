"""Events of a training while it goes on: small and frozen, yielded by a generator.

A training is a generator that yields events and returns its result. Whoever drives it draws,
prints or writes the events; closing the generator stops it, and every `finally` inside runs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the work: `done` of `total`, in units of the training's own (rows, mostly).

    `earlier` of the `done` was done by an earlier process, whose checkpoint this one went on from.
    """

    done: float
    total: float
    earlier: float = 0.0

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total > 0 else 1.0

    @property
    def earlier_share(self) -> float:
        return min(1.0, self.earlier / self.total) if self.total > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured value of a named curve: `step` counts optimizer steps from 1."""

    name: str
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class Note:
    """One line that the person at the screen should read: a template and its values, as in an error."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The line in English."""
        return self.template.format(**self.values) if self.values else self.template


Event = Progress | Metric | Note
Training = Generator[Event, None, T]


class Stopped(Exception):
    """A stop was asked for; the checkpoint, where there is one, has been written."""


def drive(training: Training[T], on_event: Callable[[Event], None]) -> T:
    """Run a training to its end, give each event to `on_event`, and return its result.

    It is closed, so that every `finally` in it runs, if `on_event` raises.
    """
    try:
        while True:
            on_event(next(training))
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        training.close()


def drain(training: Training[T]) -> T:
    """Run a training to its end and return its result; the events are dropped."""
    return drive(training, lambda event: None)


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object with its kind under `event`."""
    text = {"text": event.text} if isinstance(event, Note) else {}
    return {"event": type(event).__name__.lower(), **text, **asdict(event)}  # type: ignore[call-overload]


def part_of(training: Training[T], before: float, total: float) -> Training[T]:
    """The events of one part of a longer work: `before` was done before it, of `total` in all."""
    return with_progress(training, lambda progress: Progress(before + progress.done, total, progress.earlier))


def stoppable(training: Training[T], asked: Callable[[], bool]) -> Training[T]:
    """The same training; it raises Stopped after an event by which a stop was asked for."""

    def stop_if_asked() -> None:
        if asked():
            raise Stopped

    return _relayed(training, after=stop_if_asked)


def with_progress(training: Training[T], changed: Callable[[Progress], Progress]) -> Training[T]:
    """The same training, its progress told in other terms."""
    return _relayed(training, lambda event: changed(event) if isinstance(event, Progress) else event)


def _relayed(
    training: Training[T],
    before: Callable[[Event], Event] = lambda event: event,
    after: Callable[[], None] = lambda: None,
) -> Training[T]:
    """The same training: `before` changes each event on its way, `after` runs when somebody has taken it."""
    try:
        while True:
            yield before(next(training))
            after()
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    finally:
        training.close()
