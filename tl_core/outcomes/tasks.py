"""What the runs of each task are called, what their scores are, and what they are compared by.

The one place that knows it: who lists, titles, compares, exports or imports runs asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import RunError
from tl_core.jobs.read.train import TEST, exact_matches
from tl_core.outcomes.comparison import TITLES, read_answers
from tl_core.runs.store import CLASSIFY, Job, Run
from tl_core.tasks.classify.metrics import Interval, percentile_interval
from tl_core.tasks.significance import Wording
from tl_core.vectors.learn_config import METHOD_TITLES

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """A score between 0 and 1; `key` names a column, `name` stands in a sentence."""

    key: str
    name: str

    @property
    def title(self) -> str:
        """The name as a heading."""
        return self.name[0].upper() + self.name[1:]


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value, and its 95 % interval where one can be told."""

    value: float
    interval: Interval | None = None


Scores = Mapping[Measure, Score]

ACCURACY, MACRO_F1 = Measure("accuracy", "accuracy"), Measure("macro_f1", "macro-F1")
EXACT_MATCH, F1 = Measure("exact_match", "exact match"), Measure("f1", "F1")
MEASURES = (ACCURACY, EXACT_MATCH, MACRO_F1, F1)  # in the order of a table: shares of right answers first


@dataclass(frozen=True, slots=True)
class Judging:
    """How the runs of a task are judged on test rows or questions.

    `right` is the share of the test that a run gets right: it has an interval, and runs are compared by
    it, in this `wording`. The best run is the one with the highest `best`. `test` is the file of the test
    in the job's data, and `right_answers` says which of its N rows or questions a run got right, (N,).
    """

    measures: tuple[Measure, ...]
    right: Measure
    best: Measure
    wording: Wording
    scores: Callable[[Mapping[str, Any]], Scores]
    test: str
    right_answers: Callable[[Job, Run], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class RunKind:
    """What all runs of one task have in common.

    `task` stands in their records, `title` on screen; `unit` is one thing that is learned from. Runs
    that are not tested, such as learned word vectors, have no `judging`.
    """

    task: str
    title: str
    unit: str
    name: Callable[[Run], str]
    judging: Judging | None = None


def _classifier_name(run: Run) -> str:
    name = str(run.record.get("strategy", ""))
    part = "source task" if run.record.get("role") == "source" else f"seed {run.record.get('seed', '?')}"
    return f"{TITLES.get(name, name)}, {part}"


def _classifier_scores(report: Mapping[str, Any]) -> Scores:
    return {
        ACCURACY: Score(report["accuracy"], Interval(**report["accuracy_interval"])),
        MACRO_F1: Score(report["macro_f1"], Interval(**report["macro_f1_interval"])),
    }


def _right_classes(job: Job, run: Run) -> NDArray[np.bool_]:
    return read_answers(job, run).correct


def _reader_name(run: Run) -> str:
    source, seed = run.record.get("source", ""), run.record.get("seed", "?")
    return f"From {source}, {learned_from(run):,} questions, seed {seed}"


def _reader_scores(report: Mapping[str, Any]) -> Scores:
    scores = report["scores"]
    return {
        EXACT_MATCH: Score(scores["exact_match"], share_interval(scores["exact_match"], scores["count"])),
        F1: Score(scores["f1"]),
    }


def _vectors_name(run: Run) -> str:
    method = str(run.record.get("strategy", ""))
    return f"{METHOD_TITLES.get(method, method)}, {run.record.get('config', {}).get('width', '?')} dimensions"


CLASSIFIERS = RunKind(
    task=CLASSIFY,
    title="classification",
    unit="row",
    name=_classifier_name,
    judging=Judging(
        measures=(ACCURACY, MACRO_F1),
        right=ACCURACY,
        best=ACCURACY,
        wording=Wording("row"),
        scores=_classifier_scores,
        test="test.jsonl",
        right_answers=_right_classes,
    ),
)
READERS = RunKind(
    task="read",
    title="reading",
    unit="question",
    name=_reader_name,
    judging=Judging(
        measures=(EXACT_MATCH, F1),
        right=EXACT_MATCH,
        best=F1,
        wording=Wording("question", EXACT_MATCH.name),
        scores=_reader_scores,
        test=TEST,
        right_answers=exact_matches,
    ),
)
VECTORS = RunKind(task="vectors", title="word vectors", unit="text", name=_vectors_name)
KINDS = (CLASSIFIERS, READERS, VECTORS)


def measure_named(key: str) -> Measure:
    """The measure of this key."""
    return next(each for each in MEASURES if each.key == key)


def kind_named(task: str) -> RunKind:
    """The kind of a task; RunError for one that this version does not know."""
    for kind in KINDS:
        if kind.task == task:
            return kind
    raise RunError(
        f"This version knows no task {task[:40]!r}; it knows {', '.join(kind.task for kind in KINDS)}."
    )


def kind_of(run: Run) -> RunKind:
    """What kind of run this is."""
    return kind_named(run.task)


def scores_of(run: Run) -> Scores:
    """The scores of a run by measure; none before it has been tested, or for a kind that is not."""
    judging = kind_of(run).judging
    return judging.scores(run.report) if judging and run.report else {}


def right_of(run: Run) -> Measure | None:
    """The share of right answers that runs of this kind are compared by; None for those that are not tested."""
    judging = kind_of(run).judging
    return judging.right if judging else None


def measures_of(runs: Iterable[Run]) -> tuple[Measure, ...]:
    """The measures that runs have, or will have, in the order of a table."""
    had = {measure for run in runs if (judging := kind_of(run).judging) for measure in judging.measures}
    return tuple(each for each in MEASURES if each in had)


def best_score(runs: Sequence[Run]) -> tuple[Measure, float] | None:
    """The highest score of tested runs in what the best one is chosen by; None if none was tested."""
    found = [
        (judging.best, scores_of(run)[judging.best].value)
        for run in runs
        if run.report and (judging := kind_of(run).judging)
    ]
    return max(found, key=lambda each: each[1], default=None)


def learned_from(run: Run) -> int:
    """How many rows or questions a run learned from, those that chose the epoch included."""
    rows: Mapping[str, int] = run.record.get("rows", {})
    return rows.get("train", 0) + rows.get("validation", 0)


def share_interval(share: float, count: int) -> Interval | None:
    """The 95 % interval of a share of `count` questions, as drawing the questions anew spreads it."""
    if not count:
        return None
    drawn = np.random.default_rng(0).binomial(count, share, size=RESAMPLES)
    return percentile_interval(drawn / count)
