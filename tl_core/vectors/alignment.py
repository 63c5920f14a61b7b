"""Two sets of word vectors compared: one turned onto the other, and neighbours that agree.

Two trainings give axes that mean different things, so cosines between sets mean nothing until one set is
turned onto the other. Neighbours can be compared without that, and between different widths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError, DataError
from tl_core.vectors.projection import shared_share
from tl_core.vectors.search import batch_neighbours
from tl_core.vectors.space import WordVectors, make_vectors

FEWEST_SHARED = 2

Moved = list[tuple[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """N words that two sets spell alike, with their rows (N,) in each, in the first set's order."""

    words: tuple[str, ...]
    rows_a: NDArray[np.intp]
    rows_b: NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Set A turned onto set B over N shared words.

    `rotation` (D, D) is orthogonal: a row vector of A times it lies in the space of B. `moved` (N,) is each
    word's cosine distance between the sets after that, from 0 (same place) to 2.
    """

    words: tuple[str, ...]
    rows_a: NDArray[np.intp]
    rows_b: NDArray[np.intp]
    rotation: NDArray[np.float32]
    moved: NDArray[np.float64]
    notes: tuple[str, ...]

    def most_moved(self, k: int = 10) -> Moved:
        """The k words of largest cosine distance between the sets, the largest first."""
        return self._listed(np.argsort(-self.moved, kind="stable")[:k])

    def least_moved(self, k: int = 10) -> Moved:
        """The k words of smallest cosine distance between the sets, the smallest first."""
        return self._listed(np.argsort(self.moved, kind="stable")[:k])

    def _listed(self, at: NDArray[np.intp]) -> Moved:
        return [(self.words[row], float(self.moved[row])) for row in at]


def shared_words(a: WordVectors, b: WordVectors, *, first: int | None = None) -> Shared:
    """The words spelled alike in both sets, most frequent of A first, at most `first`; DataError below 2.

    A vector of zeros has no direction, so its word is left out.
    """
    if first is not None and first < FEWEST_SHARED:
        raise ConfigError(
            "At least {fewest_shared} shared words must be compared; got {first}.",
            fewest_shared=FEWEST_SHARED,
            first=first,
        )
    rows_of_b = dict(zip(b.words, range(len(b.words)), strict=True))
    pairs = [(row, rows_of_b[word]) for row, word in enumerate(a.words) if word in rows_of_b]
    rows = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    rows = rows[(a.lengths[rows[:, 0]] > 0) & (b.lengths[rows[:, 1]] > 0)][:first]
    if len(rows) < FEWEST_SHARED:
        raise DataError(
            "Words that {a} and {b} share: {rows}; a comparison needs at least {fewest_shared}. "
            "Words count as shared only if they are spelled alike, upper and lower case included.",
            a=a.name,
            b=b.name,
            rows=len(rows),
            fewest_shared=FEWEST_SHARED,
        )
    return Shared(tuple(a.words[row] for row in rows[:, 0]), rows[:, 0], rows[:, 1])


def align(a: WordVectors, b: WordVectors, *, first: int | None = None) -> Alignment:
    """A turned onto B by orthogonal Procrustes: the R of least ||A R - B|| over the shared words.

    Solved by one SVD (Schönemann 1966), on vectors at length one and without centring, as Hamilton et al.
    2016 (section 3.2) compare vectors of different decades: a rotation about the origin keeps every cosine
    within A as it was, which moving the origin would not. DataError if the widths differ.
    """
    from scipy.linalg import orthogonal_procrustes

    if a.width != b.width:
        raise DataError(
            "{a} has vectors of width {width}, {b} of width {other_width}; only equal widths can be "
            "turned onto one another. Compare the neighbours of shared words instead.",
            a=a.name,
            width=a.width,
            b=b.name,
            other_width=b.width,
        )
    shared = shared_words(a, b, first=first)
    ours, theirs = a.unit_rows(shared.rows_a), b.unit_rows(shared.rows_b)
    rotation = orthogonal_procrustes(ours, theirs)[0].astype(np.float32)
    cosines = np.einsum("nd,nd->n", ours @ rotation, theirs, dtype=np.float64)
    notes = []
    if len(shared.words) < a.width:
        notes.append(
            f"{len(shared.words)} shared words for {a.width} dimensions: a rotation can lay even unrelated "
            "sets almost onto one another, so small distances prove nothing here."
        )
    return Alignment(
        shared.words, shared.rows_a, shared.rows_b, rotation, np.clip(1 - cosines, 0, 2), tuple(notes)
    )


def overlaps(
    a: WordVectors,
    b: WordVectors,
    rows_a: Sequence[int] | NDArray[np.intp],
    rows_b: Sequence[int] | NDArray[np.intp],
    k: int = 10,
) -> NDArray[np.float64]:
    """The share of each shared word's k nearest words on which both sets agree: (N,); widths may differ.

    Row n of both lists is the same word; neighbours are searched by cosine among these N words alone, so
    chance agrees on k / (N - 1). With fewer than k others all are taken, and agree by necessity.
    """
    rows = np.arange(len(rows_a))
    names = [str(row) for row in rows]
    near_a = batch_neighbours(make_vectors(a.name, names, a.unit_rows(rows_a)), rows, k)
    near_b = batch_neighbours(make_vectors(b.name, names, b.unit_rows(rows_b)), rows, k)
    return shared_share(near_a, near_b)
