"""Whether one strategy is really better than another on the same test rows, in numbers and in words.

A strategy's answers are `correct` (S, N): S trainings with different seeds, N rows, true where
the answer is right. All strategies answer the same rows, so rows are compared one with itself:
rows that both get right or both get wrong say nothing about which is better.

With one training each the numbers speak of these two models, whose rows alone were drawn. With more they speak of the
strategies: rows and trainings both were drawn (`tasks/intervals.py`). Number and words follow one criterion: the interval
shown is corrected for all pairs compared, and 'larger than chance' says that it leaves out 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tl_core.errors import DataError
from tl_core.tasks.intervals import (
    Clusters,
    Correct,
    Difference,
    Interval,
    difference_of,
    difference_of_models,
)

SIGNIFICANCE_LEVEL = 0.05
FEW_ROWS = 100
ENOUGH_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same rows: `difference` is the better one's accuracy less the other's.

    Accuracies are means over seeds, between 0 and 1. `adjusted_p` is the p-value after Holm's
    correction for all pairs compared, `interval` is corrected alike, and `larger_than_chance` says that it leaves out 0.
    """

    better: str
    worse: str
    difference: float
    interval: Interval
    p_value: float
    adjusted_p: float
    larger_than_chance: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """What the sentences speak of: `unit` is one thing tested, `measure` what the points are points of.

    Accuracy needs no name.
    """

    unit: str = "row"
    measure: str = ""

    def points(self, share: float) -> str:
        """'1.6 points', or '1.6 points of exact match'."""
        return f"{_points(share)} points" + (f" of {self.measure}" if self.measure else "")

    def units(self, count: int) -> str:
        """'row' or 'rows'."""
        return self.unit if count == 1 else f"{self.unit}s"


PLAIN = Wording()


def compare_all(correct: Mapping[str, Correct], clusters: Clusters | None = None) -> tuple[Comparison, ...]:
    """Every pair of strategies, the largest difference first; equal ones keep the given order.

    `correct` holds (S, N) for each strategy; S may differ, N may not (DataError). `clusters` (N,) are the articles or the
    like that the rows were drawn in.
    """
    ready = {name: _checked(name, rows) for name, rows in correct.items()}
    if len({rows.shape[1] for rows in ready.values()}) > 1:
        counts = ", ".join(f"{name} {rows.shape[1]:,}" for name, rows in ready.items())
        raise DataError(
            "Strategies can only be compared on the same test rows; got {counts} rows.", counts=counts
        )
    ranked = sorted(ready, key=lambda name: -float(ready[name].mean()))
    pairs = list(combinations(ranked, 2))
    judged = judge_all([difference_of(ready[better], ready[worse], clusters) for better, worse in pairs])
    comparisons = [
        Comparison(
            better, worse, each.value, each.interval, each.p_value, each.adjusted_p, each.larger_than_chance
        )
        for (better, worse), each in zip(pairs, judged, strict=True)
    ]
    return tuple(sorted(comparisons, key=lambda comparison: -comparison.difference))


@dataclass(frozen=True, slots=True)
class Judged:
    """A difference, with its interval and p-value corrected for all that were judged with it."""

    value: float
    interval: Interval
    p_value: float
    adjusted_p: float
    larger_than_chance: bool


def judge_all(differences: Sequence[Difference]) -> list[Judged]:
    """Each difference judged beside all others (Holm 1979), in the same order.

    The interval of each is at the level at which Holm's procedure tests it, so that it leaves out 0 where the difference
    is called larger than chance, and there alone.
    """
    p_values = [difference.p_value for difference in differences]
    adjusted, levels = holm(p_values), holm_levels(p_values)
    return [
        Judged(difference.value, difference.interval(level), p_value, p, p < SIGNIFICANCE_LEVEL)
        for difference, p_value, p, level in zip(differences, p_values, adjusted, levels, strict=True)
    ]


def holm_levels(p_values: Sequence[float], level: float = SIGNIFICANCE_LEVEL) -> list[float]:
    """The level at which each is tested, in the same order: the first that does not pass sets it for all that follow."""
    levels = [level] * len(p_values)
    passing, current = True, level
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        if passing:
            current = level / (len(p_values) - place)
            passing = p_values[index] < current
        levels[index] = current
    return levels


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for their number, in the same order (Holm 1979, step-down Bonferroni)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        largest = max(largest, min(1.0, (len(p_values) - place) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def sentence(
    comparisons: Sequence[Comparison],
    titles: Mapping[str, str],
    rows: int,
    seeds: int,
    wording: Wording = PLAIN,
) -> str:
    """The best strategy against each other one in plain words, one line each, then what to be careful of.

    `titles` gives the name on screen of each strategy; one without a title keeps its own name.
    """
    beaten = {comparison.worse for comparison in comparisons}
    against = [comparison for comparison in reversed(comparisons) if comparison.better not in beaten]
    lines = [_line(comparison, titles, rows, seeds, wording) for comparison in against]
    if not comparisons:
        lines.append("There is one strategy only: nothing to compare.")
    if len(comparisons) > 1:
        lines.append(
            f"The p-values and intervals are corrected for the {len(comparisons)} pairs compared (Holm)."
        )
    if rows < FEW_ROWS:
        lines.append(
            f"With {rows} test {wording.units(rows)} only large differences can be told from chance."
        )
    if seeds == 1:
        lines.append(
            "One training each tells these models apart, not the strategies: another seed may turn it. "
            f"Train {ENOUGH_SEEDS} seeds or more to compare those."
        )
    elif seeds < ENOUGH_SEEDS:
        lines.append(
            "With two seeds the spread between trainings is hardly known, so the intervals are wide."
        )
    return "\n".join(lines)


def against_majority(
    correct: Mapping[str, Correct], majority_correct: Correct, titles: Mapping[str, str]
) -> str | None:
    """A warning when the best strategy is not shown to beat the most frequent class; None when it is.

    `majority_correct` (N,) is true where the training rows' most frequent class is the truth.
    It is asked of the models as they were trained. The p-value is multiplied by the number of strategies, since the best
    of them was picked.
    """
    best = max(correct, key=lambda name: float(correct[name].mean()))
    constant = np.broadcast_to(np.asarray(majority_correct, dtype=bool), correct[best].shape)
    difference = difference_of_models(_checked(best, correct[best]), constant)
    p_value = min(1.0, difference.p_value * len(correct))
    if difference.value > 0 and p_value < SIGNIFICANCE_LEVEL:
        return None
    return (
        f"{titles.get(best, best)}, the best here, is not shown to beat always answering the most frequent "
        f"class: {correct[best].mean():.1%} of the rows right against {constant.mean():.1%} "
        f"({_p_text(p_value)}). Check the labels, or train on more rows."
    )


def _checked(name: str, correct: Correct) -> Correct:
    correct = np.asarray(correct, dtype=bool)
    if correct.ndim != 2 or correct.size == 0:
        raise ValueError(
            f"correct of {name} must be (seeds, rows), both at least 1, got {correct.shape} instead"
        )
    return correct


def _line(comparison: Comparison, titles: Mapping[str, str], rows: int, seeds: int, wording: Wording) -> str:
    better, worse = (titles.get(name, name) for name in (comparison.better, comparison.worse))
    span = f"[{_points(comparison.interval.low)}, {_points(comparison.interval.high)}]"
    points, p_text = wording.points(comparison.difference), _p_text(comparison.adjusted_p)
    if not comparison.larger_than_chance:
        return f"Between {better} and {worse} the difference of {points} {span} may be chance ({p_text})."
    by = f"by {points} {span} on the same {rows:,} {wording.units(rows)} ({p_text})"
    if seeds == 1:
        return f"This model of {better} is better than this one of {worse} {by}: larger than chance."
    return f"{better} is better than {worse} {by}: larger than chance."


def _points(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0 turns -0.0 into 0.0


def _p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"
