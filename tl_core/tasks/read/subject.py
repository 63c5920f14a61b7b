"""A reader as a subject to look into: its network, and the scores of its answers as targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tl_core.encoders.attention.subject import MOST_TOKENS, Subject, Target
from tl_core.errors import DataError
from tl_core.tasks.read.decode import best_spans
from tl_core.tasks.read.reader import Reader
from tl_core.tasks.read.spans import LONGEST_ANSWER

if TYPE_CHECKING:
    import torch

    from tl_core.text.inputs import ModelInput

SPANS = 5


def reader_subject(reader: Reader, name: str = "") -> Subject:
    """The reader under the name that it is opened by; both share their network and its lock."""
    null_first = bool(reader.form.before)
    return Subject(
        name,
        reader.title,
        "span",
        reader.encoder,
        min(reader.encoder.max_tokens, MOST_TOKENS),
        reader.network,
        (),
        lambda logits, shown: _best_targets(null_first, logits, shown),
        reader.lock,
    )


def span_target(name: str, first: int, last: int, null: int, score: float) -> Target:
    """The score of a span of tokens: the start logit of the first plus the end logit of the last, less the null score."""
    return Target(name, _span_value(first, last, null), score)


def _best_targets(null_first: bool, logits: torch.Tensor, shown: ModelInput) -> list[Target]:
    """The best spans of the second text, best first; DataError if there is no second text."""
    places = np.flatnonzero(shown.sides == 1)
    if not len(places):
        raise DataError("A reader needs a question and a passage: type the passage as the second text.")
    null_at = 0 if null_first else len(shown) - 1
    numbers = logits.float().numpy()
    null = float(numbers[null_at].sum())
    spans = best_spans(numbers[places, 0], numbers[places, 1], null=null, longest=LONGEST_ANSWER, top=SPANS)
    made = []
    for span in spans:
        first, last = int(places[span.first]), int(places[span.last])
        start, end = int(shown.offsets[first, 0]), int(shown.offsets[last, 1])
        made.append(span_target(shown.texts[1][start:end].strip(), first, last, null_at, span.score))
    return made


def _span_value(first: int, last: int, null: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda logits: logits[:, first, 0] + logits[:, last, 1] - logits[:, null].sum(-1)
