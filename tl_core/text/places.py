"""Words as places in a text, and which of a tokenizer's tokens belong to which word.

A word without any token is left out. Knows no tokenizer.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
Spans = NDArray[np.int64]
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` to `end` of a text, and what stands there."""

    text: str
    start: int
    end: int


def spaced_words(text: str) -> Spans:
    """Words as they stand between white space: (W, 2) characters."""
    return np.array([match.span() for match in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)


def plain_words(text: str) -> Spans:
    """Words between white space, each mark at their ends a word of its own: (W, 2) characters.

    `"Well-made," he said.` is `" Well-made , " he said .`; marks are punctuation and symbols.
    """
    spans: list[tuple[int, int]] = []
    for start, end in spaced_words(text).tolist():
        begin, behind = start, end
        while begin < behind and _is_mark(text[begin]):
            begin += 1
        while behind > begin and _is_mark(text[behind - 1]):
            behind -= 1
        spans += [(at, at + 1) for at in range(start, begin)]
        spans += [(begin, behind)] if begin < behind else []
        spans += [(at, at + 1) for at in range(behind, end)]
    return np.array(spans, dtype=np.int64).reshape(-1, 2)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def words_of(
    text: str, offsets: NDArray[np.int64], spans: Spans | None = None
) -> tuple[tuple[Place, ...], Places]:
    """The words that tokens at these offsets, (n, 2), belong to, and the number of each token's word.

    `spans` are the words of the text, what stands between white space unless others are given. A token
    belongs to the first word that ends behind its start; one of no characters (a lone metaspace) to the
    word that begins where it stands.
    """
    spans = spaced_words(text) if spans is None else spans
    at = np.searchsorted(spans[:, 1], offsets[:, 0], side="right")  # the first word that ends behind
    begins = np.append(spans[:, 0], len(text) + 1)[at]
    at[begins >= np.maximum(offsets[:, 1], offsets[:, 0] + 1)] = -1
    used, number = np.unique(at[at >= 0], return_inverse=True)
    word_of = np.full(len(at), -1, dtype=np.int64)
    word_of[at >= 0] = number
    return tuple(Place(text[start:end], int(start), int(end)) for start, end in spans[used]), word_of


def members(word_of: Places, words: int) -> Numbers:
    """Membership of tokens in words: (words, T), 0 or 1."""
    members: Numbers = (word_of == np.arange(words)[:, None]).astype(np.float64)
    return members
