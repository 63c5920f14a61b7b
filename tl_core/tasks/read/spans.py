"""Windows of a passage, and how their spans become candidates for an answer. Knows no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.tasks.read.answers import Candidate
from tl_core.tasks.read.decode import Logits, SpanTable, best_span_table
from tl_core.text.windows import TokenisedText, Window, span_characters

MAX_TOKENS = 384
OVERLAP = 128
LONGEST_ANSWER = 30
RAW_SPANS = 200  # of each window, of which overlapping ones fall together


@dataclass(frozen=True, slots=True)
class WindowSpans:
    """The best spans of window `number`, by tokens of the whole passage."""

    number: int
    table: SpanTable


def fitted_window(max_tokens: int, overlap: int, most: int) -> tuple[int, int]:
    """Tokens and overlap of windows for an encoder that takes at most `most` tokens."""
    max_tokens = min(max_tokens, most)
    return max_tokens, min(overlap, max_tokens // 3)


def window_spans(
    window: Window, number: int, start: Logits, end: Logits, null: float, longest: int
) -> WindowSpans:
    """The best spans of a window, from the logits of its passage tokens and their sum at the null position."""
    spans = best_span_table(start, end, null=null, longest=longest, top=RAW_SPANS)
    return WindowSpans(number, SpanTable(spans.first + window.at, spans.last + window.at, spans.scores))


def best_first(text: str, passage: TokenisedText, spans: Sequence[WindowSpans]) -> Iterator[Candidate]:
    """The spans of all windows of a passage by characters, best first; those of white space fall away."""
    if not spans:
        return
    scores = np.concatenate([span.table.scores for span in spans])
    first = np.concatenate([span.table.first for span in spans])
    last = np.concatenate([span.table.last for span in spans])
    numbers = np.repeat([span.number for span in spans], [len(span.table.scores) for span in spans])
    for at in np.lexsort((last, first, -scores)):
        begin, behind = span_characters(text, passage, int(first[at]), int(last[at]))
        if begin < behind:
            yield Candidate(begin, behind, float(scores[at]), int(numbers[at]))
