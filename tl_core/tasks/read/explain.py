"""Explanation of an answer: the scores around it, the windows, where attention goes, and what can be asked further.

All of it is about one window, the one that the answer came from. Shapes: Q and P words of the
question and of the passage's part in the window, n passage tokens, T tokens in all, L layers.
A word is what stands between white space; a word without any token in the window is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.encoders.attention.subject import Target
from tl_core.errors import DataError
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.attention import QuestionAttention, question_attention
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.decode import Logits, Span, best_spans, separate_argmaxes
from tl_core.tasks.read.josa import without_josa
from tl_core.tasks.read.reader import BATCH_TOKENS, Piece, Reader, check_asked
from tl_core.tasks.read.spans import RAW_SPANS
from tl_core.tasks.read.subject import reader_subject, span_target
from tl_core.text.inputs import ModelInput, window_input
from tl_core.text.places import Numbers, Place, Places, spaced_words
from tl_core.text.windows import TokenisedText, cut, span_characters, span_tokens, tokenise, windows
from tl_core.training.batches import token_batches

__all__ = ["Explanation", "Place", "ShownSpan", "WindowRange", "WordScores", "explain"]


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
    """Scores of an answer's start and end at each word, (P,), and at each token, (n,).

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
class Explanation:
    """Explanation of an answer, by its window, `shown`, which is number `number` of `windows`.

    `target` is the answer's score: what it hangs on is said by `attribute`, given the reader's subject.
    `answer_tokens` are the first and the last of `scores.tokens` that it was made of.
    """

    shown: ModelInput
    target: Target
    scores: WordScores
    windows: tuple[WindowRange, ...]
    answer_tokens: tuple[int, int]
    attention: QuestionAttention

    @property
    def number(self) -> int:
        return self.shown.number

    @property
    def question_words(self) -> tuple[Place, ...]:
        return places_of(self.shown, 0)

    @property
    def passage_words(self) -> tuple[Place, ...]:
        return places_of(self.shown, 1)


def places_of(shown: ModelInput, side: int) -> tuple[Place, ...]:
    """The words of one of the texts."""
    return tuple(Place(word.text, word.start, word.end) for word in shown.words if word.side == side)


def explain(
    reader: Reader, question: str, passage: str, answer: FoundAnswer, reading: Reading | None = None
) -> Explanation:
    """Explain why the reader gave this answer to the question about the passage.

    `reading` must be what the answer was found with. Reads all windows of the passage again, and
    the answer's window once more. DataError if the answer does not stand where it says.
    """
    check_asked(question, passage)
    text = _Text(reader, question, passage, reading or Reading())
    text.check(answer)
    logits = text.logits()
    window, own, shown = text.windows[answer.window], logits[answer.window], text.shown(answer.window)
    tokens = text.tokens_of(answer, shown, own)
    first, last = window.first + tokens[0], window.first + tokens[1]
    scores = word_scores(shown, own, text.how.longest_answer)
    score = float(scores.token_start[tokens[0]] + scores.token_end[tokens[1]])
    return Explanation(
        shown,
        span_target(answer.text, first, last, window.null, score),
        scores,
        tuple(text.range_of(number, window_logits) for number, window_logits in enumerate(logits)),
        tokens,
        question_attention(reader_subject(reader), shown, (first, last)),
    )


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """Start and end logits of a window's n passage tokens, (n,), and the null score."""

    start: Logits
    end: Logits
    null: float

    def best(self, longest: int, top: int = 1) -> list[Span]:
        return best_spans(self.start, self.end, null=self.null, longest=longest, top=top)


class _Text:
    """A question and its passage, tokenised and cut into windows as the reader does it."""

    def __init__(self, reader: Reader, question: str, passage: str, reading: Reading) -> None:
        self.reader, self.question, self.passage = reader, question, passage
        self.how = how = reader.fitted(reading)
        asked, self.read = tokenise(reader.encoder.tokenizer, [question, passage])
        self.asked = cut(asked, how.max_tokens - reader.form.special - how.overlap - 1)
        made = windows(reader.form, self.asked, self.read, max_tokens=how.max_tokens, overlap=how.overlap)
        self.windows = list(made) if len(self.read) else []

    def check(self, answer: FoundAnswer) -> None:
        """DataError if the answer is not one of this passage and these windows."""
        if not 0 <= answer.window < len(self.windows):
            raise DataError(
                "The answer comes from window {window}, but read like this the passage has "
                "{windows}. Explain it with the settings that it was found with.",
                window=answer.window + 1,
                windows=len(self.windows),
            )
        if not answer.text or self.passage[answer.start : answer.end] != answer.text:
            raise DataError(
                "{text!r} does not stand at characters {start} to {end} of this passage. "
                "Explain it with the passage that it was found in.",
                text=answer.text,
                start=answer.start,
                end=answer.end,
            )

    def logits(self) -> list[WindowLogits]:
        """The logits of every window, as the reader computes them."""
        pieces = [Piece(0, number, window) for number, window in enumerate(self.windows)]
        lengths = np.array([len(window.encoded) for window in self.windows], dtype=np.int64)
        by_number = {
            piece.number: WindowLogits(start, end, null)
            for rows in token_batches(lengths, BATCH_TOKENS)
            for piece, start, end, null in self.reader.window_logits([pieces[row] for row in rows])
        }
        return [by_number[number] for number in range(len(pieces))]

    def range_of(self, number: int, logits: WindowLogits) -> WindowRange:
        window = self.windows[number]
        start, end = span_characters(self.passage, self.read, window.at, window.at + window.count - 1)
        return WindowRange(start, end, logits.best(self.how.longest_answer)[0].score)

    def shown(self, number: int) -> ModelInput:
        """A window with its words, which are what stands between white space."""
        return window_input(
            self.reader.encoder.tokenizer,
            self.reader.form,
            self.windows[number],
            (self.question, self.passage),
            (self.asked, self.read),
            words_at=spaced_words,
            number=number,
            parts=len(self.windows),
        )

    def tokens_of(self, answer: FoundAnswer, shown: ModelInput, logits: WindowLogits) -> tuple[int, int]:
        """First and last of the window's passage tokens that the answer was made of.

        A particle that was cut off the answer belongs to its span. A place that is no span the
        reader looked at has the tokens that touch it.
        """
        read = _passage_of(shown)
        for span in logits.best(self.how.longest_answer, RAW_SPANS):
            start, end = span_characters(self.passage, read, span.first, span.last)
            if start == answer.start and answer.end in self._ends(start, end):
                return span.first, span.last
        tokens = span_tokens(read, answer.start, answer.end)
        if tokens is None:
            raise DataError(
                "The answer does not stand in window {window} of the passage. "
                "Explain it with the settings that it was found with.",
                window=answer.window + 1,
            )
        return tokens

    def _ends(self, start: int, end: int) -> tuple[int, ...]:
        """Ends that an answer of these characters may have: as it is, or without its particle."""
        if not self.how.strip_josa or start == end:
            return (end,)
        return end, without_josa(self.passage, start, end, self.question)


def word_scores(shown: ModelInput, logits: WindowLogits, longest: int) -> WordScores:
    """Start and end scores of the window's words and tokens, and the spans that two ways choose."""
    start = logits.start.astype(np.float64) - logits.null / 2
    end = logits.end.astype(np.float64) - logits.null / 2
    text, read = shown.texts[1], _passage_of(shown)
    words, numbers = len(places_of(shown, 1)), shown.word_of[shown.sides == 1]
    word_of = np.where(numbers < 0, -1, numbers - len(places_of(shown, 0)))  # the question's come first
    best = logits.best(longest)[0]

    def span(first: int, last: int) -> ShownSpan:
        begin, behind = span_characters(text, read, first, last) if first <= last else (0, 0)
        return ShownSpan(first, last, float(start[first] + end[last]), text[begin:behind])

    return WordScores(
        _best_of(start, word_of, words),
        _best_of(end, word_of, words),
        tuple(Place(text[begin:behind], begin, behind) for begin, behind in read.offsets.tolist()),
        start,
        end,
        word_of,
        span(best.first, best.last),
        span(*separate_argmaxes(logits.start, logits.end)),
    )


def _passage_of(shown: ModelInput) -> TokenisedText:
    """The passage's tokens in the window."""
    own = np.flatnonzero(shown.sides == 1)
    return TokenisedText([shown.encoded.ids[at] for at in own], shown.offsets[own])


def _best_of(values: Numbers, word_of: Places, words: int) -> Numbers:
    best = np.full(words, -np.inf)
    np.maximum.at(best, word_of[word_of >= 0], values[word_of >= 0])
    return best
