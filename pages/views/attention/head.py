"""The chosen head: by a click on a figure of all heads, or by its numbers; the same in every view."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from pages.components import state
from pages.components.charts.heads import head_of
from pages.components.downloads import csv_button
from tl_core.text.places import Numbers


def current_head(layers: int, heads: int) -> tuple[int, int]:
    """The layer and the head, from 0, that were chosen last, within those that there are."""
    layer, head = state.chosen_head()
    return min(layer, layers - 1), min(head, heads - 1)


def clickable(figure: go.Figure, key: str, alt: str) -> None:
    """A figure of all heads; a click on one chooses it before the page runs again."""
    st.plotly_chart(
        figure,
        key=key,
        on_select=partial(_clicked, figure, key),
        selection_mode="points",
        config={"modeBarButtons": [["toImage"]], "displaylogo": False},
        alt=alt,
    )


def _clicked(figure: go.Figure, key: str) -> None:
    head = head_of(figure, state.held(key).selection.points)
    if head is not None:
        state.choose_head(*head)


def head_numbers(layers: int, heads: int, key: str) -> tuple[int, int]:
    """Two number boxes, which follow a click; the chosen head, from 0."""
    chosen = current_head(layers, heads)
    for name, most, at in zip(("layer", "head"), (layers, heads), chosen):
        state.put(f"{key}.{name}", at + 1)
        st.number_input(
            name.capitalize(), 1, most, key=f"{key}.{name}", width=140, on_change=_numbered, args=(key,)
        )
    return chosen


def _numbered(key: str) -> None:
    layer, head = (int(state.held(f"{key}.{name}")) for name in ("layer", "head"))
    state.choose_head(layer - 1, head - 1)


def heads_csv(values: Mapping[str, Numbers], name: str, key: str) -> None:
    """A button that downloads numbers of every head, (L, H) each, a head a line."""
    layers, heads = next(iter(values.values())).shape
    csv_button(
        ("layer", "head", *values),
        [
            (layer + 1, head + 1, *(f"{value[layer, head]:.6f}" for value in values.values()))
            for layer in range(layers)
            for head in range(heads)
        ],
        name,
        key,
    )
