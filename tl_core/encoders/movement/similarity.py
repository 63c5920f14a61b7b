"""Similarity of two sets of states of the same texts, whatever their axes and scale: linear CKA."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.movement.states import States, layer_states_events
from tl_core.errors import DataError

__all__ = ["layer_similarity", "layer_states_events", "linear_cka"]

FEWEST_ROWS = 2
ROUNDING = 1e-6  # float32 states of one text differ so much between batches


def linear_cka(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Centred kernel alignment with linear kernels of states (N, D1) and (N, D2) of the same N texts: 0 to 1.

    ||B'A||^2 / (||A'A|| ||B'B||) with centred columns and Frobenius norms (Kornblith et al. 2019, section 3
    and eq. for the linear kernel). 1 if one is a rotation and scaling of the other. With far fewer texts
    than dimensions even unrelated states come near 1, so take several times more texts than D.
    DataError below two texts, or if one side says the same of all texts.
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
    if len(a) <= min(a.shape[1], b.shape[1]):  # the same numbers by (N, N), which are fewer here
        grams = centred_a @ centred_a.T, centred_b @ centred_b.T
        together, alone = float((grams[0] * grams[1]).sum()), [np.linalg.norm(gram) for gram in grams]
    else:
        together = float(np.linalg.norm(centred_b.T @ centred_a) ** 2)
        alone = [np.linalg.norm(centred.T @ centred) for centred in (centred_a, centred_b)]
    return min(1.0, max(0.0, together / float(alone[0] * alone[1])))


def layer_similarity(before: States, after: States) -> NDArray[np.float64]:
    """The linear CKA of each layer's states before and after a training: (L + 1,); 1 is unchanged.

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
