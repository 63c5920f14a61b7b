"""From start and end logits to spans: joint decoding, never two separate argmaxes. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Places = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens `first` to `last` of a window's passage part, and their score."""

    first: int
    last: int
    score: float


@dataclass(frozen=True, slots=True)
class SpanTable:
    """Spans, best first: first token, last token and score of each, (k,) all."""

    first: Places
    last: Places
    scores: Scores


def best_span_table(start: Logits, end: Logits, *, null: float, longest: int, top: int) -> SpanTable:
    """The `top` spans with the largest start + end logit - null, of at most `longest` tokens, best first.

    `start` and `end` are (n,), over the passage tokens of one window; `null` is the sum of both
    logits at the null position, so that scores of different windows and documents compare. Equal
    to brute force over all pairs first <= last < first + longest.
    """
    count = len(start)
    longest = min(longest, count)
    if not count:
        return SpanTable(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
    padded = np.concatenate([end.astype(np.float64), np.full(longest - 1, -np.inf)])
    ends = np.lib.stride_tricks.sliding_window_view(padded, longest)  # (n, longest)
    scores = (start.astype(np.float64)[:, None] + ends - null).ravel()
    top = min(top, int(np.isfinite(scores).sum()))
    chosen = np.argpartition(-scores, top - 1)[:top] if top else np.zeros(0, np.int64)
    chosen = chosen[np.lexsort((chosen, -scores[chosen]))]
    first = chosen // longest
    return SpanTable(first, first + chosen % longest, scores[chosen])


def best_spans(start: Logits, end: Logits, *, null: float, longest: int, top: int) -> list[Span]:
    """The spans of `best_span_table` one by one."""
    spans = best_span_table(start, end, null=null, longest=longest, top=top)
    return [
        Span(int(first), int(last), float(score))
        for first, last, score in zip(spans.first, spans.last, spans.scores, strict=True)
    ]


def separate_argmaxes(start: Logits, end: Logits) -> tuple[int, int]:
    """The tokens that two argmaxes taken apart would give: the second may lie before the first."""
    return int(start.argmax()), int(end.argmax())
