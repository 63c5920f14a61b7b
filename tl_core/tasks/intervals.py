"""Intervals of measured numbers, by drawing what was tested anew (Efron & Tibshirani 1993, ch. 13)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

NUMBERS_AT_ONCE = 1_000_000  # largest array of one bootstrap chunk: 8 MB
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % interval of a number, in the number's own unit."""

    low: float
    high: float


def resample(
    counts: Integers, resamples: int, generator: np.random.Generator, width: int = 1
) -> Iterator[NDArray[np.int64]]:
    """Bootstrap counts of K kinds of rows: `resamples` rows (R, K) in all, chunk by chunk.

    Drawing rows with replacement and counting their kinds is one multinomial draw over the
    kinds. Chunks are small enough for further arrays (R, `width`) beside them.
    """
    at_once = max(1, NUMBERS_AT_ONCE // max(len(counts), width))
    total = int(counts.sum())
    for start in range(0, resamples, at_once):
        yield generator.multinomial(total, counts / total, size=min(at_once, resamples - start))


def percentile_interval(values: Floats) -> Interval:
    """The middle 95 % of bootstrap values (R,)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(low=float(low), high=float(high))


def share_interval(share: float, count: int) -> Interval | None:
    """The 95 % interval of a share of `count` questions, as drawing the questions anew spreads it."""
    if not count:
        return None
    drawn = np.random.default_rng(0).binomial(count, share, size=RESAMPLES)
    return percentile_interval(drawn / count)
