"""What an experiment found, whatever its task: each arm's points, the worth of a source, and what may be said of them.

Pure functions from a job's and its runs' folders to small dataclasses; nothing is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.errors import RunError, StillInUse, TLError
from tl_core.jobs.experiment import SOURCE, TARGET, ZERO_SHOT
from tl_core.outcomes.tasks import Judging, TaskKind, kind_of
from tl_core.outcomes.tasks.kind import learned_from
from tl_core.runs.store import Job, Run
from tl_core.tasks.intervals import Clusters, Correct, Interval, difference_of, mean_share_interval
from tl_core.tasks.significance import (
    SIGNIFICANCE_LEVEL,
    against_majority,
    compare_all,
    judge_all,
    sentence,
)

NEAR = 0.005  # half a point: a difference whose whole interval is smaller than this is none
Group = tuple[str, bool, int]  # an arm, whether from its source, its size


def spread_of(values: Sequence[float]) -> float | None:
    """The sample standard deviation over the seeds; none of one seed."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


@dataclass(frozen=True, slots=True)
class Point:
    """The finished runs of one arm on one size, with or without its source; means over its seeds.

    `size` is what was asked for (0: all), `rows` how many were learned from (training and validation). `values` are
    the shares of right answers, one a seed, and `others` the task's other measures, by key. `spread` is their standard
    deviation, None for one seed. `interval` is the 95 % interval of the mean share: the run's own for one run; for
    several, rows and seeds are both drawn anew; None if no answers can be read. Seconds are a mean, memory (bytes) is
    the largest.
    """

    arm: str
    title: str
    strategy: str
    from_source: bool
    size: int
    rows: float
    seeds: tuple[int, ...]
    values: tuple[float, ...]
    others: Mapping[str, tuple[float, ...]]
    interval: Interval | None
    seconds: float
    trained_parameters: int
    peak_memory: int
    alike: bool = False

    @property
    def value(self) -> float:
        return float(np.mean(self.values))

    @property
    def spread(self) -> float | None:
        return spread_of(self.values)

    def mean(self, measure: str) -> float:
        """The mean of another measure of the task, by its key."""
        return float(np.mean(self.others[measure]))


@dataclass(frozen=True, slots=True)
class Gain:
    """What a source is worth to an arm at one size: the share right with it less that without it.

    `interval` is the 95 % interval for other rows and other seeds, of one of the `seeds` for other rows alone; it and
    `adjusted_p` are corrected for all gains of the experiment (Holm).
    """

    arm: str
    title: str
    size: int
    rows: float
    difference: float
    interval: Interval
    adjusted_p: float
    unit: str = "row"
    seeds: int = 2

    @property
    def sentence(self) -> str:
        """'TF-IDF: the source helps by 4.4 points [3.1, 5.6] at 1,250 rows.' One pair of trainings tells these two alone."""
        low, high = sorted((self.interval.low, self.interval.high))
        at = f"at {self.rows:,.0f} {self.unit}s"
        span = f"[{100 * low:.1f}, {100 * high:.1f}]"
        if self.adjusted_p >= SIGNIFICANCE_LEVEL or low <= 0 <= high:
            small = " It is less than half a point either way." if max(-low, high) < NEAR else ""
            return (
                f"{self.title}: no difference shown {at} ({100 * self.difference:+.1f} points {span}).{small}"
            )
        if self.seeds == 1:
            more = "more" if self.difference > 0 else "less"
            return (
                f"{self.title}: of one training each, that from the source is {100 * abs(self.difference):.1f} points "
                f"{span} {more} often right {at}; another seed may turn it."
            )
        verb = "helps" if self.difference > 0 else "harms"
        return f"{self.title}: the source {verb} by {100 * abs(self.difference):.1f} points {span} {at}."


@dataclass(frozen=True, slots=True)
class ZeroShot:
    """A source's own model on the target's test rows: no row of the target was learned."""

    strategy: str
    title: str
    value: float
    interval: Interval | None

    @property
    def sentence(self) -> str:
        """'The source's own model (LoRA), without one row of the target: 84.0 % [81.2, 86.4].'"""
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
        span = f" [{100 * low:.1f}, {100 * high:.1f}]" if low is not None and high is not None else ""
        return f"The source's own model ({self.title}), without one row of the target: {100 * self.value:.1f} %{span}."


def same_each_time(points: Sequence[Point], unit: str = "row") -> str:
    """Which points are right on the same rows with every seed, as a sentence: their spread is none, not small; '' for none."""
    alike = [point for point in points if point.alike]
    if not alike:
        return ""
    several = len({point.size for point in points}) > 1
    names = [f"{point.title} on {point.rows:,.0f} {unit}s" if several else point.title for point in alike]
    return f"Right on the same test {unit}s with every seed: {', '.join(names)}."


def zero_shots(runs: Sequence[Run]) -> tuple[ZeroShot, ...]:
    """The finished runs of these in which a source's own model was scored as it is."""
    done = [run for run in runs if run.record.role == ZERO_SHOT and run.report]
    return tuple(_zero_shot(*_judged(run), run) for run in done)


@dataclass(frozen=True, slots=True)
class Grid:
    """All finished points of an experiment on `test_rows` test rows, and what may be said of them.

    `unit` is one thing that was learned from, and `told_by_start` says whether arms are told apart by their start rather
    than their strategy; `measures` are the names of the task's measures by key, that of right
    answers first. `majority_accuracy` is what always answering the most frequent class scores, None for a task
    without classes.
    """

    test_rows: int
    points: tuple[Point, ...]
    gains: tuple[Gain, ...]
    zero: tuple[ZeroShot, ...]
    majority: str
    majority_accuracy: float | None
    unit: str = "row"
    told_by_start: bool = False
    measures: tuple[tuple[str, str], ...] = (("accuracy", "accuracy"), ("macro_f1", "macro-F1"))

    @property
    def measure(self) -> str:
        """The name of the share of right answers."""
        return self.measures[0][1]


@dataclass(frozen=True, slots=True)
class Summary:
    """Arms side by side on `rows` test rows, and what may be said about their differences.

    `majority` is the most frequent class of the rows trained on, `majority_accuracy` what always
    answering it scores.
    """

    rows: int
    points: tuple[Point, ...]
    majority: str
    majority_accuracy: float | None
    lines: tuple[str, ...]
    warning: str

    @property
    def best(self) -> Point:
        return max(self.points, key=lambda each: each.value)


def summarise(job: Job, runs: Sequence[Run]) -> Summary:
    """The finished runs of a job's target task, arm by arm; RunError if there are none."""
    scored = [run for run in runs if run.report]
    if not scored:
        raise RunError("No training of this job has finished yet.")
    kind, judging = _judged(scored[0])
    groups = _groups(job, scored)
    correct = {key: _correct(job, judging, group) for key, group in groups.items()}
    clusters = judging.clusters(job)
    points = _points(kind, judging, groups, correct, clusters)
    answered = {point.arm: right for point in points if (right := correct[_key(point)]) is not None}
    titles = {point.arm: point.title for point in points}
    test, majority, level, warning = _test_rows(job, scored), "", None, ""
    lines: tuple[str, ...] = ()
    if judging.majority is not None:
        majority, constant = judging.majority(job)
        level = float(constant.mean()) if len(constant) else 0.0
        warning = against_majority(answered, constant, titles) or "" if answered else ""
    if answered:
        fewest = min(len(rows) for rows in answered.values())
        lines = tuple(
            sentence(compare_all(answered, clusters), titles, test, fewest, judging.wording).split("\n")
        )
    missing = len(scored) - sum(len(right) for right in answered.values())
    if missing:
        lines = (*lines, f"{missing} of {len(scored)} runs have no predictions to read and are not compared.")
    return Summary(test, points, majority, level, lines, warning)


def read_grid(job: Job, runs: Sequence[Run]) -> Grid:
    """What the finished runs of an experiment say; RunError while there are none."""
    done = [run for run in runs if run.status == "done" and run.report and run.record.role != SOURCE]
    if not done:
        raise RunError("No training of this grid has finished yet.")
    kind, judging = _judged(done[0])
    groups = _groups(job, [run for run in done if run.record.role == TARGET])
    correct = {key: _correct(job, judging, group) for key, group in groups.items()}
    clusters = judging.clusters(job)
    points = _points(kind, judging, groups, correct, clusters)
    majority, level = "", None
    if judging.majority is not None:
        majority, constant = judging.majority(job)
        level = float(constant.sum() / max(1, len(constant)))
    return Grid(
        test_rows=_test_rows(job, done),
        points=points,
        gains=_gains(kind, points, groups, correct, clusters),
        zero=zero_shots(done),
        majority=majority,
        majority_accuracy=level,
        unit=kind.unit,
        told_by_start=kind.told_by_start,
        measures=tuple((measure.key, measure.name) for measure in judging.measures),
    )


def rank_notes(runs: Sequence[Run]) -> list[str]:
    """Arms whose source's adapter was trained further with its own rank, not with that of their settings; may be none."""
    notes = {}
    for run in runs:
        asked, had = run.record.config.get("rank"), run.record.facts.get("adapter_rank")
        if asked and had and asked != had:
            title = kind_of(run).arm_title(run)
            notes[title] = (
                f"{title} trained its source's adapter further, which has rank {had}; the rank {asked} of its settings "
                "is that of a new adapter."
            )
    return list(notes.values())


def _judged(run: Run) -> tuple[TaskKind, Judging]:
    kind = kind_of(run)
    if kind.judging is None:
        raise RunError("Runs of {kind} are not tested, so there is nothing to compare.", kind=kind.title)
    return kind, kind.judging


def _test_rows(job: Job, runs: Sequence[Run]) -> int:
    return max(run.record.rows.test for run in runs)


def _groups(job: Job, runs: Sequence[Run]) -> dict[Group, list[Run]]:
    groups: dict[Group, list[Run]] = {}
    for run in runs:
        key = (run.record.arm, kind_of(run).takes_over(job, run), run.record.size or 0)
        groups.setdefault(key, []).append(run)
    return groups


def _key(point: Point) -> Group:
    return point.arm, point.from_source, point.size


def _correct(job: Job, judging: Judging, runs: Sequence[Run]) -> Correct | None:
    """Right answers (S, N) of the runs whose answers can be read; None if there are none."""
    rows = []
    for run in runs:
        try:
            rows.append(judging.right_answers(job, run))
        except StillInUse:
            raise
        except TLError:
            continue
    return np.stack(rows) if rows else None


def _points(
    kind: TaskKind,
    judging: Judging,
    groups: Mapping[Group, Sequence[Run]],
    correct: Mapping[Group, Correct | None],
    clusters: Clusters | None,
) -> tuple[Point, ...]:
    """In the order of the strategies' table, arms of one strategy as they were trained, few rows first."""
    met = list(dict.fromkeys(arm for arm, _, _ in groups))
    points = [_point(kind, judging, key, group, correct[key], clusters) for key, group in groups.items()]
    return tuple(
        sorted(
            points,
            key=lambda each: (
                kind.strategy_place(each.strategy),
                met.index(each.arm),
                each.from_source,
                each.rows,
            ),
        )
    )


def _point(
    kind: TaskKind,
    judging: Judging,
    key: Group,
    runs: Sequence[Run],
    correct: Correct | None,
    clusters: Clusters | None,
) -> Point:
    arm, from_source, size = key
    scores = [judging.scores(run.tested) for run in runs]
    single = scores[0][judging.right].interval if len(runs) == 1 else None
    return Point(
        arm=arm,
        title=kind.arm_title(runs[0]),
        strategy=runs[0].record.strategy,
        from_source=from_source,
        size=size,
        rows=float(np.mean([learned_from(run) for run in runs])),
        seeds=tuple(run.record.seed for run in runs),
        values=tuple(score[judging.right].value for score in scores),
        others={
            measure.key: tuple(score[measure].value for score in scores)
            for measure in judging.measures
            if measure != judging.right
        },
        interval=mean_share_interval(correct, clusters) if correct is not None else single,
        seconds=float(np.mean([run.record.seconds or 0.0 for run in runs])),
        trained_parameters=runs[0].record.trained_parameters or 0,
        peak_memory=max(run.record.peak_memory or 0 for run in runs),
        alike=correct is not None and len(correct) > 1 and bool((correct == correct[0]).all()),
    )


def _gains(
    kind: TaskKind,
    points: Sequence[Point],
    groups: Mapping[Group, Sequence[Run]],
    correct: Mapping[Group, Correct | None],
    clusters: Clusters | None,
) -> tuple[Gain, ...]:
    """Every point from a source against the one that differs from it in that alone."""
    measured = []
    for point in points:
        plain = _without_source(point, points, groups) if point.from_source else None
        with_it, without = correct[_key(point)], correct[_key(plain)] if plain else None
        if with_it is not None and without is not None:
            measured.append((point, difference_of(with_it, without, clusters)))
    judged = judge_all([difference for _, difference in measured])
    return tuple(
        Gain(
            point.arm,
            point.title,
            point.size,
            point.rows,
            each.value,
            each.interval,
            each.adjusted_p,
            kind.unit,
            difference.pairs,
        )
        for (point, difference), each in zip(measured, judged, strict=True)
    )


def _without_source(
    point: Point, points: Sequence[Point], groups: Mapping[Group, Sequence[Run]]
) -> Point | None:
    """The point of the same size, strategy, settings and encoder without a source: of the same arm, or of another."""
    alike = _circumstances(groups[_key(point)][0])
    plain = [
        each
        for each in points
        if not each.from_source
        and each.size == point.size
        and (each.arm == point.arm or _circumstances(groups[_key(each)][0]) == alike)
    ]
    return min(plain, key=lambda other: other.arm != point.arm, default=None)


def _circumstances(run: Run) -> str:
    """What a run is trained with beside its source."""
    record = run.record
    named = [record.strategy, record.encoder, record.vectors, record.config]
    return json.dumps(named, sort_keys=True, default=str)


def _zero_shot(kind: TaskKind, judging: Judging, run: Run) -> ZeroShot:
    name = run.record.strategy
    score = judging.scores(run.tested)[judging.right]
    return ZeroShot(name, kind.strategy_title(name), score.value, score.interval)
