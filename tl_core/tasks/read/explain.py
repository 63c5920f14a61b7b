"""Why this answer: the scores around it, the windows, where attention goes, what the score hangs on.

All of it is about one window, the one that the answer came from. Shapes: Q and P words of the
question and of the passage's part in the window, n passage tokens, T tokens in all, L layers.
A word is what stands between white space; a word without any token in the window is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.text.windows import (
    Window,
)

if TYPE_CHECKING:
    pass

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]
WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Place:
    """Characters `start` to `end` of a text, and what stands there."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ShownSpan:
    """Passage tokens `first` to `last` of the window, their score and their text.

    Two argmaxes taken apart may be `crossed`, the end before the start; such a span has no text.
    """

    first: int
    last: int
    score: float
    text: str

    @property
    def crossed(self) -> bool:
        return self.last < self.first


@dataclass(frozen=True, slots=True)
class WordScores:
    """How well an answer may start or end at each word, (P,), and at each token, (n,).

    A token's start score is its start logit less half the null score (the sum of both logits at
    the null position), its end score likewise: so the start score of a span's first token and the
    end score of its last one add up to the span's score. A word has the best score of its tokens.
    `word_of` is (n,): the number of each token's word, -1 for none.
    """

    start: Numbers
    end: Numbers
    tokens: tuple[Place, ...]
    token_start: Numbers
    token_end: Numbers
    word_of: Places
    joint: ShownSpan
    separate: ShownSpan


@dataclass(frozen=True, slots=True)
class WindowRange:
    """A window over characters `start` to `end` of the passage, and the score of its best span."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class QuestionAttention:
    """Attention between words in each layer, the mean over heads; every row sums to one.

    `to_passage` is (L, Q, P), `to_question` (L, P, Q); `answer_to_passage` (L, P) and
    `answer_to_question` (L, Q) are the answer's rows. A word receives the sum of what its tokens
    receive and gives the mean of what they give (Clark et al. 2019, section 4.1); special tokens are
    left out and the rows made to sum to one again.
    """

    to_passage: Numbers
    to_question: Numbers
    answer_to_passage: Numbers
    answer_to_question: Numbers


@dataclass(frozen=True, slots=True)
class Shading:
    """How much each word holds the answer's score up (above 0) or down: (Q,) and (P,), largest 1.

    Times `scale` they are sums of gradient x input in logits.
    """

    question: Numbers
    passage: Numbers
    scale: float


@dataclass(frozen=True, slots=True)
class OpenWindow:
    """A window with its words. `question_of` is (tokens of the question,) and `passage_of` (n,): the number of each
    token's word, -1 for none. `answer` is the answer's first and last passage token.
    """

    window: Window
    question_words: tuple[Place, ...]
    question_of: Places
    passage_words: tuple[Place, ...]
    passage_of: Places
    answer: tuple[int, int]

    def question_members(self) -> Numbers:
        """Which tokens are of which word of the question: (Q, T), 0 or 1."""
        first = self.window.first - len(self.question_of) - self._between
        return _members(self.question_of, first, len(self.question_words), len(self.window.encoded))
