"""A text, or a pair of texts, as the tokens that an encoder reads, each with its word and its place.

What is longer than the encoder takes is cut into parts that follow one another, between words where
that is possible; of a pair only the second text is cut. Knows neither torch nor a model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.text.places import Places, Spans, plain_words, words_of
from tl_core.text.tokens import Encoded, unknown_id
from tl_core.text.windows import PairForm, TokenisedText, Window, pair_form, tokenise, window

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = -1  # the side of a token that no text holds


@dataclass(frozen=True, slots=True)
class InputWord:
    """Characters `start` to `end` of one of the texts: side 0 is the text, side 1 its pair."""

    text: str
    start: int
    end: int
    side: int


@dataclass(frozen=True, slots=True, eq=False)
class ModelInput:
    """T tokens of a text or a pair, and the W words they make; part `number` of `parts`, from 0.

    `tokens` are as the tokenizer spells them; `offsets` (T, 2) their characters in their own text;
    `sides` (T,) 0, 1, or SPECIAL; `word_of` (T,) the number of each token's word, -1 for special tokens
    and those that hold white space alone. `unknown` is how many tokens of the texts the vocabulary lacks;
    `texts` are the whole text and its pair.
    """

    encoded: Encoded
    tokens: tuple[str, ...]
    offsets: NDArray[np.int64]
    sides: Places
    word_of: Places
    words: tuple[InputWord, ...]
    unknown: int
    number: int
    parts: int
    texts: tuple[str, str] = ("", "")

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def is_pair(self) -> bool:
        return bool((self.sides == 1).any())

    @property
    def unknown_share(self) -> float:
        """Share of the texts' own tokens that the vocabulary lacks, 0 to 1."""
        own = int((self.sides != SPECIAL).sum())
        return self.unknown / own if own else 0.0

    @property
    def tokens_per_word(self) -> float:
        """Tokens per word on average; many mean that the vocabulary does not know its language."""
        return float((self.word_of >= 0).sum()) / max(1, len(self.words))


class ModelInputs:
    """The parts of a text or a pair, each a `ModelInput` of at most `max_tokens` tokens.

    DataError if there is nothing to read, or a pair's first text leaves no room for the second;
    ModelError if the tokenizer joins no pairs.
    """

    def __init__(self, tokenizer: Tokenizer, text: str, pair: str = "", *, max_tokens: int) -> None:
        self._tokenizer, self._texts = tokenizer, (text, pair)
        self._form = pair_form(tokenizer) if pair.strip() else _single_form(tokenizer)
        first, second = tokenise(tokenizer, [text, pair])
        self._fixed, self._read = (first, second) if pair.strip() else (TokenisedText([], _NONE), first)
        self._side = 1 if pair.strip() else 0
        if not len(self._read) or (self._side and not len(first)):
            raise DataError(
                "There is nothing to read: the text has no letters that this encoder knows. Type some words."
            )
        room = max_tokens - self._form.special - len(self._fixed)
        if room < max(1, (max_tokens - self._form.special) // 3):
            raise DataError(
                "The first text has {first:,} tokens; beside a second one at most "
                "{max_tokens:,} fit. Shorten it.",
                first=len(first),
                max_tokens=2 * (max_tokens - self._form.special) // 3,
            )
        self._borders = _borders(self._texts[self._side], self._read, room)

    def __len__(self) -> int:
        return len(self._borders) - 1

    def __getitem__(self, number: int) -> ModelInput:
        """Part `number`, from 0; IndexError beyond the last."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        begin, end = self._borders[number], self._borders[number + 1]
        made = window(self._form, self._fixed, self._read, begin, end - begin)
        read = (self._fixed, self._read) if self._side else (self._read,)
        return window_input(
            self._tokenizer, self._form, made, self._texts, read, number=number, parts=len(self)
        )


def window_input(
    tokenizer: Tokenizer,
    form: PairForm,
    made: Window,
    texts: tuple[str, str],
    read: Sequence[TokenisedText],
    *,
    words_at: Callable[[str], Spans] = plain_words,
    number: int = 0,
    parts: int = 1,
) -> ModelInput:
    """A window with its words. `read` are the tokens of one text or of two, the last of which was cut into windows.

    `words_at` says where the words of a text stand. `number` is that of the window among all `parts`.
    """
    count = len(made.encoded)
    offsets = np.zeros((count, 2), dtype=np.int64)
    sides = np.full(count, SPECIAL, dtype=np.int64)
    word_of = np.full(count, -1, dtype=np.int64)
    words: list[InputWord] = []
    inside = slice(made.at, made.at + made.count)
    held = [*(tokenised.offsets for tokenised in read[:-1]), read[-1].offsets[inside]]
    starts = (len(form.before), made.first)[-len(read) :]
    for side, (at, places) in enumerate(zip(starts, held, strict=True)):
        if not len(places):
            continue
        text, place = texts[side], slice(at, at + len(places))
        text_words, numbers = words_of(text, places, words_at(text))
        offsets[place], sides[place] = places, side
        word_of[place] = np.where(numbers >= 0, numbers + len(words), -1)
        words += [InputWord(word.text, word.start, word.end, side) for word in text_words]
    unknown, own = unknown_id(tokenizer), np.array(made.encoded.ids)[sides != SPECIAL]
    return ModelInput(
        encoded=made.encoded,
        tokens=tuple(str(tokenizer.id_to_token(token_id)) for token_id in made.encoded.ids),
        offsets=offsets,
        sides=sides,
        word_of=word_of,
        words=tuple(words),
        unknown=0 if unknown is None else int((own == unknown).sum()),
        number=number,
        parts=parts,
        texts=texts,
    )


_NONE = np.zeros((0, 2), dtype=np.int64)


def _single_form(tokenizer: Tokenizer) -> PairForm:
    """The tokens that a tokenizer puts around one text, as the form of a pair whose first text is empty."""
    single = tokenizer.encode("a")
    own = [at for at, special in enumerate(single.special_tokens_mask) if not special]
    first, behind = own[0], own[-1] + 1
    ids, types = tuple(single.ids), tuple(single.type_ids)
    return PairForm(
        ids[:first], (), ids[behind:], types[:first], (), types[behind:], types[first], types[first]
    )


def _borders(text: str, read: TokenisedText, room: int) -> list[int]:
    """Beginnings of the parts of a text, and its end: at the start of a word in the last quarter of the room, if any."""
    starts = np.isin(read.offsets[:, 0], plain_words(text)[:, 0])
    # A token of SentencePiece begins at the blank before its word.
    starts |= np.array(
        [begin < len(text) and text[begin].isspace() for begin in read.offsets[:, 0].tolist()], dtype=bool
    )
    borders = [0]
    while len(read) - borders[-1] > room:
        end = borders[-1] + room
        good = np.flatnonzero(starts[end - room // 4 : end + 1])
        borders.append(end - room // 4 + int(good[-1]) if len(good) else end)
    return [*borders, len(read)]
