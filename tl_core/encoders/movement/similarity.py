"""Similarity of two sets of states of the same texts, whatever their axes and scale: debiased linear CKA."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.movement.states import States, layer_states_events
from tl_core.errors import DataError

__all__ = ["layer_similarity", "layer_states_events", "linear_cka"]

FEWEST_ROWS = 4
ROUNDING = 1e-6  # float32 states of one text differ so much between batches


def linear_cka(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Centred kernel alignment with linear kernels of states (N, D1) and (N, D2) of the same N texts: 0 to 1.

    HSIC(K, L) / sqrt(HSIC(K, K) HSIC(L, L)) (Kornblith et al. 2019, section 3) with the unbiased estimate of HSIC
    (Song et al. 2012, eq. 5), so that unrelated states come to about 0 however few the texts; a negative estimate counts
    as 0. 1 if one is a rotation and scaling of the other. DataError below four texts, or if one side says the same of
    all texts, or so nearly that with these few its spread cannot be told from 0.
    """
    if a.ndim != 2 or b.ndim != 2 or len(a) != len(b):
        raise DataError(
            "States must be two tables with the same rows; got {shape} and {other_shape}.",
            shape=a.shape,
            other_shape=b.shape,
        )
    if len(a) < FEWEST_ROWS:
        raise DataError(
            "Similarity needs at least {fewest_rows} texts; got {a}.", fewest_rows=FEWEST_ROWS, a=len(a)
        )
    centred_a, centred_b = _centred(a), _centred(b)
    alone = _hsic(centred_a, centred_a) * _hsic(centred_b, centred_b)
    if min(_hsic(centred_a, centred_a), _hsic(centred_b, centred_b)) <= 0:
        raise DataError(
            "The states of these {texts} texts differ too little for their similarity to be told. Take more texts.",
            texts=len(a),
        )
    return float(min(1.0, max(0.0, _hsic(centred_a, centred_b) / np.sqrt(alone))))


def _hsic(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The unbiased estimate of HSIC from linear kernels of a (N, D1) and b (N, D2), without their diagonals.

    The kernels themselves (N, N) are made only where they are smaller than the states' own products.
    """
    count = len(a)
    diagonals = (a * a).sum(axis=1), (b * b).sum(axis=1)
    small = count <= min(a.shape[1], b.shape[1])
    product = ((a @ a.T) * (b @ b.T)).sum() if small else np.linalg.norm(b.T @ a) ** 2
    trace = product - (diagonals[0] * diagonals[1]).sum()
    sums = a @ a.sum(axis=0) - diagonals[0], b @ b.sum(axis=0) - diagonals[1]  # of each kernel's rows
    whole = sums[0].sum() * sums[1].sum() / ((count - 1) * (count - 2))
    mixed = 2 * (sums[0] * sums[1]).sum() / (count - 2)
    return float((trace + whole - mixed) / (count * (count - 3)))


def layer_similarity(before: States, after: States) -> NDArray[np.float64]:
    """The debiased linear CKA of each layer's states before and after a training: (L + 1,); 1 is unchanged.

    Axes, scale and mean do not count: a layer that was only turned comes to 1 though its weights moved.
    """
    if len(before) != len(after):
        raise DataError(
            "{before} layers before and {after} after cannot be compared one by one. "
            "Compare two states of one encoder.",
            before=len(before),
            after=len(after),
        )
    return np.array([linear_cka(*pair) for pair in zip(before, after, strict=True)])


def _centred(states: NDArray[Any]) -> NDArray[np.float64]:
    """Columns of mean zero, at a length that cannot overflow; DataError if no row differs from another."""
    centred = states.astype(np.float64)
    centred = centred - centred.mean(axis=0)
    length = float(np.linalg.norm(centred))
    if not np.isfinite(length):
        raise DataError("States hold numbers that are not finite, so they cannot be compared.")
    if length <= ROUNDING * float(np.linalg.norm(states.astype(np.float64))):
        raise DataError(
            "The states of all {states} texts are the same, so their similarity is not defined. "
            "Take texts that differ.",
            states=len(states),
        )
    return np.asarray(centred / length)
