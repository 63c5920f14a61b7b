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
    "preferred",
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
    """The highest mean over seeds in what the best arm is chosen by, of one arm at one size; None if none was tested.

    The highest score of a single run would be its luck with the test rows more than its worth.
    """
    best = _best_arm(runs)
    return (best[0], best[1]) if best else None


def preferred(runs: Sequence[Run]) -> Run:
    """The run to look at first: the first seed of the arm with the highest mean; the first run if none was tested."""
    best = _best_arm(runs)
    return min(best[2], key=lambda run: run.record.seed) if best else runs[0]


def _best_arm(runs: Sequence[Run]) -> tuple[Measure, float, list[Run]] | None:
    """What the best arm at one size is chosen by, its mean, and its runs."""
    arms: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        if run.report and kind_of(run).judging:
            record = run.record
            arms.setdefault((record.job, record.arm, record.size, record.from_source), []).append(run)
    scored = []
    for of_arm in arms.values():
        judging = kind_of(of_arm[0]).judging
        assert judging is not None
        mean = sum(scores_of(run)[judging.best].value for run in of_arm) / len(of_arm)
        scored.append((judging.best, mean, of_arm))
    return max(scored, key=lambda arm: arm[1], default=None)
