"""All heads as small pictures, and one of them, or a mix, as a matrix or as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components import state
from pages.components.attention_lines import MOST_WORDS, attention_lines
from pages.components.charts.attention_words import attention_matrix
from pages.components.charts.heads import head_grid
from pages.components.choice import one_of
from pages.components.downloads import csv_button
from pages.components.kept import subjects
from pages.views.attention.head import clickable, current_head, head_numbers
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.units import Direction, Unit, filtered, mixed
from tl_core.runs.store import Store

Matrix = NDArray[np.floating]
DIRECTIONS = {
    "all": "everything",
    "first to second": "first text → second",
    "second to first": "second text → first",
    "within": "within each text",
}
UNITS = {"words": "Words", "tokens": "Tokens"}
MIXES = {"one": "One head", "mean": "Mean", "max": "Largest"}
MIXED_HEADS = {"layer": "all heads of the layer", "all": "all heads", "ticked": "ticked heads"}
FORMS = {"matrix": "Matrix", "lines": "Lines"}


@st.fragment
def show_heads(_store: Store, _row: SubjectRow, request: subjects.Asked) -> None:
    """The grid on the left, the chosen head on the right; a click runs this view alone."""
    state.write_head_address()
    st.caption(
        "Attention says from which tokens a token takes its next state: each row is one word looking, each column one "
        "word looked at. It shows where a head reads, not why the model answers. Click a head."
    )
    pieces, special, direction = _settings(request)
    unit_maps = subjects.unit_maps(request, pieces, special)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        layer, head = _grid(request, pieces, special, unit_maps.hidden)
    with right:
        matrix, title, share = _chosen(request, pieces, special, layer, head)
        shown = filtered(matrix, unit_maps.units, direction)
        st.markdown(f"**{title}**")
        if not special:
            st.caption(
                f"{share:.0%} of these words' attention goes to special tokens, which are not shown; the rest is drawn "
                "as shares of what is left."
            )
        _draw(unit_maps.units, shown, title)
    sentence = request.pair or request.text
    st.page_link(
        "pages/vectors.py",
        label="One of these words here and in other sentences",
        icon=":material/compare_arrows:",
        query_params={"sentence": sentence[: state.LONGEST_IN_ADDRESS]},
    )


def _settings(request: subjects.Asked) -> tuple[bool, bool, Direction]:
    with st.container(horizontal=True, vertical_alignment="center"):
        units = one_of("Units", UNITS, key="heads.units")
        special = st.toggle("Special tokens", key="heads.special")
        directions = list(get_args(Direction))
        direction: Direction = "all"
        if subjects.shown(request).is_pair:
            direction = st.selectbox(
                "Direction",
                directions,
                format_func=DIRECTIONS.__getitem__,
                key="heads.direction",
                width=240,
                label_visibility="collapsed",
            )
    return units == "tokens", special, direction


def _grid(
    request: subjects.Asked, pieces: bool, special: bool, hidden: NDArray[np.float32]
) -> tuple[int, int]:
    """The heads as pictures; the chosen one, from 0."""
    pixels = subjects.thumbnails(request, pieces, special).pixels
    layers, heads = pixels.shape[:2]
    notes = None if special else [[f"{share:.0%} to special tokens" for share in row] for row in hidden]
    figure = head_grid(pixels, chosen=current_head(layers, heads), notes=notes)
    clickable(figure, f"heads.grid.{request.name}", f"Attention of {layers} layers with {heads} heads each")
    with st.container(horizontal=True):
        return head_numbers(layers, heads, "heads")


def _chosen(
    request: subjects.Asked, pieces: bool, special: bool, layer: int, head: int
) -> tuple[Matrix, str, float]:
    """The matrix that is shown, what it is called, and the share of it that goes to what is hidden."""
    unit_maps = subjects.unit_maps(request, pieces, special)
    layers, heads = unit_maps.maps.shape[:2]
    how = one_of("Show", MIXES, key="heads.mix")
    if how == "one":
        return (
            unit_maps.maps[layer, head],
            f"Layer {layer + 1}, head {head + 1}",
            float(unit_maps.hidden[layer, head]),
        )
    of = st.selectbox(
        "Of",
        list(MIXED_HEADS),
        format_func=MIXED_HEADS.__getitem__,
        key="heads.of",
        label_visibility="collapsed",
        width=240,
    )
    chosen = [(layer, at) for at in range(heads)]
    name = f"layer {layer + 1}"
    if of == "all":
        chosen, name = [(at, to) for at in range(layers) for to in range(heads)], "all layers"
    elif of == "ticked":
        every = {f"{at + 1}.{to + 1}": (at, to) for at in range(layers) for to in range(heads)}
        ticked = st.multiselect(
            "Heads, as layer.head",
            list(every),
            [f"{layer + 1}.{head + 1}"],
            key=f"heads.ticked.{layers}.{heads}",
        )
        chosen = [every[label] for label in ticked] or [(layer, head)]
        name = ", ".join(ticked) or f"{layer + 1}.{head + 1}"
    matrix = mixed(unit_maps, chosen, "mean" if how == "mean" else "max")
    share = float(np.mean([unit_maps.hidden[at] for at in chosen]))
    return matrix, f"{MIXES[how]} of {name} ({len(chosen)} heads)", share


def _draw(units: Sequence[Unit], matrix: Matrix, title: str) -> None:
    words = [unit.text for unit in units]
    rows = np.flatnonzero(~np.isnan(matrix).all(1))
    columns = np.flatnonzero(~np.isnan(matrix).all(0))
    part = matrix[np.ix_(rows, columns)]
    left, right = [words[at] for at in rows], [words[at] for at in columns]
    if not part.size:
        st.text("Nothing of this pair goes that way.")
        return
    form = one_of("As", FORMS, key="heads.form")
    if form == "matrix":
        st.plotly_chart(
            attention_matrix(part, left, right), key="heads.matrix", alt=f"{title}: attention between words"
        )
    elif max(part.shape) > MOST_WORDS:
        st.info(f"Lines are drawn for at most {MOST_WORDS} words; choose the matrix, or a shorter text.")
    else:
        attention_lines(left, right, part, key="heads.lines")
    csv_button(
        ("looks from", "looks at", "weight"),
        [
            (left[row], right[column], f"{part[row, column]:.6f}")
            for row in range(part.shape[0])
            for column in range(part.shape[1])
            if not np.isnan(part[row, column])
        ],
        "attention.csv",
        "heads.csv",
    )
