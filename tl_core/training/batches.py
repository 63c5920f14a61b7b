"""Rows of each batch: rows of like length together, so that little padding is computed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 50  # batches sorted together: long enough for little padding, short enough to stay random


def length_batches(
    lengths: NDArray[np.int64], batch_size: int, *, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Row indices of each batch of one epoch: every row once, only the last cut may be smaller.

    `lengths` is (N,), in tokens. Rows are shuffled, sorted by length within windows of 50
    batches, cut into batches, and the batches shuffled again; the same seed and epoch give the
    same batches, so a resumed training continues where it stood.
    """
    random = np.random.default_rng([seed, epoch])
    order = random.permutation(len(lengths))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), WINDOW * batch_size):
        window = order[start : start + WINDOW * batch_size]
        window = window[np.argsort(lengths[window], kind="stable")]
        batches += [window[at : at + batch_size] for at in range(0, len(window), batch_size)]
    return [batches[at] for at in random.permutation(len(batches))]


def sorted_batches(lengths: NDArray[np.int64], batch_size: int) -> list[NDArray[np.int64]]:
    """Row indices of each batch for prediction: longest first, so that memory peaks at the start."""
    order = np.argsort(-lengths, kind="stable")
    return [order[at : at + batch_size] for at in range(0, len(order), batch_size)]


def token_batches(lengths: NDArray[np.int64], most_tokens: int) -> list[NDArray[np.int64]]:
    """Row indices of each batch for prediction, longest first, at most `most_tokens` with padding.

    A row that is longer stands alone.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, at = [], 0
    while at < len(order):
        count = max(1, most_tokens // max(1, int(lengths[order[at]])))
        batches.append(order[at : at + count])
        at += count
    return batches


def padded_tokens(lengths: NDArray[np.int64], batches: list[NDArray[np.int64]]) -> int:
    """Number of tokens computed, padding included, when each batch is padded to its longest row."""
    return sum(int(lengths[batch].max()) * len(batch) for batch in batches)
