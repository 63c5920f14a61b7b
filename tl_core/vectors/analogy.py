"""Words that a formula over words points at: 3CosAdd, 3CosMul, pair direction, or Euclidean distance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError
from tl_core.vectors.formula import Formula, evaluate_formula
from tl_core.vectors.search import (
    Neighbour,
    as_neighbours,
    best_rows,
    cosine_scores,
    counted,
    nearest,
)
from tl_core.vectors.space import WordVectors

Method = Literal["add", "mul", "pair", "euclidean"]
METHODS: dict[Method, str] = {
    "add": "3CosAdd: cosine to the sum of vectors at length one",
    "mul": "3CosMul: cosines multiplied and divided",
    "pair": "Pair direction: cosine between the two differences",
    "euclidean": "Euclidean distance to the sum of vectors as they came",
}
EPSILON = 1e-6  # as gensim and Levy & Goldberg take it


def solve(
    vectors: WordVectors,
    formula: Formula,
    k: int = 10,
    *,
    method: Method = "add",
    first: int | None = None,
    include_inputs: bool = False,
) -> list[Neighbour]:
    """The k best answers to a formula, best first; the formula's own words only if they are included.

    - add (Mikolov et al. 2013): cosine to the weighted sum of vectors at length one.
    - mul (Levy & Goldberg 2014, eq. 4): (1 + cosine) / 2 of each word, to the power of its weight, multiplied.
    - pair (PairDirection, ibid. eq. 2): for a formula b - a + c, cosine of (answer - c) with (b - a), vectors
      at length one.
    - euclidean: distance to the weighted sum of vectors as they came; smaller is nearer.
    """
    inputs = [vectors.vocabulary.row(word) for word in formula.words]
    without = [] if include_inputs else inputs
    if method == "add":
        return nearest(vectors, evaluate_formula(formula, vectors), k, first=first, without=without)
    if method == "euclidean":
        target = evaluate_formula(formula, vectors, raw=True)
        return nearest(vectors, target, k, metric="euclidean", first=first, without=without)
    if method not in ("mul", "pair"):
        raise ConfigError(
            "method must be one of {methods}; got {method!r}.", methods=", ".join(METHODS), method=method
        )
    scores = (_multiplied if method == "mul" else _paired)(vectors, formula, first)
    rows = best_rows(scores, k, without)
    return as_neighbours(vectors, rows, scores[rows].astype(np.float64))


def pair_of(formula: Formula) -> tuple[str, str, str]:
    """(a, b, c) of a formula b - a + c; ConfigError for any other form."""
    towards = [term.word for term in formula.terms if term.weight == 1]
    away = [term.word for term in formula.terms if term.weight == -1]
    if len(towards) != 2 or len(away) != 1 or len(formula.terms) != 3:
        raise ConfigError(
            "The pair direction needs a formula b - a + c with no numbers, such as king - man + woman; got {formula}.",
            formula=formula,
        )
    return away[0], towards[0], towards[1]


def _multiplied(vectors: WordVectors, formula: Formula, first: int | None) -> NDArray[np.float32]:
    count = counted(vectors, first)
    above, below = np.ones(count, dtype=np.float32), np.ones(count, dtype=np.float32)
    for term in formula.terms:
        shifted = (1 + cosine_scores(vectors, vectors.unit(term.word), first=first)) / 2
        powered = shifted if abs(term.weight) == 1 else np.maximum(shifted, 0) ** abs(term.weight)
        if term.weight >= 0:
            above *= powered
        else:
            below *= powered
    return above / (below + np.float32(EPSILON))


def _paired(vectors: WordVectors, formula: Formula, first: int | None) -> NDArray[np.float32]:
    a, b, c = (vectors.unit(word) for word in pair_of(formula))
    direction = b - a
    size = float(np.linalg.norm(direction))
    if size == 0:
        raise ConfigError(
            "{formula}: the two words of the pair have the same vector, so there is no direction.",
            formula=formula,
        )
    count = counted(vectors, first)
    towards = cosine_scores(vectors, direction, first=first) - float(c @ direction) / size
    apart = np.sqrt(np.maximum(0, 2 - 2 * (c @ vectors.columns[:, :count])))
    return np.where(apart > 1e-3, towards / np.maximum(apart, 1e-3), -1).astype(np.float32)
