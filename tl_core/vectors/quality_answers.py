"""Words that answer many analogy questions, over blocks of words that stay in the processor's cache.

Letters: Q questions, W words of a block, P different pairs (a, b) and R different words c among the questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_core.training.events import Progress, Training
from tl_core.vectors.analogy import EPSILON
from tl_core.vectors.space import WordVectors

AnalogyMethod = Literal["add", "mul"]
Rows = NDArray[np.intp]
Scores = NDArray[np.float32]
QUESTIONS, BLOCK = 1_024, 512  # 2 MB of scores at once


def answer_events(
    vectors: WordVectors, asked: Rows, *, count: int, include_inputs: bool, method: AnalogyMethod
) -> Training[Rows]:
    """The row among the first `count` that answers each question: (Q,) from rows a, b, c: (Q, 3).

    An input is no answer, nor is any form of it in upper or lower case, unless inputs are included; -1 where
    no word is left. Of equal ones the first row answers. Yields Progress in questions.
    """
    forms = {} if include_inputs else _forms(vectors.words[:count], asked)
    answers = np.empty(len(asked), dtype=np.intp)
    for begin in range(0, len(asked), QUESTIONS):
        part = asked[begin : begin + QUESTIONS]
        answers[begin : begin + len(part)] = _answers(vectors, part, count, forms, method)
        yield Progress(begin + len(part), len(asked))
    return answers


def _forms(words: Sequence[str], asked: Rows) -> dict[int, list[int]]:
    """For each row asked with, the rows of all forms of its word (king, King, KING), itself among them."""
    named = {int(row): words[row].upper() for row in np.unique(asked)}
    rows: dict[str, list[int]] = {word: [] for word in named.values()}
    for row, word in enumerate(words):
        if (same := rows.get(word.upper())) is not None:
            same.append(row)
    return {row: rows[word] for row, word in named.items()}


def _answers(
    vectors: WordVectors, asked: Rows, count: int, forms: dict[int, list[int]], method: AnalogyMethod
) -> Rows:
    """The best rows: (Q,). What is best so far is kept from block to block."""
    score = _scorer(vectors, asked, method)
    question, taken = _taken(asked, forms)
    best = np.full(len(asked), -np.inf, dtype=np.float32)
    answers = np.full(len(asked), -1, dtype=np.intp)
    everyone = np.arange(len(asked))
    for begin in range(0, count, BLOCK):
        end = min(begin + BLOCK, count)
        scores = score(np.asarray(vectors.columns[:, begin:end]))
        inside = slice(*np.searchsorted(taken, (begin, end)))
        scores[question[inside], taken[inside] - begin] = -np.inf
        at = scores.argmax(axis=1)
        highest = scores[everyone, at]
        better = highest > best
        best[better] = highest[better]
        answers[better] = begin + at[better]
    return answers


def _scorer(vectors: WordVectors, asked: Rows, method: AnalogyMethod) -> Callable[[Scores], Scores]:
    """From columns (D, W) to the scores of their words for every question: (Q, W).

    Many questions share a pair and a word c, so cosines are computed once for each of those; a
    question's scores are two rows of these added or multiplied, whatever the width of the vectors.
    """
    pairs, pair_of = np.unique(asked[:, :2], axis=0, return_inverse=True)
    thirds, third_of = np.unique(asked[:, 2], return_inverse=True)
    a, b, c = (vectors.unit_rows(rows) for rows in (pairs[:, 0], pairs[:, 1], thirds))
    differences: Scores = b - a

    def add(columns: Scores) -> Scores:
        scores: Scores = np.take(differences @ columns, pair_of, axis=0)  # (P, W) -> (Q, W)
        scores += np.take(c @ columns, third_of, axis=0)  # (R, W) -> (Q, W)
        return scores

    def multiply(columns: Scores) -> Scores:
        ratio = _shifted(b @ columns) / (_shifted(a @ columns) + np.float32(EPSILON))
        scores: Scores = np.take(ratio, pair_of, axis=0)
        scores *= np.take(_shifted(c @ columns), third_of, axis=0)
        return scores

    return add if method == "add" else multiply


def _shifted(cosines: Scores) -> Scores:
    """Cosines moved from -1..1 to 0..1 (Levy & Goldberg 2014, footnote 7)."""
    cosines += 1
    cosines /= 2
    return cosines


def _taken(asked: Rows, forms: dict[int, list[int]]) -> tuple[Rows, Rows]:
    """Rows that are no answer to a question: question numbers and rows, in the order of rows."""
    pairs = [
        (form, at)
        for at, rows in enumerate(asked.tolist())
        for row in set(rows)
        for form in forms.get(row, ())
    ]
    table = np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)
    return table[:, 1], table[:, 0]
