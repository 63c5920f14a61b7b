"""A question with a passage as windows of tokens that a pretrained encoder can take.

A passage that is too long is cut into windows that overlap. Every token keeps its character
offsets in the passage as it was given, whatever the tokenizer's normaliser does to the letters.
Knows neither torch nor a model.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, ModelError
from tl_core.text.tokens import Encoded, encodings

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Offsets = NDArray[np.int64]
METASPACE = "▁"
JOINER = "\u200d"  # makes one emoji of two


@dataclass(frozen=True, slots=True)
class TokenisedText:
    """A text as N tokens without special ones: ids, and where each stands, (N, 2) characters."""

    ids: list[int]
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class PairForm:
    """Form in which a tokenizer joins two texts: special ids before, between and after, and all type ids."""

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    types_before: tuple[int, ...]
    types_between: tuple[int, ...]
    types_after: tuple[int, ...]
    type_question: int
    type_passage: int

    @property
    def special(self) -> int:
        """Number of special tokens that a pair takes."""
        return len(self.before) + len(self.between) + len(self.after)


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the encoder: T tokens, of which `count` from `first` on are the passage's.

    They are the passage's tokens `at` to `at + count`. Position `null` stands for 'no answer'.
    """

    encoded: Encoded
    first: int
    count: int
    at: int
    null: int


def tokenise(tokenizer: Tokenizer, texts: Sequence[str]) -> list[TokenisedText]:
    """Each text as its tokens. A lone metaspace, which tokenizers place on the next letter, covers none."""
    encoded = encodings(tokenizer, texts, special_tokens=False, with_offsets=True)
    return [TokenisedText(encoding.ids, _offsets(encoding)) for encoding in encoded]


def _offsets(encoding: Encoding) -> Offsets:
    offsets = np.array(encoding.offsets, dtype=np.int64).reshape(-1, 2)
    for at, token in enumerate(encoding.tokens):
        if token == METASPACE:
            offsets[at, 1] = offsets[at, 0]
    return offsets


def pair_form(tokenizer: Tokenizer) -> PairForm:
    """The pair template of a tokenizer; ModelError if it has no special token to mean 'no answer'."""
    pair = tokenizer.encode("a", "a")
    sides = pair.sequence_ids
    first = [at for at, side in enumerate(sides) if side == 0]
    second = [at for at, side in enumerate(sides) if side == 1]
    if not first or not second or len(sides) == len(first) + len(second):
        raise ModelError(
            "This model's tokenizer puts no special tokens around a question and a passage, so it cannot "
            "read. Choose a BERT-like encoder."
        )
    ids, types = tuple(pair.ids), tuple(pair.type_ids)
    end, begin, behind = first[-1] + 1, second[0], second[-1] + 1
    return PairForm(
        before=ids[: first[0]],
        between=ids[end:begin],
        after=ids[behind:],
        types_before=types[: first[0]],
        types_between=types[end:begin],
        types_after=types[behind:],
        type_question=types[first[0]],
        type_passage=types[begin],
    )


def room_for_passage(form: PairForm, question: TokenisedText, max_tokens: int) -> int:
    """Number of passage tokens that fit beside the question."""
    return max_tokens - form.special - len(question)


def check_question(form: PairForm, question: TokenisedText, max_tokens: int, overlap: int) -> None:
    """DataError if the question leaves no room for a window that moves on."""
    most = max_tokens - form.special - overlap - 1
    if len(question) > most:
        raise DataError(
            "The question has {question} tokens; at most {most} fit beside the passage in a window of "
            "{max_tokens}. Ask a shorter question.",
            question=len(question),
            most=most,
            max_tokens=max_tokens,
        )


def windows(
    form: PairForm, question: TokenisedText, passage: TokenisedText, *, max_tokens: int, overlap: int
) -> Iterator[Window]:
    """Windows over the whole passage; two neighbours share `overlap` passage tokens."""
    room = room_for_passage(form, question, max_tokens)
    step = room - overlap
    at = 0
    while True:
        count = min(room, len(passage) - at)
        yield window(form, question, passage, at, count)
        if at + count >= len(passage):
            return
        at += step


def window(form: PairForm, question: TokenisedText, passage: TokenisedText, at: int, count: int) -> Window:
    """The window of passage tokens `at` to `at + count`."""
    shown = passage.ids[at : at + count]
    ids = [*form.before, *question.ids, *form.between, *shown, *form.after]
    types = [*form.types_before, *[form.type_question] * len(question), *form.types_between]
    types += [*[form.type_passage] * count, *form.types_after]
    first = len(form.before) + len(question) + len(form.between)
    null = 0 if form.before else len(ids) - 1  # XLNet has its [CLS] at the end
    return Window(Encoded(ids, types), first, count, at, null)


def cut(text: TokenisedText, most: int) -> TokenisedText:
    """The first `most` tokens."""
    return text if len(text) <= most else TokenisedText(text.ids[:most], text.offsets[:most])


def span_tokens(passage: TokenisedText, start: int, end: int) -> tuple[int, int] | None:
    """First and last token that share characters with `start` to `end`; None if none does."""
    touching = np.flatnonzero((passage.offsets[:, 0] < end) & (passage.offsets[:, 1] > start))
    return (int(touching[0]), int(touching[-1])) if len(touching) else None


def span_characters(text: str, passage: TokenisedText, first: int, last: int) -> tuple[int, int]:
    """Characters of the tokens `first` to `last` in the text, without white space at their ends.

    A letter that is written in several characters is never torn, whichever of them the normaliser
    dropped and wherever a token ends.
    """
    start = int(passage.offsets[first : last + 1, 0].min())
    end = int(passage.offsets[first : last + 1, 1].max())
    while start < end < len(text) and _belongs_to_before(text, end):
        end += 1
    while 0 < start < end and _belongs_to_before(text, start):
        start -= 1
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _belongs_to_before(text: str, at: int) -> bool:
    """Whether this character is a part of the letter before it.

    A combining mark, a joiner and what it joins, a skin tone, a narrow katakana's voicing mark, and
    of a Hangul syllable in parts the vowel and the final consonant. (Combining classes do not tell:
    Thai vowel signs have class 0.)
    """
    character = text[at]
    return (
        unicodedata.category(character).startswith("M")
        or JOINER in (character, text[at - 1])
        or "\u1160" <= character <= "\u11ff"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or character in "\uff9e\uff9f"
    )
