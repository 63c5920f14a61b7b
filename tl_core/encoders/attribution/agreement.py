"""Agreement of two explanations of the same words."""

from __future__ import annotations

import numpy as np

from tl_core.text.places import Numbers

LEAST_WORDS = 3


def rank_correlation(a: Numbers, b: Numbers, *, signed: bool = True) -> float | None:
    """Spearman's rank correlation of two scores of the same W words, -1 to 1; ties share their mean rank.

    With `signed=False` sizes are compared, |a| with |b|: attention has no sign, so an attribution compared
    with it must lose its own. Words without a finite score in both are left out. None where a rank says
    nothing: fewer than 3 words, or a score that is the same for all. ValueError if the lengths differ.
    """
    from scipy.stats import spearmanr

    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"Two scores of the same words are wanted; got shapes {a.shape} and {b.shape}.")
    both = np.isfinite(a) & np.isfinite(b)
    first, second = (scores[both] if signed else np.abs(scores[both]) for scores in (a, b))
    if len(first) < LEAST_WORDS or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first, second).statistic)
