"""Every task as one row, and what is asked of runs by their task.

Whoever lists, titles, compares, exports or imports runs asks here; nobody else asks which task a run has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tl_core.errors import RunError
from tl_core.outcomes.tasks.classify import ACCURACY, CLASSIFIERS, MACRO_F1
from tl_core.outcomes.tasks.kind import Judging, Measure, Score, Scores, TaskKind, learned_from
from tl_core.outcomes.tasks.read import EXACT_MATCH, F1, READERS, share_interval
from tl_core.outcomes.tasks.vectors import VECTORS
from tl_core.runs.store import Run

__all__ = [
    "ACCURACY",
    "CLASSIFIERS",
    "EXACT_MATCH",
    "F1",
    "KINDS",
    "MACRO_F1",
    "MEASURES",
    "READERS",
    "VECTORS",
    "Judging",
    "Measure",
    "Score",
    "Scores",
    "TaskKind",
    "best_score",
    "kind_named",
    "kind_of",
    "learned_from",
    "measure_named",
    "measures_of",
    "right_of",
    "scores_of",
    "share_interval",
]

KINDS = (CLASSIFIERS, READERS, VECTORS)
MEASURES = (ACCURACY, EXACT_MATCH, MACRO_F1, F1)  # in the order of a table: shares of right answers first


def measure_named(key: str) -> Measure:
    """The measure of this key."""
    return next(each for each in MEASURES if each.key == key)


def kind_named(task: str) -> TaskKind:
    """The kind of a task; RunError for one that this version does not know."""
    for kind in KINDS:
        if kind.task == task:
            return kind
    raise RunError(
        "This version knows no task {task!r}; it knows {kinds}.",
        task=task[:40],
        kinds=", ".join(kind.task for kind in KINDS),
    )


def kind_of(run: Run) -> TaskKind:
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
