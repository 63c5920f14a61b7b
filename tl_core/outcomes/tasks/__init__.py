"""Every task as one row, and what is asked of runs by their task.

Whoever lists, titles, compares, exports or imports runs asks here; nobody else asks which task a run has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tl_core.errors import RunError
from tl_core.outcomes.tasks.classify import ACCURACY, CLASSIFIERS, MACRO_F1
from tl_core.outcomes.tasks.kind import Judging, Measure, Score, Scores, TaskKind, learned_from
from tl_core.outcomes.tasks.read import EXACT_MATCH, F1, READERS
from tl_core.outcomes.tasks.vectors import VECTORS
from tl_core.runs.store import Run
from tl_core.tasks.intervals import share_interval

__all__ = [
    "ACCURACY",
    "CLASSIFIERS",
    "EXACT_MATCH",
    "F1",
    "KINDS",
    "MACRO_F1",
    "READERS",
    "VECTORS",
    "Judging",
    "Measure",
    "Score",
    "Scores",
    "TaskKind",
    "all_measures",
    "best_score",
    "kind_named",
    "kind_of",
    "learned_from",
    "measure_named",
    "measures_of",
    "right_of",
    "scores_of",
    "scores_text",
    "share_interval",
]

KINDS = (CLASSIFIERS, READERS, VECTORS)


def all_measures() -> tuple[Measure, ...]:
    """Every task's measures in the order of a table: shares of right answers first."""
    judged = [kind.judging for kind in KINDS if kind.judging]
    rights = [judging.right for judging in judged]
    return tuple(dict.fromkeys(rights + [measure for judging in judged for measure in judging.measures]))


def measure_named(key: str) -> Measure:
    """The measure of this key."""
    return next(measure for measure in all_measures() if measure.key == key)


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
    """The kind of this run."""
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
    return tuple(measure for measure in all_measures() if measure in had)


def scores_text(run: Run) -> str:
    """The scores of a run as words, such as 'accuracy 0.812 [0.790, 0.833]'; empty before it has any."""
    kind = kind_of(run)
    if not run.report:
        return ""
    return kind.scores_text(run) if kind.scores_text else "  ".join(map(_score_text, scores_of(run).items()))


def _score_text(item: tuple[Measure, Score]) -> str:
    measure, score = item
    span = f" [{score.interval.low:.3f}, {score.interval.high:.3f}]" if score.interval else ""
    return f"{measure.name} {score.value:.3f}{span}"


def best_score(runs: Sequence[Run]) -> tuple[Measure, float] | None:
    """The highest score of tested runs in what the best one is chosen by; None if none was tested."""
    scores = [
        (judging.best, scores_of(run)[judging.best].value)
        for run in runs
        if run.report and (judging := kind_of(run).judging)
    ]
    return max(scores, key=lambda score: score[1], default=None)
