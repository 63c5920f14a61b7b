"""Words that moved when a training went on from given vectors, and whom they stand beside now.

Both tables are of the same words in the same space, since one began as the other: nothing is turned
onto anything (`alignment` is for two trainings of their own). Letters: V words, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError, DataError
from tl_core.vectors.search import Neighbour, best_rows
from tl_core.vectors.space import CHUNK_ROWS

Table = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MovedWord:
    """A word, its cosine distance (0 to 2) between the tables, and its nearest words by cosine, nearest first."""

    word: str
    row: int
    distance: float
    before: tuple[Neighbour, ...]
    after: tuple[Neighbour, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """`distances` (V,) of all words: NaN where a vector is zero and has no direction; `most` the words that moved most."""

    distances: NDArray[np.float64]
    most: tuple[MovedWord, ...]

    @property
    def moved(self) -> int:
        """Number of words that moved at all."""
        return int((self.distances > 0).sum())


def find_movement(
    words: Sequence[str],
    before: Table,
    after: Table,
    *,
    most: int = 20,
    k: int = 10,
) -> Movement:
    """Distance that each word moved between two tables (V, D), and the `most` that moved farthest, farthest first.

    A word that a training saw once can be thrown anywhere, so give frequent words alone. Neighbours are searched
    among all V words. Words that did not move are never listed. DataError if the tables do not fit each other.
    """
    _check(words, before, after)
    if most < 1 or k < 1:
        raise ConfigError("most and k must be at least 1; got {most} and {k}.", most=most, k=k)
    lengths = np.linalg.norm(before, axis=1), np.linalg.norm(after, axis=1)
    distances = _distances(before, after, lengths)
    rows = np.flatnonzero(distances > 0)  # NaN is not
    rows = rows[np.argsort(-distances[rows], kind="stable")][:most]
    moved = tuple(
        MovedWord(
            words[row],
            row,
            float(distances[row]),
            _neighbours(words, before, lengths[0], row, k),
            _neighbours(words, after, lengths[1], row, k),
        )
        for row in rows.tolist()
    )
    return Movement(distances, moved)


def _distances(
    before: Table, after: Table, lengths: tuple[NDArray[Any], NDArray[Any]]
) -> NDArray[np.float64]:
    """1 - cosine of each pair of rows: (V,), as half the squared distance at length one, exact near 0."""
    distances = np.full(len(before), np.nan)
    for start in range(0, len(before), CHUNK_ROWS):
        at = slice(start, start + CHUNK_ROWS)
        long = (lengths[0][at] > 0) & (lengths[1][at] > 0)
        one, other = (
            table[at][long].astype(np.float64) / length[at][long, None].astype(np.float64)
            for table, length in zip((before, after), lengths, strict=True)
        )
        distances[at][long] = np.clip(((one - other) ** 2).sum(axis=1) / 2, 0, 2)
    return distances


def _neighbours(
    words: Sequence[str], table: Table, lengths: NDArray[Any], row: int, k: int
) -> tuple[Neighbour, ...]:
    cosines = (table @ (table[row] / lengths[row]) / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    rows = best_rows(cosines, k, [row])
    return tuple(Neighbour(words[neighbour], float(cosines[neighbour]), int(neighbour)) for neighbour in rows)


def _check(words: Sequence[str], before: Table, after: Table) -> None:
    if before.ndim != 2 or before.shape != after.shape:
        raise DataError(
            "The tables before and after must have the same shape; got {shape} and {other_shape}.",
            shape=before.shape,
            other_shape=after.shape,
        )
    if len(words) != len(before) or not len(words):
        raise DataError(
            "{words:,} words, but {before:,} vectors; there must be one vector a word.",
            words=len(words),
            before=len(before),
        )
    for name, table in (("before", before), ("after", after)):
        if not np.isfinite(table).all():
            raise DataError(
                "The vectors {name} hold numbers that are not finite: the training broke.", name=name
            )
