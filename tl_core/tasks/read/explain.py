"""Why this answer: the scores around it, the windows, where attention goes, what the score hangs on.

All of it is about one window, the one that the answer came from. Shapes: Q and P words of the
question and of the passage's part in the window, n passage tokens, T tokens in all, L layers.
A word is what stands between white space; a word without any token in the window is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import use_plain_attention
from tl_core.encoders.load import Encoder
from tl_core.errors import DataError, ModelError
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.decode import Logits, Span, best_spans, separate_argmaxes
from tl_core.tasks.read.josa import without_josa
from tl_core.tasks.read.network import make_batch
from tl_core.tasks.read.reader import BATCH_TOKENS, RAW_SPANS, Reader, _Piece, check_asked
from tl_core.text.windows import (
    Offsets,
    TokenisedText,
    Window,
    cut,
    span_characters,
    span_tokens,
    tokenise,
    windows,
)
from tl_core.training.batches import token_batches

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


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an answer was given, by its window, which is number `number` of `windows`.

    `answer_tokens` are the first and the last of `scores.tokens` that it was made of.
    """

    question_words: tuple[Place, ...]
    passage_words: tuple[Place, ...]
    scores: WordScores
    windows: tuple[WindowRange, ...]
    number: int
    answer_tokens: tuple[int, int]
    attention: QuestionAttention
    shading: Shading


def explain(
    reader: Reader, question: str, passage: str, answer: FoundAnswer, reading: Reading | None = None
) -> Explanation:
    """Why the reader gave this answer to the question about the passage.

    `reading` must be what the answer was found with. Reads all windows of the passage again, and
    the answer's window twice more. DataError if the answer does not stand where it says.
    """
    check_asked(question, passage)
    text = _Text(reader, question, passage, reading or Reading())
    text.check(answer)
    logits = text.logits()
    opened = text.open(answer, logits[answer.window])
    return Explanation(
        opened.question_words,
        opened.passage_words,
        word_scores(opened, logits[answer.window], text.how.longest_answer),
        tuple(text.range_of(number, each) for number, each in enumerate(logits)),
        answer.window,
        (opened.answer[0] - opened.window.first, opened.answer[1] - opened.window.first),
        question_attention(reader, opened),
        gradient_shading(reader, opened),
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
        self.how = how = reader._fitting(reading)
        asked, self.read = tokenise(reader.encoder.tokenizer, [question, passage])
        self.asked = cut(asked, how.max_tokens - reader.form.special - how.overlap - 1)
        made = windows(reader.form, self.asked, self.read, max_tokens=how.max_tokens, overlap=how.overlap)
        self.windows = list(made) if len(self.read) else []

    def check(self, answer: FoundAnswer) -> None:
        """DataError if the answer is not one of this passage and these windows."""
        if not 0 <= answer.window < len(self.windows):
            raise DataError(
                f"The answer comes from window {answer.window + 1}, but read like this the passage has "
                f"{len(self.windows)}. Explain it with the settings that it was found with."
            )
        if not answer.text or self.passage[answer.start : answer.end] != answer.text:
            raise DataError(
                f"{answer.text!r} does not stand at characters {answer.start} to {answer.end} of this passage. "
                "Explain it with the passage that it was found in."
            )

    def logits(self) -> list[WindowLogits]:
        """The logits of every window, as the reader computes them."""
        pieces = [_Piece(0, number, window) for number, window in enumerate(self.windows)]
        lengths = np.array([len(each.encoded) for each in self.windows], dtype=np.int64)
        found = {
            piece.number: WindowLogits(start, end, null)
            for rows in token_batches(lengths, BATCH_TOKENS)
            for piece, start, end, null in self.reader._logits([pieces[row] for row in rows])
        }
        return [found[number] for number in range(len(pieces))]

    def range_of(self, number: int, logits: WindowLogits) -> WindowRange:
        window = self.windows[number]
        start, end = span_characters(self.passage, self.read, window.at, window.at + window.count - 1)
        return WindowRange(start, end, logits.best(self.how.longest_answer)[0].score)

    def open(self, answer: FoundAnswer, logits: WindowLogits) -> OpenWindow:
        """The answer's window with its words."""
        window = self.windows[answer.window]
        inside = slice(window.at, window.at + window.count)
        read = TokenisedText(self.read.ids[inside], self.read.offsets[inside])
        question_words, question_of = _words(self.question, self.asked.offsets)
        passage_words, passage_of = _words(self.passage, read.offsets)
        first, last = self._tokens_of(answer, read, logits)
        return OpenWindow(
            window,
            self.passage,
            read,
            question_words,
            _placed(question_of, len(self.reader.form.before), len(window.encoded)),
            passage_words,
            _placed(passage_of, window.first, len(window.encoded)),
            (window.first + first, window.first + last),
        )

    def _tokens_of(self, answer: FoundAnswer, read: TokenisedText, logits: WindowLogits) -> tuple[int, int]:
        """First and last of the window's passage tokens that the answer was made of.

        A particle that was cut off the answer belongs to its span. A place that is no span the
        reader looked at has the tokens that touch it.
        """
        for span in logits.best(self.how.longest_answer, RAW_SPANS):
            start, end = span_characters(self.passage, read, span.first, span.last)
            if start == answer.start and answer.end in self._ends(start, end):
                return span.first, span.last
        tokens = span_tokens(read, answer.start, answer.end)
        if tokens is None:
            raise DataError(
                f"The answer does not stand in window {answer.window + 1} of the passage. "
                "Explain it with the settings that it was found with."
            )
        return tokens

    def _ends(self, start: int, end: int) -> tuple[int, ...]:
        """Where an answer of these characters may end: as it is, or without its particle."""
        if not self.how.strip_josa or start == end:
            return (end,)
        return end, without_josa(self.passage, start, end, self.question)


def word_scores(opened: OpenWindow, logits: WindowLogits, longest: int) -> WordScores:
    """Start and end scores of the window's words and tokens, and the spans that two ways choose."""
    start = logits.start.astype(np.float64) - logits.null / 2
    end = logits.end.astype(np.float64) - logits.null / 2
    window, text = opened.window, opened.passage
    word_of = opened.passage_of[window.first : window.first + window.count]
    best = logits.best(longest)[0]

    def shown(first: int, last: int) -> ShownSpan:
        return ShownSpan(first, last, float(start[first] + end[last]), opened.text_of(first, last))

    return WordScores(
        _best_of(start, word_of, len(opened.passage_words)),
        _best_of(end, word_of, len(opened.passage_words)),
        tuple(Place(text[begin:behind], begin, behind) for begin, behind in opened.read.offsets.tolist()),
        start,
        end,
        word_of,
        shown(best.first, best.last),
        shown(*separate_argmaxes(logits.start, logits.end)),
    )


def question_attention(reader: Reader, opened: OpenWindow) -> QuestionAttention:
    """Attention between question and passage; ModelError if the encoder does not tell it."""
    import torch

    encoder, inputs = reader.encoder, _inputs(reader, opened)
    with reader.lock, torch.inference_mode(), _plain_attention(encoder):
        maps = encoder.model(**inputs, output_attentions=True).attentions
    if not maps or len(maps) != encoder.layers or any(each is None for each in maps):
        raise ModelError(
            f"{encoder.name} told the attention of {len(maps or ())} of its {encoder.layers} layers, so it "
            "cannot be shown. Choose a reader on another encoder."
        )
    attention = np.stack([each[0].mean(0).double().cpu().numpy() for each in maps])  # (L, T, T)
    asked = _members(opened.question_of, len(opened.question_words))
    read = _members(opened.passage_of, len(opened.passage_words))
    answer = np.zeros((1, attention.shape[-1]))
    answer[0, opened.answer[0] : opened.answer[1] + 1] = 1
    return QuestionAttention(
        _flow(attention, asked, read),
        _flow(attention, read, asked),
        _flow(attention, answer, read)[:, 0],
        _flow(attention, answer, asked)[:, 0],
    )


def gradient_shading(reader: Reader, opened: OpenWindow) -> Shading:
    """Gradient x input of the answer's score with respect to the word embeddings, summed per word.

    The score is the start logit of the first token plus the end logit of the last one less the null
    score (Simonyan et al. 2014; Shrikumar et al. 2017). The network's own gradients stay untouched.
    """
    import torch

    held: list[torch.Tensor] = []

    def hold(module: Any, arguments: Any, embedded: torch.Tensor) -> torch.Tensor:
        held.append(embedded.detach().requires_grad_())  # a quantised table's rows are no parameters
        return held[-1]

    first, last = opened.answer
    table = _base_model(reader.encoder).get_submodule(reader.encoder.family.word_table)
    with reader.lock, torch.inference_mode(False), torch.enable_grad():
        handle = table.register_forward_hook(hold)
        try:
            logits = reader.network(_inputs(reader, opened))[0]  # (T, 2)
        finally:
            handle.remove()
        score = logits[first, 0] + logits[last, 1] - logits[opened.window.null].sum()
        (gradient,) = torch.autograd.grad(score, held)
    shades = (gradient * held[0]).detach().sum(-1).flatten().double().cpu().numpy()  # (T,)
    question = _members(opened.question_of, len(opened.question_words)) @ shades
    passage = _members(opened.passage_of, len(opened.passage_words)) @ shades
    scale = float(np.abs(np.concatenate([question, passage])).max(initial=0.0))
    return Shading(question / (scale or 1.0), passage / (scale or 1.0), scale)


def _inputs(reader: Reader, opened: OpenWindow) -> dict[str, torch.Tensor]:
    """The one window as a batch: nothing is padded, so positions stay."""
    device = next(reader.network.parameters()).device
    return make_batch(reader.encoder, [opened.window], device).inputs


def _base_model(encoder: Encoder) -> Any:
    from peft import PeftModel

    model = encoder.model
    return model.get_base_model() if isinstance(model, PeftModel) else model


@contextmanager
def _plain_attention(encoder: Encoder) -> Iterator[None]:
    """Attention as plain matrix products, which alone tells its maps; then as it was."""
    model = _base_model(encoder)
    before = model.config._attn_implementation
    use_plain_attention(encoder)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _words(text: str, offsets: Offsets) -> tuple[tuple[Place, ...], Places]:
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


def _placed(word_of: Places, first: int, length: int) -> Places:
    """The numbers of words moved to their positions among all T tokens: (T,)."""
    placed = np.full(length, -1, dtype=np.int64)
    placed[first : first + len(word_of)] = word_of
    return placed


def _members(word_of: Places, words: int) -> Numbers:
    """Which token belongs to which word: (words, T), 0 or 1."""
    members: Numbers = (word_of == np.arange(words)[:, None]).astype(np.float64)
    return members


def _best_of(values: Numbers, word_of: Places, words: int) -> Numbers:
    best = np.full(words, -np.inf)
    np.maximum.at(best, word_of[word_of >= 0], values[word_of >= 0])
    return best


def _flow(attention: Numbers, giving: Numbers, receiving: Numbers) -> Numbers:
    """Attention between groups of tokens, rows made to sum to one: (L, giving, receiving)."""
    given = giving @ attention @ receiving.T
    total = given.sum(-1, keepdims=True)
    shares: Numbers = np.divide(given, total, out=np.zeros_like(given), where=total > 0)
    return shares
