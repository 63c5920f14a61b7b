"""A reader at work: windows through the network, spans out of the logits, answers out of the spans."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.load import Encoder
from tl_core.errors import DataError
from tl_core.tasks.read.answers import FoundAnswer, Reply, keep_best, stripped
from tl_core.tasks.read.calibration import Calibration
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.decode import Logits
from tl_core.tasks.read.network import allowed_logits, make_batch
from tl_core.tasks.read.spans import WindowSpans, best_first, fitted_window, window_spans
from tl_core.text.windows import (
    TokenisedText,
    Window,
    check_question,
    cut,
    pair_form,
    tokenise,
    windows,
)
from tl_core.training.batches import token_batches
from tl_core.training.events import Progress, Training, drain
from tl_core.training.precision import autocast, resolve_precision

if TYPE_CHECKING:
    import torch

CHUNK = 256  # windows sorted by length together
BATCH_TOKENS = 1536  # computed at once: more does not fit into a CPU's caches and takes longer


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about a text."""

    question: str
    passage: str


class Reader:
    """A trained network with what is needed to ask it; safe to share between threads.

    `token` is this reader's alone: what it said can be kept under it when the reader itself is gone.
    """

    def __init__(
        self,
        encoder: Encoder,
        network: torch.nn.Module,
        *,
        title: str,
        precision: str = "auto",
        calibration: Calibration | None = None,
    ) -> None:
        self.encoder, self.network, self.title = encoder, network.eval(), title
        self.form = pair_form(encoder.tokenizer)
        self.precision = precision
        self.calibration = calibration or Calibration()
        self.lock = threading.Lock()
        self.token = secrets.token_hex(8)

    def ask(self, question: str, passage: str, reading: Reading | None = None) -> Reply:
        """The answers to one question, best first; DataError if there is nothing to read or to ask."""
        check_asked(question, passage)
        (reply,) = drain(self.ask_events([Asked(question, passage)], reading, strict=True))
        return reply

    def ask_events(
        self, asked: Sequence[Asked], reading: Reading | None = None, *, strict: bool = False
    ) -> Training[list[Reply]]:
        """The answers to N questions: N replies. Yields Progress in questions read, in parts of long ones.

        A question that is too long for a window is cut, or, if `strict`, raises DataError.
        """
        how = self.fitted(reading or Reading())
        spans: list[list[WindowSpans]] = [[] for _ in asked]
        texts = _Texts(self, asked, how, strict)
        work, done = texts.windows(), 0.0
        while chunk := list(islice(work, CHUNK)):
            reached, batches = texts.done(), token_batches(_lengths(chunk), BATCH_TOKENS)
            for count, rows in enumerate(batches, start=1):
                batch = [chunk[row] for row in rows]
                for piece, start, end, null in self.window_logits(batch):
                    best = window_spans(piece.window, piece.number, start, end, null, how.longest_answer)
                    spans[piece.item].append(best)
                yield Progress(done + (reached - done) * count / len(batches), texts.total)
            done = reached
        if done < texts.total:  # the last questions have nothing to read
            yield Progress(texts.total, texts.total)
        return [
            self._reply(question, texts.passages[item], spans[item], how)
            for item, question in enumerate(asked)
        ]

    def fitted(self, how: Reading) -> Reading:
        """The settings with windows that the encoder can take."""
        max_tokens, overlap = fitted_window(how.max_tokens, how.overlap, self.encoder.max_tokens)
        return replace(how, max_tokens=max_tokens, overlap=overlap)

    def _reply(
        self, asked: Asked, passage: TokenisedText, spans: Sequence[WindowSpans], how: Reading
    ) -> Reply:
        answers = keep_best(best_first(asked.passage, passage, spans), asked.passage, how.top)
        if how.strip_josa:
            answers = [stripped(answer, asked.passage, asked.question) for answer in answers]
        return Reply(
            tuple(self.calibration.with_probabilities(answers)), len(spans), self.calibration.threshold
        )

    def window_logits(self, batch: Sequence[Piece]) -> Iterator[tuple[Piece, Logits, Logits, float]]:
        """Start and end logits over the passage tokens of each window, and the null position's sum."""
        import torch

        device = next(self.network.parameters()).device
        made = make_batch(self.encoder, [piece.window for piece in batch], device)
        precision = resolve_precision(self.precision, device.type)
        with self.lock, torch.inference_mode(), autocast(device, precision):
            logits = self.network(made.inputs)
        numbers = allowed_logits(logits, made.allowed).cpu().numpy()
        shifts = made.shift.tolist()
        for at, piece in enumerate(batch):
            window, shift = piece.window, shifts[at]
            part = numbers[at, window.first + shift : window.first + shift + window.count]
            yield piece, part[:, 0], part[:, 1], float(numbers[at, window.null + shift].sum())


@dataclass(frozen=True, slots=True)
class Piece:
    """A window of question `item`, the window's number in its passage."""

    item: int
    number: int
    window: Window


class _Texts:
    """Tokenises questions and passages as they come up; a passage that is asked again is kept."""

    def __init__(self, reader: Reader, asked: Sequence[Asked], how: Reading, strict: bool) -> None:
        self.reader, self.asked, self.how, self.strict = reader, asked, how, strict
        self.passages: dict[int, TokenisedText] = {}
        self.texts: dict[str, TokenisedText] = {}
        self.reached = 0
        self.part = 0.0

    @property
    def total(self) -> int:
        return len(self.asked)

    def done(self) -> float:
        return self.reached + self.part

    def windows(self) -> Iterator[Piece]:
        form, how = self.reader.form, self.how
        for item, asked in enumerate(self.asked):
            question, passage = self._tokens(asked)
            self.passages[item] = passage
            self.reached, self.part = item, 0.0
            if not len(passage):
                continue
            made = windows(form, question, passage, max_tokens=how.max_tokens, overlap=how.overlap)
            for number, window in enumerate(made):
                self.part = (window.at + window.count) / len(passage)
                yield Piece(item, number, window)
        self.reached, self.part = len(self.asked), 0.0

    def _tokens(self, asked: Asked) -> tuple[TokenisedText, TokenisedText]:
        tokenizer, form, how = self.reader.encoder.tokenizer, self.reader.form, self.how
        (question,) = tokenise(tokenizer, [asked.question])
        if self.strict:
            check_question(form, question, how.max_tokens, how.overlap)
        question = cut(question, how.max_tokens - form.special - how.overlap - 1)
        if asked.passage not in self.texts:
            if len(self.texts) >= CHUNK:
                self.texts.clear()
            (self.texts[asked.passage],) = tokenise(tokenizer, [asked.passage])
        return question, self.texts[asked.passage]


def check_asked(question: str, passage: str) -> None:
    """DataError if question or passage is empty."""
    if not passage.strip():
        raise DataError("The passage is empty. Paste or upload a text to read.")
    if not question.strip():
        raise DataError("The question is empty. Type what you want to know from the passage.")


def _lengths(chunk: Sequence[Piece]) -> NDArray[np.int64]:
    return np.array([len(piece.window.encoded) for piece in chunk], dtype=np.int64)


__all__ = ["Asked", "FoundAnswer", "Reader", "check_asked"]
