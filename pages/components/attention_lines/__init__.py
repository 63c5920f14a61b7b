"""Attention as lines between two columns of words: a Streamlit component drawn on a canvas.

The words travel as data and are only ever drawn as text, never put into html or script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

MOST_LINES = 2000  # drawn at once while no word is chosen
MOST_WORDS = 512  # on a side
LEVELS = 255

_HERE = Path(__file__).parent
_HTML = """
<div class="lines">
  <div class="names"><span class="name left"></span><span class="name right"></span></div>
  <div class="view" tabindex="0" role="application"><div class="whole"><canvas></canvas></div></div>
  <div class="foot">
    <div class="said" aria-live="polite"></div>
    <button class="save" type="button">Save as PNG</button>
  </div>
</div>
"""
_mount = st.components.v2.component(
    "attention_lines",
    html=_HTML,
    css=(_HERE / "lines.css").read_text(encoding="utf-8"),
    js=(_HERE / "lines.js").read_text(encoding="utf-8"),
)


def attention_lines(
    left: Sequence[str],
    right: Sequence[str],
    weights: NDArray[np.floating[Any]],
    *,
    key: str,
    height: int = 560,
    titles: tuple[str, str] = ("looks from", "looks at"),
    file_name: str = "attention.png",
) -> None:
    """Draw lines from words on the left to words on the right, as strong as `weights` (N_left, N_right).

    Pointing at a word lights its lines, a click keeps it. What is longer than `height` pixels scrolls.
    """
    data = lines_data(left, right, weights)
    shown = {"height": height, "titles": list(titles), "file_name": file_name}
    _mount(key=key, data={**data, **shown}, width="stretch", height="content")


def lines_data(
    left: Sequence[str], right: Sequence[str], weights: NDArray[np.floating[Any]]
) -> dict[str, Any]:
    """Data that the component draws: the words, and a byte a pair in base64, row by row.

    A byte is 255 times the square root of the weight's share of the largest, so that small weights keep their
    detail. NaN counts as no weight. ValueError if sizes do not fit, if a weight is below zero, or for more than
    MOST_WORDS words a side.
    """
    if weights.shape != (len(left), len(right)):
        raise ValueError(f"weights {weights.shape} for {len(left)} and {len(right)} words")
    if max(weights.shape) > MOST_WORDS:
        raise ValueError(f"at most {MOST_WORDS} words a side, got {max(weights.shape)}")
    known = np.nan_to_num(np.asarray(weights, dtype=np.float64), nan=0.0)
    if known.min(initial=0.0) < 0:
        raise ValueError("weights must not be below zero")
    largest = float(known.max(initial=0.0))
    levels = np.rint(LEVELS * np.sqrt(known / (largest or 1.0))).astype(np.uint8)
    return {
        "left": [str(word) for word in left],
        "right": [str(word) for word in right],
        "levels": b64encode(levels.tobytes()).decode(),
        "largest": largest,
        "most_lines": MOST_LINES,
    }
