"""Formulas over words, as the course writes them: `king - man + 1.3 * woman`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError
from tl_core.vectors.space import WordVectors
from tl_core.vectors.vocabulary import Vocabulary

NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+")
QUOTED = re.compile(r"[\"“”]([^\"“”]+)[\"“”]")
OPERATOR = re.compile(r"[+\-*−–]")
OPERATORS = ("+", "-", "*")
MOST_TERMS = 50
MOST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Term:
    """A word and what it is multiplied by."""

    weight: float
    word: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A weighted sum of words, in the order they were written."""

    terms: tuple[Term, ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.word for term in self.terms))

    def __str__(self) -> str:
        parts = []
        for at, term in enumerate(self.terms):
            sign = "-" if term.weight < 0 else "+"
            size = "" if abs(term.weight) == 1 else f"{abs(term.weight):g} * "
            parts.append(f"{sign + ' ' if at or term.weight < 0 else ''}{size}{term.word}")
        return " ".join(parts)


def analogy_formula(a: str, b: str, c: str) -> Formula:
    """a is to b as c is to ?: b - a + c."""
    return Formula((Term(1.0, b), Term(-1.0, a), Term(1.0, c)))


def parse_formula(text: str, vocabulary: Vocabulary) -> Formula:
    """The weighted sum that a text spells; ConfigError with the place if it does not, UnknownWord.

    Words may hold hyphens, dots and apostrophes: a run of characters without a space is one word if
    the vocabulary has it, and is cut at its operators only if not. Quotes keep a run whole.
    """
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(
            "A formula may have at most {most_characters:,} characters; got {text:,}.",
            most_characters=MOST_CHARACTERS,
            text=len(text),
        )
    pieces = _pieces(text, vocabulary)
    if not pieces:
        raise ConfigError("Write a formula over words, such as: king - man + woman")
    terms: list[Term] = []
    at = 0
    while at < len(pieces):
        sign = 1.0
        signed = False
        while at < len(pieces) and pieces[at] in ("+", "-"):
            sign *= -1.0 if pieces[at] == "-" else 1.0
            signed, at = True, at + 1
        if terms and not signed:
            raise ConfigError(
                "'{pieces}' follows '{word}' without + or - between them.",
                pieces=pieces[at],
                word=terms[-1].word,
            )
        weight = 1.0
        if at + 1 < len(pieces) and pieces[at + 1] == "*":
            if NUMBER.fullmatch(pieces[at]) is None:
                raise ConfigError(
                    "The number stands before the star, as in 1.3 * woman; got '{pieces}'.", pieces=pieces[at]
                )
            weight, at = float(pieces[at]), at + 2
        if at >= len(pieces) or pieces[at] in OPERATORS:
            after = f" after '{pieces[at - 1]}'" if at else ""
            raise ConfigError("A word is missing{after} in: {text}", after=after, text=text.strip())
        word = pieces[at].removeprefix('"')
        terms.append(Term(sign * weight, vocabulary.words[vocabulary.row(word)]))
        at += 1
    if len(terms) > MOST_TERMS:
        raise ConfigError(
            "A formula may have at most {most_terms} words; this one has {terms}.",
            most_terms=MOST_TERMS,
            terms=len(terms),
        )
    return Formula(tuple(terms))


def evaluate_formula(formula: Formula, vectors: WordVectors, *, raw: bool = False) -> NDArray[np.float32]:
    """The weighted sum of the words' vectors: (D,), of those at length one or, if `raw`, as they came."""
    rows = [vectors.vocabulary.row(term.word) for term in formula.terms]
    weights = np.array([term.weight for term in formula.terms], dtype=np.float32)
    table = np.asarray(vectors.rows[rows], dtype=np.float32) if raw else vectors.unit_rows(rows)
    vector: NDArray[np.float32] = weights @ table
    return vector


def mean_of(words: Sequence[str], vectors: WordVectors) -> NDArray[np.float32]:
    """The mean of the words' vectors at length one: (D,)."""
    rows = [vectors.vocabulary.row(word) for word in words]
    mean: NDArray[np.float32] = vectors.unit_rows(rows).mean(axis=0)
    return mean


def _pieces(text: str, vocabulary: Vocabulary) -> list[str]:
    """Numbers, words and operators in order; a quoted word keeps its opening quote."""
    pieces: list[str] = []
    for at, part in enumerate(QUOTED.split(text)):
        if at % 2:
            pieces.append(f'"{part.strip()}')
            continue
        for run in part.replace("×", "*").split():
            pieces.extend([run] if run in vocabulary and run not in OPERATORS else _cut(run, vocabulary))
    return pieces


def _cut(run: str, vocabulary: Vocabulary) -> list[str]:
    """A run that is no word: cut at every operator; known words with hyphens inside stay whole."""
    pieces: list[str] = []
    rest = run
    while rest:
        end = next((at for at in range(len(rest), 0, -1) if _whole(rest, at, vocabulary)), 0)
        if end:
            pieces.append(rest[:end])
        else:
            operator = OPERATOR.search(rest)
            end = operator.start() if operator and operator.start() else 1 if operator else len(rest)
            pieces.append(rest[:end])
        rest = rest[end:]
    return ["-" if piece in ("−", "–") else piece for piece in pieces]


def _whole(text: str, end: int, vocabulary: Vocabulary) -> bool:
    """Whether text[:end] is a word or a number that ends where an operator or nothing follows."""
    piece = text[:end]
    if piece[0] in "+-*−–" or (end < len(text) and OPERATOR.match(text[end]) is None):
        return False
    return NUMBER.fullmatch(piece) is not None or piece in vocabulary
