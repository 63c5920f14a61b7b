"""Distance that each head's attention moved between two states of an encoder, before and after training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.maps import Maps
from tl_core.errors import DataError
from tl_core.text.places import Numbers


def head_distance(before: Maps, after: Maps) -> Numbers:
    """Distance between the attention of each head, before and after: (L, H), 0 (the same) to 1.

    The mean over rows of the Jensen-Shannon distance, the square root of the divergence to base 2 (Endres &
    Schindelin 2003). Both are (L, H, T, T) of the same tokens; DataError if their shapes differ.
    """
    if before.shape != after.shape:
        raise DataError(
            "Attention of shape {shape} cannot be compared with attention of shape {other_shape}. Compare two "
            "states of the same encoder on the same text.",
            shape=before.shape,
            other_shape=after.shape,
        )
    distances = np.empty(before.shape[:2])
    for layer, head in np.ndindex(*distances.shape):
        distances[layer, head] = _row_distances(before[layer, head], after[layer, head]).mean()
    return distances


class ChangeSum:
    """The mean distance of each head over many inputs, each weighted by its tokens."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum: Numbers = np.zeros(())

    def add(self, before: Maps, after: Maps) -> None:
        """Count one input; errors as in `head_distance`, or DataError for an encoder of another size."""
        distances = head_distance(before, after)
        if self.rows and distances.shape != self._sum.shape:
            raise DataError(
                "Attention of {shape} layers and heads cannot be added to that of {other_shape}. Keep to "
                "one encoder.",
                shape=distances.shape,
                other_shape=self._sum.shape,
            )
        self._sum = self._sum + distances * before.shape[-1]
        self.rows += before.shape[-1]

    def result(self) -> Numbers:
        """The mean over all rows of all inputs: (L, H), 0 to 1; DataError if there was no input."""
        if not self.rows:
            raise DataError("No text was compared. Give at least one.")
        return self._sum / self.rows


def _row_distances(before: NDArray[np.float32], after: NDArray[np.float32]) -> Numbers:
    """Jensen-Shannon distance of each row, (T, T) both: (T,)."""
    first, second = _distributions(before), _distributions(after)
    middle = (first + second) / 2
    divergence = (_relative_entropy(first, middle) + _relative_entropy(second, middle)) / 2
    distance: Numbers = np.sqrt(np.clip(divergence, 0, 1))
    return distance


def _distributions(rows: NDArray[np.float32]) -> Numbers:
    exact = rows.astype(np.float64)
    exact /= exact.sum(-1, keepdims=True)
    return exact


def _relative_entropy(of: Numbers, to: Numbers) -> Numbers:
    """In bits, a row each: (T,); `to` is nowhere zero where `of` is not."""
    ratio = np.divide(of, to, out=np.ones_like(of), where=of > 0)
    entropy: Numbers = np.einsum("ij,ij->i", of, np.log2(ratio))
    return entropy
