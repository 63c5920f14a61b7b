"""Whether one strategy is really better than another on the same test rows, in numbers and in words.

A strategy's answers are `correct` (S, N): S trainings with different seeds, N rows, true where
the answer is right. All strategies answer the same rows, so rows are compared one with itself:
rows that both get right or both get wrong say nothing about which is better.

The p-value asks about these trained models: would the difference be as large if, row by row,
the two had only swapped answers by chance? The interval asks more: rows and seeds are both
drawn anew, so it is wider where a strategy's trainings differ among themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.tasks.intervals import Interval, percentile_interval, resample

Correct = NDArray[np.bool_]

FLIPS = 10_000
RESAMPLES = 2_000
SIGNIFICANCE_LEVEL = 0.05
FEW_ROWS = 100


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two strategies on the same rows: `difference` is the better one's accuracy less the other's.

    Accuracies are means over seeds, between 0 and 1. `adjusted_p` is the p-value after Holm's
    correction for all pairs compared, and `larger_than_chance` says that it is below 0.05.
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


def compare_all(correct: Mapping[str, Correct], seed: int = 0) -> tuple[Comparison, ...]:
    """Every pair of strategies, the largest difference first; equal ones keep the given order.

    `correct` holds (S, N) for each strategy; S may differ, N may not (DataError).
    """
    ready = {name: _checked(name, rows) for name, rows in correct.items()}
    if len({rows.shape[1] for rows in ready.values()}) > 1:
        counts = ", ".join(f"{name} {rows.shape[1]:,}" for name, rows in ready.items())
        raise DataError(
            "Strategies can only be compared on the same test rows; got {counts} rows.", counts=counts
        )
    ranked = sorted(ready, key=lambda name: -float(ready[name].mean()))
    pairs = list(combinations(ranked, 2))
    measured = [compare_pair(ready[better], ready[worse], seed) for better, worse in pairs]
    adjusted = holm([p_value for _, _, p_value in measured])
    found = [
        Comparison(better, worse, difference, interval, p_value, p, p < SIGNIFICANCE_LEVEL)
        for (better, worse), (difference, interval, p_value), p in zip(pairs, measured, adjusted, strict=True)
    ]
    return tuple(sorted(found, key=lambda each: -each.difference))


def compare_pair(a: Correct, b: Correct, seed: int = 0) -> tuple[float, Interval, float]:
    """Accuracy of `a` (S, N) less that of `b` (S', N), its 95 % interval, and the two-sided p-value.

    With one seed each the test is McNemar's exact one, else a sign-flip permutation test.
    """
    a, b = _checked("a", a), _checked("b", b)
    generator = np.random.default_rng(seed)
    one_each = len(a) == len(b) == 1
    p_value = mcnemar(a[0], b[0]) if one_each else sign_flip(a, b, generator)
    return float(a.mean() - b.mean()), _difference_interval(a, b, generator), p_value


def mcnemar(a: Correct, b: Correct) -> float:
    """Two-sided p-value of two models' right answers (N,) each: McNemar's test in its exact form.

    Of the rows that only one gets right, each is as likely to be the one's as the other's:
    a binomial with share 1/2 (McNemar 1947; Dietterich 1998, section 3.1).
    """
    only_a, only_b = int((a & ~b).sum()), int((~a & b).sum())
    from scipy.special import bdtr  # the distribution function alone; `scipy.stats` takes far longer to load

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def sign_flip(a: Correct, b: Correct, generator: np.random.Generator, flips: int = FLIPS) -> float:
    """Two-sided p-value of the mean over rows of `a`'s (S, N) less `b`'s (S', N) mean correctness.

    Each row's difference keeps or changes its sign by a coin, `flips` times; the observed one
    counts as one more (Phipson & Smyth 2010), so p is at least 1 / (flips + 1). Rows with
    differences of the same size are flipped together: as many heads as one binomial draw says.
    """
    differences = a.sum(axis=0) * len(b) - b.sum(axis=0) * len(a)  # whole numbers: ties are exact
    sizes, counts = np.unique(np.abs(differences), return_counts=True)
    heads = generator.binomial(counts, 0.5, size=(flips, len(sizes)))
    flipped = (2 * heads - counts) @ sizes
    as_large = int((np.abs(flipped) >= abs(differences.sum())).sum())
    return (as_large + 1) / (flips + 1)


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
    lines = [_line(each, titles, rows, wording) for each in against]
    if not comparisons:
        lines.append("There is one strategy only: nothing to compare.")
    if len(comparisons) > 1:
        lines.append(f"The p-values are corrected for the {len(comparisons)} pairs compared (Holm).")
    if rows < FEW_ROWS:
        lines.append(
            f"With {rows} test {wording.units(rows)} only large differences can be told from chance."
        )
    if seeds == 1:
        lines.append("With one seed the spread between trainings is not known.")
    return "\n".join(lines)


def against_majority(
    correct: Mapping[str, Correct], majority_correct: Correct, titles: Mapping[str, str], seed: int = 0
) -> str | None:
    """A warning when the best strategy is not shown to beat the most frequent class; None when it is.

    `majority_correct` (N,) is true where the training rows' most frequent class is the truth.
    The p-value is multiplied by the number of strategies, since the best of them was picked.
    """
    best = max(correct, key=lambda name: float(correct[name].mean()))
    constant = np.asarray(majority_correct, dtype=bool)[None]
    difference, _, p_value = compare_pair(correct[best], constant, seed)
    p_value = min(1.0, p_value * len(correct))
    if difference > 0 and p_value < SIGNIFICANCE_LEVEL:
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


def _difference_interval(a: Correct, b: Correct, generator: np.random.Generator) -> Interval:
    """Percentile bootstrap of the difference; rows, and each strategy's seeds, are drawn anew.

    Rows that the same trainings get right are alike, so they are drawn as one kind.
    With several seeds the interval is rather too wide than too narrow, since drawing both ways
    counts what is peculiar to one row in one training more than once (Owen 2007).
    """
    kinds, counts = np.unique(np.concatenate([a, b]), axis=1, return_counts=True)
    weights = np.concatenate([_seed_shares(len(a), generator), -_seed_shares(len(b), generator)], axis=1)
    differences, start = np.empty(RESAMPLES), 0
    for drawn in resample(counts, RESAMPLES, generator):
        end = start + len(drawn)
        right = drawn @ kinds.T.astype(np.float64)  # (R, S + S'): right answers of each training
        differences[start:end] = (right * weights[start:end]).sum(axis=1) / a.shape[1]
        start = end
    return percentile_interval(differences)


def _seed_shares(seeds: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """How much each of S seeds counts in each resample: (R, S), rows sum to one."""
    return generator.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES) / seeds


def _line(found: Comparison, titles: Mapping[str, str], rows: int, wording: Wording) -> str:
    better, worse = (titles.get(name, name) for name in (found.better, found.worse))
    span = f"[{_points(found.interval.low)}, {_points(found.interval.high)}]"
    points, p_text = wording.points(found.difference), _p_text(found.adjusted_p)
    if not found.larger_than_chance:
        return f"Between {better} and {worse} the difference of {points} {span} may be chance ({p_text})."
    verdict = "larger than chance."
    if found.interval.low <= 0:
        verdict = "larger than chance for these trainings, but other seeds may turn it."
    by = f"by {points} {span} on the same {rows:,} {wording.units(rows)} ({p_text})"
    return f"{better} is better than {worse} {by}: {verdict}"


def _points(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f}"  # + 0.0 turns -0.0 into 0.0


def _p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"
