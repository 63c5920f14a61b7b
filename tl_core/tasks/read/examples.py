"""What a reader learns from: one window of each question, and where in it the answer stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.data.reading import Answer, Question, ReadingSet, chosen_reference
from tl_core.encoders.load import Encoder
from tl_core.errors import DataError
from tl_core.text.windows import (
    TokenisedText,
    Window,
    cut,
    pair_form,
    room_for_passage,
    span_tokens,
    tokenise,
    window,
)

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SpanExamples:
    """N windows with the positions of first and last answer token, (N,); the null position for none."""

    windows: list[Window]
    starts: Places
    ends: Places

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def lengths(self) -> Places:
        """Tokens of each window: (N,)."""
        return np.array([len(each.encoded) for each in self.windows], dtype=np.int64)


def span_examples(
    encoder: Encoder, data: ReadingSet, *, max_tokens: int, seed: int, any_reference: bool = False
) -> SpanExamples:
    """One window of every question, at most `max_tokens` long.

    Of a long passage a part is taken in which the answer stands anywhere; of an unanswerable
    question's passage any part. A question whose answer does not fit into a window is left out.
    DataError if nothing is left to learn from.
    """
    maker = _Maker(encoder, data, min(max_tokens, encoder.max_tokens), seed, any_reference)
    asked = tokenise(encoder.tokenizer, [each.text for each in data.questions])
    for question, tokens in zip(data.questions, asked, strict=True):
        maker.add(question, tokens)
    if not maker.windows:
        raise DataError(f"{data.name} holds no question whose answer fits into {max_tokens} tokens.")
    starts, ends = np.array(maker.starts, dtype=np.int64), np.array(maker.ends, dtype=np.int64)
    return SpanExamples(maker.windows, starts, ends)


class _Maker:
    """Cuts windows out of tokenised passages and notes where the answers stand."""

    def __init__(
        self, encoder: Encoder, data: ReadingSet, max_tokens: int, seed: int, any_reference: bool
    ) -> None:
        self.form, self.max_tokens = pair_form(encoder.tokenizer), max_tokens
        self.any_reference = any_reference
        self.random = np.random.default_rng([seed, 17])
        self.passages = tokenise(encoder.tokenizer, [each.text for each in data.passages])
        self.windows: list[Window] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, question: Question, asked: TokenisedText) -> None:
        tokens = cut(asked, self.max_tokens // 2 - self.form.special)
        passage = self.passages[question.passage]
        count = min(room_for_passage(self.form, tokens, self.max_tokens), len(passage))
        if not count:
            return
        if not question.answerable:
            made = window(self.form, tokens, passage, self._any(0, len(passage) - count), count)
            self._note(made, made.null, made.null)
            return
        reference = self._reference(question)
        span = span_tokens(passage, reference.start, reference.end)
        if span is None or span[1] - span[0] + 1 > count:
            return
        at = self._any(max(0, span[1] - count + 1), min(span[0], len(passage) - count))
        made = window(self.form, tokens, passage, at, count)
        self._note(made, made.first + span[0] - at, made.first + span[1] - at)

    def _reference(self, question: Question) -> Answer:
        """The most frequent answer, or any; the one that `any_reference` draws stands for its share of votes."""
        if not self.any_reference:
            return chosen_reference(question.answers)
        return question.answers[self._any(0, len(question.answers) - 1)]

    def _any(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def _note(self, made: Window, start: int, end: int) -> None:
        self.windows.append(made)
        self.starts.append(start)
        self.ends.append(end)
