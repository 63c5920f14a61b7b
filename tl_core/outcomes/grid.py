"""What a grid found: accuracy over the rows learned from, and what the source is worth at each of them.

Pure functions from a job's and its runs' folders to small dataclasses; nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from tl_core.data.examples import read_examples
from tl_core.errors import DataError, RunError
from tl_core.outcomes.comparison import TITLES, mean_interval, read_answers
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Interval
from tl_core.tasks.significance import SIGNIFICANCE_LEVEL, Correct, compare_pair, holm

NEAR = 0.005  # half a point: a difference whose whole interval is smaller than this is none


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One strategy on one number of rows, with or without the source; means over its finished seeds.

    `per_class` is what was asked for (0: all), `rows` how many were learned from (training and validation).
    Accuracies are shares; `spread` is their standard deviation, None for one seed; `interval` is the 95 %
    interval of the mean, rows and seeds drawn anew, None if no predictions can be read. Seconds are a mean,
    memory (bytes) is the largest.
    """

    strategy: str
    title: str
    from_source: bool
    per_class: int
    rows: float
    accuracies: tuple[float, ...]
    interval: Interval | None
    seconds: float
    trained_parameters: int
    peak_memory: int

    @property
    def accuracy(self) -> float:
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float | None:
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None


@dataclass(frozen=True, slots=True)
class Gain:
    """What the source is worth to a strategy at one size: accuracy with it less that without it.

    `interval` is the 95 % interval (paired over rows, rows and seeds drawn anew); `adjusted_p` is corrected
    for all gains of the grid (Holm).
    """

    strategy: str
    title: str
    per_class: int
    rows: float
    difference: float
    interval: Interval
    adjusted_p: float

    @property
    def sentence(self) -> str:
        """'TF-IDF: the source helps by 4.4 points [3.1, 5.6] at 1,250 rows.'"""
        low, high = sorted((self.interval.low, self.interval.high))
        at = f"at {self.rows:,.0f} rows"
        span = f"[{100 * low:.1f}, {100 * high:.1f}]"
        if self.adjusted_p >= SIGNIFICANCE_LEVEL or low <= 0 <= high:
            small = " It is less than half a point either way." if max(-low, high) < NEAR else ""
            return (
                f"{self.title}: no difference shown {at} ({100 * self.difference:+.1f} points {span}).{small}"
            )
        verb = "helps" if self.difference > 0 else "harms"
        return f"{self.title}: the source {verb} by {100 * abs(self.difference):.1f} points {span} {at}."


@dataclass(frozen=True, slots=True)
class ZeroTarget:
    """A source's own model on the target's test rows: no row of the target was learned."""

    strategy: str
    title: str
    accuracy: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Grid:
    """All finished points of a grid on `test_rows` test rows, and what may be said of them."""

    test_rows: int
    points: tuple[GridPoint, ...]
    gains: tuple[Gain, ...]
    zero: tuple[ZeroTarget, ...]
    majority: str
    majority_accuracy: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Grid:
        """The grid that `to_json` wrote; KeyError or TypeError for anything else."""
        return Grid(
            test_rows=int(values["test_rows"]),
            points=tuple(
                GridPoint(**{**each, "accuracies": tuple(each["accuracies"]), "interval": _interval(each)})
                for each in values["points"]
            ),
            gains=tuple(
                Gain(**{**each, "interval": Interval(**each["interval"])}) for each in values["gains"]
            ),
            zero=tuple(ZeroTarget(**{**each, "interval": _interval(each)}) for each in values["zero"]),
            majority=str(values["majority"]),
            majority_accuracy=float(values["majority_accuracy"]),
        )


def _interval(values: Mapping[str, Any]) -> Interval | None:
    return Interval(**values["interval"]) if values["interval"] else None


def read_grid(job: Job, runs: Sequence[Run]) -> Grid:
    """What the finished runs of a grid say; RunError while there are none."""
    done = [run for run in runs if run.status == "done" and run.report and run.record["role"] != "source"]
    targets = [run for run in done if run.record["role"] == "target"]
    zero = [run for run in done if run.record["role"] == "zero"]
    if not done:
        raise RunError("No training of this grid has finished yet.")
    groups: dict[tuple[str, bool, int], list[Run]] = {}
    for run in targets:
        record = run.record
        key = (str(record["strategy"]), bool(record["source"]), int(record.get("per_class", 0)))
        groups.setdefault(key, []).append(run)
    correct = {key: _correct(job, found) for key, found in groups.items()}
    test = read_examples(job.folder / "data" / "test.jsonl")
    counts = Counter(read_examples(job.folder / "data" / "train.jsonl").labels)
    majority = min(counts, key=lambda label: (-counts[label], label)) if counts else ""
    order = list(TITLES)
    points = [_point(*key, found, correct[key]) for key, found in groups.items()]
    return Grid(
        test_rows=len(test),
        points=tuple(
            sorted(points, key=lambda each: (order.index(each.strategy), each.from_source, each.rows))
        ),
        gains=_gains({(each.strategy, each.from_source, each.per_class): each for each in points}, correct),
        zero=tuple(_zero(job, run) for run in zero),
        majority=majority,
        majority_accuracy=sum(label == majority for label in test.labels) / max(1, len(test)),
    )


def _correct(job: Job, runs: Sequence[Run]) -> Correct | None:
    """Right answers (S, N) of the runs whose predictions can be read; None if there are none."""
    rows = []
    for run in runs:
        try:
            rows.append(read_answers(job, run).correct)
        except DataError:
            continue
    return np.stack(rows) if rows else None


def _point(
    name: str, from_source: bool, per_class: int, runs: Sequence[Run], correct: Correct | None
) -> GridPoint:
    learned = [run.record["rows"]["train"] + run.record["rows"]["validation"] for run in runs]
    return GridPoint(
        strategy=name,
        title=TITLES[name],
        from_source=from_source,
        per_class=per_class,
        rows=float(np.mean(learned)),
        accuracies=tuple(float(run.record["report"]["accuracy"]) for run in runs),
        interval=mean_interval(correct),
        seconds=float(np.mean([run.record.get("seconds", 0.0) for run in runs])),
        trained_parameters=int(runs[0].record.get("trained_parameters", 0)),
        peak_memory=max(int(run.record.get("peak_memory", 0)) for run in runs),
    )


def _gains(
    points: dict[tuple[str, bool, int], GridPoint],
    correct: dict[tuple[str, bool, int], Correct | None],
) -> tuple[Gain, ...]:
    """Every pair of a strategy with and without the source at the same size."""
    measured = []
    for (name, from_source, size), point in points.items():
        with_it, without = correct[name, from_source, size], correct.get((name, False, size))
        if from_source and with_it is not None and without is not None:
            measured.append((point, compare_pair(with_it, without)))
    adjusted = holm([p_value for _, (_, _, p_value) in measured])
    gains = [
        Gain(point.strategy, point.title, point.per_class, point.rows, difference, interval, p)
        for (point, (difference, interval, _)), p in zip(measured, adjusted, strict=True)
    ]
    order = list(TITLES)
    return tuple(sorted(gains, key=lambda each: (order.index(each.strategy), each.rows)))


def _zero(job: Job, run: Run) -> ZeroTarget:
    name = str(run.record["strategy"])
    return ZeroTarget(
        name, TITLES[name], float(run.record["report"]["accuracy"]), mean_interval(_correct(job, [run]))
    )
