"""Exact nearest words: one pass over the (D, V) columns, then the best k block by block."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError
from tl_core.vectors.space import WordVectors

Metric = Literal["cosine", "euclidean"]
BLOCK = 512
BATCH_BYTES = 64 * 2**20  # of scores held at once in a batch of queries


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word with its score: cosine (larger is nearer) or Euclidean distance (smaller is nearer)."""

    word: str
    score: float
    row: int


def neighbours(vectors: WordVectors, word: str, k: int = 10, *, first: int | None = None) -> list[Neighbour]:
    """The k words of largest cosine to a word, itself left out; `first` keeps to the most frequent words."""
    row = vectors.vocabulary.row(word)
    return nearest(vectors, vectors.unit_row(row), k, first=first, without=[row])


def nearest(
    vectors: WordVectors,
    target: NDArray[np.float32],
    k: int = 10,
    *,
    metric: Metric = "cosine",
    first: int | None = None,
    without: Iterable[int] = (),
) -> list[Neighbour]:
    """The k words nearest to a vector (D,), nearest first, without the rows in `without`.

    Cosine is taken to the vectors at length one, Euclidean distance to the vectors as they came.
    """
    if metric == "euclidean":
        near = closeness(vectors, target, first=first)
        rows = best_rows(near, k, without)
        scores = np.sqrt(np.maximum(0.0, float(target @ target) - near[rows].astype(np.float64)))
    else:
        cosines = cosine_scores(vectors, target, first=first)
        rows = best_rows(cosines, k, without)
        scores = cosines[rows].astype(np.float64)
    return as_neighbours(vectors, rows, scores)


def cosine_scores(
    vectors: WordVectors, target: NDArray[np.float32], *, first: int | None = None
) -> NDArray[np.float32]:
    """The cosine of every word to a vector: (V,), or (first,); zeros for a target of zeros."""
    length = float(np.linalg.norm(target))
    unit = (target / length if length > 0 else target).astype(np.float32)
    return unit @ vectors.columns[:, : counted(vectors, first)]


def closeness(
    vectors: WordVectors, target: NDArray[np.float32], *, first: int | None = None
) -> NDArray[np.float32]:
    """Squared length of the target less squared distance to every raw vector: (V,), largest is nearest."""
    count = counted(vectors, first)
    lengths = np.asarray(vectors.lengths[:count])
    return lengths * (2 * (target.astype(np.float32) @ vectors.columns[:, :count]) - lengths)


def best_rows(scores: NDArray[np.float32], k: int, without: Iterable[int] = ()) -> NDArray[np.intp]:
    """The rows of the k largest scores, largest first, equal ones in the order of rows.

    A row among the best k lies in one of the k blocks with the largest maxima, so only those are sorted.
    The scores of `without` are overwritten.
    """
    for row in without:
        if row < len(scores):
            scores[row] = -np.inf
    if k < 1:
        raise ConfigError("k must be at least 1; got {k}.", k=k)
    whole = len(scores) // BLOCK * BLOCK
    candidates = np.arange(len(scores))
    if whole // BLOCK > k:
        maxima = scores[:whole].reshape(-1, BLOCK).max(axis=1)
        blocks = np.sort(np.argsort(-maxima, kind="stable")[:k])
        inside = (blocks[:, None] * BLOCK + np.arange(BLOCK)).ravel()
        candidates = np.concatenate([inside, np.arange(whole, len(scores))])
    values = scores[candidates]
    if len(candidates) > k:
        kth = np.partition(values, len(values) - k)[len(values) - k]
        kept = values >= kth
        candidates, values = candidates[kept], values[kept]
    order = np.argsort(-values, kind="stable")[:k]
    best = candidates[order]
    return best[np.isfinite(values[order])]


def batch_neighbours(
    vectors: WordVectors, rows: Sequence[int] | NDArray[np.intp], k: int, *, first: int | None = None
) -> NDArray[np.intp]:
    """The k nearest rows of each of N words by cosine, itself left out: (N, k'), k' = k or all others."""
    rows = np.asarray(rows, dtype=np.intp)
    count = counted(vectors, first)
    columns = vectors.columns[:, :count]
    k = min(k, count - 1)
    closest = np.empty((len(rows), k), dtype=np.intp)
    step = max(1, BATCH_BYTES // (4 * count))
    for begin in range(0, len(rows), step):
        taken = rows[begin : begin + step]
        scores = vectors.unit_rows(taken) @ columns
        for at, row in enumerate(taken):
            best = best_rows(scores[at], k, [row] if row < count else [])
            closest[begin + at] = best[:k]
    return closest


def as_neighbours(
    vectors: WordVectors, rows: NDArray[np.intp], scores: NDArray[np.float64]
) -> list[Neighbour]:
    words = vectors.words
    return [Neighbour(words[row], float(score), int(row)) for row, score in zip(rows, scores, strict=True)]


def counted(vectors: WordVectors, first: int | None) -> int:
    """Number of words that a query looks at: all, or the first so many; ConfigError below 1."""
    if first is None:
        return len(vectors.vocabulary)
    if first < 1:
        raise ConfigError("The number of words to search must be at least 1; got {first}.", first=first)
    return min(first, len(vectors.vocabulary))
