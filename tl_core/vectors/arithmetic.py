"""Similarity, odd one out, an axis between two formulas, a direction projected away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError
from tl_core.vectors.formula import Formula, evaluate_formula, mean_of
from tl_core.vectors.search import Neighbour, as_neighbours, best_rows, cosine_scores, counted
from tl_core.vectors.space import WordVectors


@dataclass(frozen=True, slots=True)
class OddOneOut:
    """The word least like the mean of all, and each word's cosine to that mean, in the order given."""

    word: str
    cosines: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class OnAxis:
    """A word's place on an axis: the cosine of its vector with the axis, from -1 to 1."""

    word: str
    place: float


def similarity(vectors: WordVectors, one: str, other: str) -> float:
    """The cosine of two words' vectors, from -1 to 1; UnknownWord."""
    return float(vectors.unit(one) @ vectors.unit(other))


def odd_one_out(vectors: WordVectors, words: Sequence[str]) -> OddOneOut:
    """The word whose cosine to the mean of all is smallest (gensim's `doesnt_match`); at least three words."""
    different = list(dict.fromkeys(words))
    if len(different) < 3:
        raise ConfigError(
            "The odd one out needs at least three different words; got {different}.", different=len(different)
        )
    mean = mean_of(different, vectors)
    mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
    cosines = tuple((word, float(vectors.unit(word) @ mean)) for word in different)
    return OddOneOut(min(cosines, key=lambda pair: pair[1])[0], cosines)


def axis(vectors: WordVectors, towards: Formula) -> NDArray[np.float32]:
    """The direction of a formula such as right - left, at length one: (D,); ConfigError if it is zero."""
    direction = evaluate_formula(towards, vectors)
    length = float(np.linalg.norm(direction))
    if length < 1e-6:
        raise ConfigError(
            "{towards} is a vector of zeros, which points nowhere. Use two different words.", towards=towards
        )
    return direction / np.float32(length)


def place_on_axis(vectors: WordVectors, direction: NDArray[np.float32], words: Sequence[str]) -> list[OnAxis]:
    """Each word's cosine with a direction (D,) of length one, in the order given."""
    return [OnAxis(word, float(vectors.unit(word) @ direction)) for word in words]


def neighbours_without(
    vectors: WordVectors,
    word: str,
    direction: NDArray[np.float32],
    k: int = 10,
    *,
    first: int | None = None,
) -> list[Neighbour]:
    """The k nearest words by cosine after the direction (D,) is projected away from every vector.

    cos(u', v') with u' = u - (u.d) d (Bolukbasi et al. 2016, section 6: 'neutralise', here for all words).
    """
    row = vectors.vocabulary.row(word)
    count = counted(vectors, first)
    target = vectors.unit_row(row)
    along = float(target @ direction)
    rest = target - np.float32(along) * direction
    if float(np.linalg.norm(rest)) < 1e-6:
        raise ConfigError("Nothing of '{word}' is left once this direction is projected away.", word=word)
    others = direction @ vectors.columns[:, :count]
    left = np.sqrt(np.maximum(1e-12, 1 - others**2))
    scores = (cosine_scores(vectors, rest, first=first) / left).astype(np.float32)
    rows = best_rows(scores, k, [row])
    return as_neighbours(vectors, rows, scores[rows].astype(np.float64))
