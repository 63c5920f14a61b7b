"""Examples that a reader learns from: one window of each question, and where in it the answer stands."""

from __future__ import annotations

from collections.abc import Sequence
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
        return np.array([len(drawn.encoded) for drawn in self.windows], dtype=np.int64)


class WindowDrawer:
    """Draws one window of every question, at most `max_tokens` long, anew for each epoch.

    Of a long passage a part is taken in which the answer stands anywhere; of an unanswerable
    question's passage any part. `any_reference` draws the answer among the annotators' too, else it
    is the most frequent one. A question without an answer that fits into a window is left out, so
    every epoch has as many windows.
    """

    def __init__(
        self, encoder: Encoder, data: ReadingSet, *, max_tokens: int, seed: int, any_reference: bool = False
    ) -> None:
        self.form, self.data, self.seed = pair_form(encoder.tokenizer), data, seed
        self.max_tokens, self.any_reference = min(max_tokens, encoder.max_tokens), any_reference
        self.passages = tokenise(encoder.tokenizer, [passage.text for passage in data.passages])
        most = self.max_tokens // 2 - self.form.special
        asked = tokenise(encoder.tokenizer, [question.text for question in data.questions])
        self.asked = [cut(question, most) for question in asked]

    def draw(self, epoch: int = 0) -> SpanExamples:
        """The windows of an epoch; the same seed and epoch give the same ones. DataError if there are none."""
        random = np.random.default_rng([self.seed, 17, epoch])
        drawn = [
            self._window(question, asked, random)
            for question, asked in zip(self.data.questions, self.asked, strict=True)
        ]
        kept = [example for example in drawn if example is not None]
        if not kept:
            raise DataError(
                "{data} holds no question whose answer fits into {max_tokens} tokens.",
                data=self.data.name,
                max_tokens=self.max_tokens,
            )
        places = np.array([example[1:] for example in kept], dtype=np.int64)
        return SpanExamples([example[0] for example in kept], places[:, 0], places[:, 1])

    def _window(
        self, question: Question, asked: TokenisedText, random: np.random.Generator
    ) -> tuple[Window, int, int] | None:
        """A window with the positions of its answer's first and last token; None if the answer does not fit."""
        passage = self.passages[question.passage]
        count = min(room_for_passage(self.form, asked, self.max_tokens), len(passage))
        if not count:
            return None
        if not question.answerable:
            at = int(random.integers(0, len(passage) - count + 1))
            made = window(self.form, asked, passage, at, count)
            return made, made.null, made.null
        spans = [
            span_tokens(passage, reference.start, reference.end) for reference in self._references(question)
        ]
        fitting = [span for span in spans if span is not None and span[1] - span[0] < count]
        if not fitting:
            return None
        first, last = fitting[int(random.integers(0, len(fitting)))]
        at = int(random.integers(max(0, last - count + 1), min(first, len(passage) - count) + 1))
        made = window(self.form, asked, passage, at, count)
        return made, made.first + first - at, made.first + last - at

    def _references(self, question: Question) -> Sequence[Answer]:
        """The answers that may be drawn; one that several annotators gave stands there as often."""
        return question.answers if self.any_reference else (chosen_reference(question.answers),)


def span_examples(encoder: Encoder, data: ReadingSet, *, max_tokens: int, seed: int) -> SpanExamples:
    """One window of every question, as `WindowDrawer` draws them for the first epoch."""
    return WindowDrawer(encoder, data, max_tokens=max_tokens, seed=seed).draw()
