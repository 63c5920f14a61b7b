"""Results as escaped HTML for `st.html`: highlighted passages and shaded words. Pure functions.

Colours are translucent, so that they lie well on a light and on a dark background.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from pages.components.charts.style import ACCENT, CUT, NEUTRAL, translucent

BEST, OTHER = translucent(ACCENT, 0.38), translucent(NEUTRAL, 0.28)
TOWARDS, AGAINST = ACCENT, CUT
TEXT = "white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.75; font-family: inherit;"
MARK = "color: inherit; border-radius: 0.25em; padding: 0.1em 0.15em;"


@dataclass(frozen=True, slots=True)
class Highlight:
    """Characters `start` to `end` of a text; the first highlight of a list is the best."""

    start: int
    end: int
    title: str = ""


def highlighted(text: str, marks: Sequence[Highlight]) -> str:
    """The text with its places marked, letter by letter as it is; places must not overlap."""
    parts, at = [], 0
    best = marks[0] if marks else None
    for mark in sorted(marks, key=lambda place: place.start):
        if mark.start < at:
            continue
        colour = BEST if mark is best else OTHER
        weight = " font-weight: 600;" if mark is best else ""
        parts.append(html.escape(text[at : mark.start]))
        parts.append(
            f'<mark style="background: {colour}; {MARK}{weight}" title="{html.escape(mark.title, quote=True)}">'
            f"{html.escape(text[mark.start : mark.end])}</mark>"
        )
        at = mark.end
    parts.append(html.escape(text[at:]))
    return f'<div lang="und" style="{TEXT}">{"".join(parts)}</div>'


def shaded(words: Sequence[str], values: Sequence[float]) -> str:
    """Words on backgrounds by value from -1 (against, orange) to 1 (towards, blue)."""
    parts = []
    for word, value in zip(words, values, strict=True):
        colour = translucent(TOWARDS if value >= 0 else AGAINST, min(1.0, abs(value)) * 0.75)
        parts.append(
            f'<span style="background: {colour}; border-radius: 0.25em; '
            f'padding: 0.1em 0.1em;" title="{value:+.2f}">{html.escape(word)}</span>'
        )
    return f'<div style="{TEXT}">{" ".join(parts)}</div>'
