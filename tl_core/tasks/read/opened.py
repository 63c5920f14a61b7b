"""A window opened up for looking into: its words, which tokens are theirs, where the answer stands.

Shapes: Q and P words of the question and of the passage's part in the window, n passage tokens,
T tokens in all. A word is what stands between white space; one without a token is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.load import Encoder
from tl_core.tasks.read.network import make_batch
from tl_core.tasks.read.reader import Reader
from tl_core.text.windows import Offsets, TokenisedText, Window, span_characters

if TYPE_CHECKING:
    import torch

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
class OpenWindow:
    """A window with its words and the answer in it; positions are those of its T tokens.

    `read` are its n passage tokens with their offsets in the whole passage. `question_of` and
    `passage_of` are (T,): the number of each token's word, -1 for none. `answer` is the first and
    the last position of the answer.
    """

    window: Window
    passage: str
    read: TokenisedText
    question_words: tuple[Place, ...]
    question_of: Places
    passage_words: tuple[Place, ...]
    passage_of: Places
    answer: tuple[int, int]

    def text_of(self, first: int, last: int) -> str:
        """What the passage tokens `first` to `last` spell; nothing if they are crossed."""
        if last < first:
            return ""
        start, end = span_characters(self.passage, self.read, first, last)
        return self.passage[start:end]


def window_inputs(reader: Reader, opened: OpenWindow) -> dict[str, torch.Tensor]:
    """The one window as a batch: nothing is padded, so positions stay."""
    device = next(reader.network.parameters()).device
    return make_batch(reader.encoder, [opened.window], device).inputs


def base_model(encoder: Encoder) -> Any:
    from peft import PeftModel

    model = encoder.model
    return model.get_base_model() if isinstance(model, PeftModel) else model


def words_of(text: str, offsets: Offsets) -> tuple[tuple[Place, ...], Places]:
    """The words that tokens at these offsets, (n, 2), belong to, and the number of each token's word.

    A token of no characters (a lone metaspace) belongs to the word that begins where it stands.
    """
    spans = np.array([each.span() for each in WORD.finditer(text)], dtype=np.int64).reshape(-1, 2)
    at = np.searchsorted(spans[:, 1], offsets[:, 0], side="right")  # the first word that ends behind
    begins = np.append(spans[:, 0], len(text) + 1)[at]
    at[begins >= np.maximum(offsets[:, 1], offsets[:, 0] + 1)] = -1
    used, number = np.unique(at[at >= 0], return_inverse=True)
    word_of = np.full(len(at), -1, dtype=np.int64)
    word_of[at >= 0] = number
    return tuple(Place(text[start:end], int(start), int(end)) for start, end in spans[used]), word_of


def placed(word_of: Places, first: int, length: int) -> Places:
    """The numbers of words moved to their positions among all T tokens: (T,)."""
    placed = np.full(length, -1, dtype=np.int64)
    placed[first : first + len(word_of)] = word_of
    return placed


def members(word_of: Places, words: int) -> Numbers:
    """Which token belongs to which word: (words, T), 0 or 1."""
    members: Numbers = (word_of == np.arange(words)[:, None]).astype(np.float64)
    return members
