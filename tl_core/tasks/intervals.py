"""Intervals of measured shares and of their differences, over test rows and over trainings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Correct = NDArray[np.bool_]
Clusters = NDArray[np.int64]  # (N,): the number of the article, customer or the like that each row stands in

LEVEL = 0.05  # an interval holds the true value in 95 of 100 such tests
NUMBERS_AT_ONCE = 1_000_000  # largest array of one bootstrap chunk: 8 MB


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % interval of a number, in the number's own unit."""

    low: float
    high: float


def wilson(right: float, count: float, level: float = LEVEL) -> Interval | None:
    """The interval of a share, `right` of `count` (Wilson 1927); None of nothing. Never without width.

    `right` may lie between whole numbers, as a mean of several trainings does.
    """
    if not count:
        return None
    z = float(_quantile_of_rows(level, None))
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(float(max(0.0, middle - half)), float(min(1.0, middle + half)))


def share_interval(share: float, count: int) -> Interval | None:
    """The 95 % interval of a share of `count` rows or questions."""
    return wilson(share * count, count)


def mean_share_interval(correct: Correct, clusters: Clusters | None = None) -> Interval | None:
    """The 95 % interval of the share right, of S trainings on N rows, (S, N): for other rows and other seeds.

    Of one training Wilson's. Of more, Wilson's for the rows and Student's t for the seeds, joined so that neither hides
    the other (MOVER: Zou & Donner 2008). Rows of one cluster are right together: they count as the fewer rows that
    would tell as much (Korn & Graubard 1998).
    """
    seeds, rows = correct.shape
    share = float(correct.mean())
    count = rows if clusters is None else effective_rows(correct.mean(axis=0), clusters)
    by_rows = wilson(share * count, count)
    if by_rows is None or seeds == 1:
        return by_rows
    by_seeds = float(_quantile_of_seeds(LEVEL, seeds)) * correct.mean(axis=1).std(ddof=1) / np.sqrt(seeds)
    low = share - np.hypot(share - by_rows.low, by_seeds)
    high = share + np.hypot(by_rows.high - share, by_seeds)
    return Interval(float(max(0.0, low)), float(min(1.0, high)))


def effective_rows(values: Floats, clusters: Clusters) -> float:
    """How many independent rows would tell as much of a mean as these (N,), which stand in C clusters.

    N over the design effect (Kish 1965), and less where few clusters leave it uncertain: Student's t with C - 1 degrees
    of freedom in place of N - 1, as Korn & Graubard (1998). Never more than N; N if nothing varies, or in one cluster.
    """
    rows, number = len(values), len(np.unique(clusters))
    centred = values - values.mean()
    if number < 2 or not centred.any():
        return float(rows)
    apart = float((centred**2).sum()) / (rows * max(1, rows - 1))
    wider = (_quantile_of_rows(LEVEL, number) / _quantile_of_rows(LEVEL, rows)) ** 2
    return float(min(rows, rows * apart / (_variance_of_mean(centred, clusters) * wider)))


def mean_interval(values: Floats, clusters: Clusters | None = None) -> Interval | None:
    """The 95 % interval of the mean of values from 0 to 1, (N,), such as F1 of questions: Wilson's (1927) of a share with
    the variance that their mean has. Clusters as in `effective_rows`; None of nothing.
    """
    rows, mean = len(values), float(values.mean()) if len(values) else 0.0
    number = rows if clusters is None else len(np.unique(clusters))
    if number < 2:
        clusters, number = None, rows
    centred = values - mean
    if not rows or not centred.any():
        return wilson(mean * rows, rows)
    places = np.arange(rows) if clusters is None else clusters
    wider = (_quantile_of_rows(LEVEL, number) / _quantile_of_rows(LEVEL, None)) ** 2
    count = mean * (1 - mean) / (_variance_of_mean(centred, places) * wider)
    return wilson(mean * count, count)


def _variance_of_mean(centred: Floats, clusters: Clusters) -> float:
    """The variance of a mean of rows (N,), less that mean, whose clusters were drawn; at least that of rows drawn alone."""
    _, places = np.unique(clusters, return_inverse=True)
    return max(
        float((sums**2).sum()) * len(sums) / max(1, len(sums) - 1) / len(centred) ** 2
        for sums in (np.bincount(places, weights=centred), centred)
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more often one of two is right than the other, on the same N rows, in S pairs of trainings.

    `value` is the difference of their shares. With one pair it is that of these two trained models: `only_a` and
    `only_b` are the rows that only one gets right. With more it is that of the strategies behind them: `by_rows` is the
    variance that the choice of the rows gives the mean, `by_seeds` that which the trainings give it. Where rows were drawn
    in `clusters`, `by_rows` is the variance that the choice of these gives, also of one pair.
    """

    value: float
    rows: int
    pairs: int
    only_a: int = 0
    only_b: int = 0
    by_rows: float = 0.0
    by_seeds: float = 0.0
    clusters: int = 0

    def interval(self, level: float = LEVEL) -> Interval:
        """The interval that holds the true difference but for `level` of such tests.

        For one pair of models that of the binomial share among the rows where they differ (Clopper & Pearson 1934),
        which agrees with McNemar's exact test. For more the rows' part at the normal quantile and the seeds' at Student's
        t with S - 1 degrees of freedom, joined by their squares (Graybill & Wang 1980; MOVER). It ends at -1 and 1.
        """
        if self.pairs == 1 and not self.clusters:
            return self._of_two_models(level)
        half = float(np.sqrt(self._squared_half(level)))
        return Interval(max(-1.0, self.value - half), min(1.0, self.value + half))

    @property
    def p_value(self) -> float:
        """Two-sided: the level from which on the interval holds 0. One pair: McNemar's exact test."""
        if self.pairs == 1 and not self.clusters:
            from scipy.special import bdtr  # alone; `scipy.stats` takes far longer to load

            fewer, differing = min(self.only_a, self.only_b), self.only_a + self.only_b
            return min(1.0, 2 * float(bdtr(fewer, differing, 0.5)))
        low, high = 1e-12, 1.0
        if self._squared_half(low) < self.value**2:
            return low
        for _ in range(60):
            middle = float(np.sqrt(low * high))
            if self._squared_half(middle) > self.value**2:
                low = middle
            else:
                high = middle
        return high

    def _squared_half(self, level: float) -> float:
        rows = float(_quantile_of_rows(level, self.clusters or self.rows)) ** 2 * self.by_rows
        if not self.by_seeds:
            return rows
        return rows + float(_quantile_of_seeds(level, self.pairs)) ** 2 * self.by_seeds

    def _of_two_models(self, level: float) -> Interval:
        from scipy.special import betaincinv

        a, b = self.only_a, self.only_b
        if not a + b:
            nearly = 1 - level ** (1 / self.rows)  # the share that may differ though no row does
            return Interval(-nearly, nearly)
        low = float(betaincinv(a, b + 1, level / 2)) if a else 0.0
        high = float(betaincinv(a + 1, b, 1 - level / 2)) if b else 1.0
        share = (a + b) / self.rows
        return Interval((2 * low - 1) * share, (2 * high - 1) * share)


def difference_of(a: Correct, b: Correct, clusters: Clusters | None = None) -> Difference:
    """`a`'s right answers (S, N) less `b`'s (S', N). Trainings are paired in their order; those without a partner stay out.

    What the rows give is the mean covariance of two pairs' differences over the rows: what is peculiar to one training on
    one row is in the seeds' part. Half a row more on each side keeps it above zero (Agresti & Min 2005). With `clusters`
    (N,) all of this is of their sums; a single one is none.
    """
    pairs, rows = min(len(a), len(b)), a.shape[1]
    a, b = a[:pairs], b[:pairs]
    differences = a.astype(np.float64) - b
    value = float(differences.mean())
    groups = 0 if clusters is None else len(np.unique(clusters))
    if groups < 2:
        clusters, groups = None, 0
    only = int((a & ~b).sum()), int((~a & b).sum())
    if pairs == 1:
        if clusters is None:
            return Difference(value, rows, 1, *only)
        by_rows = _variance_of_mean(differences[0] - value, clusters) + 1 / (rows + 2) ** 2
        return Difference(value, rows, 1, *only, by_rows=by_rows, clusters=groups)
    by_pair = differences.mean(axis=1)
    sums = _sums(differences - by_pair[:, None], clusters)
    units = sums.shape[1]
    shared = float((sums.sum(axis=0) ** 2).sum() - (sums**2).sum()) / (pairs * (pairs - 1))
    return Difference(
        value,
        rows,
        pairs,
        by_rows=max(0.0, shared) * units / max(1, units - 1) / rows**2 + 1 / (rows + 2) ** 2,
        by_seeds=float(by_pair.var(ddof=1)) / pairs,
        clusters=groups,
    )


def _sums(values: Floats, clusters: Clusters | None) -> Floats:
    """Sums over the rows of each cluster, (S, C), of values (S, N); the values themselves without clusters."""
    if clusters is None:
        return values
    _, places = np.unique(clusters, return_inverse=True)
    return np.stack([np.bincount(places, weights=row) for row in values])


def difference_of_models(a: Correct, b: Correct) -> Difference:
    """The same for these trained models on other rows: how other trainings would do is not asked."""
    difference = difference_of(a, b)
    if difference.pairs == 1:
        return difference
    by_row = (a[: difference.pairs].astype(np.float64) - b[: difference.pairs]).mean(axis=0)
    rows = difference.rows
    by_rows = float(by_row.var()) / max(1, rows - 1) + 1 / (rows + 2) ** 2
    return replace(difference, by_rows=by_rows, by_seeds=0.0)


def _quantile_of_rows(level: float, rows: int | None) -> float:
    """The two-sided quantile of the normal distribution, or of Student's t over this many rows."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(1 - level / 2) if rows is None else stdtrit(max(1, rows - 1), 1 - level / 2))


def _quantile_of_seeds(level: float, seeds: int) -> float:
    """The two-sided quantile of Student's t over this many trainings."""
    from scipy.special import stdtrit

    return float(stdtrit(seeds - 1, 1 - level / 2))


def percentile_interval(values: Floats) -> Interval:
    """The middle 95 % of drawn values (R,) (Efron & Tibshirani 1993, ch. 13)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(low=float(low), high=float(high))
