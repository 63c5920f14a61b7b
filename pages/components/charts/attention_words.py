"""Attention between words as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.components.charts.heads import largest_of, shades
from pages.components.charts.style import ACCENT, CUT, GROUP_COLOURS, escaped, styled

PATTERNS = ("", "/", "x", ".")  # say the same as the colours
STRIPES = {"fgcolor": "rgba(255, 255, 255, 0.55)", "size": 6}
LONGEST_WORD = 14  # characters beside an axis; the whole word is in the hover
LARGEST_ROW, SMALLEST_ROW = 28, 7  # pixels on screen for a row of words
TALLEST = 760


def attention_matrix(
    matrix: NDArray[np.floating[Any]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    title_rows: str = "looks from",
    title_columns: str = "looks at",
    signed: bool = False,
    largest: float | None = None,
) -> go.Figure:
    """Attention from each row's word to each column's word; NaN stays empty.

    `largest` is the value of the deepest colour; without it, it is the largest of `matrix`. The shade grows with
    the square root of the value, so that small ones are seen; the hover tells the value. Signed differences are
    blue above zero and orange below.
    """
    if matrix.shape != (len(row_labels), len(column_labels)):
        raise ValueError(f"a matrix {matrix.shape} for {len(row_labels)} and {len(column_labels)} words")
    deepest = largest_of(matrix) if largest is None else largest
    number = "%{z:+.3f}" if signed else "%{z:.3f}"
    figure = go.Figure(
        go.Heatmap(
            z=np.asarray(matrix, dtype=np.float32),
            zmin=-deepest if signed else 0,
            zmax=deepest,
            colorscale=shades(signed, bend=0.5),
            colorbar={"thickness": 8, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": 10}, "x": 1.01},
            hoverongaps=False,
            hovertemplate=f"%{{y}} → %{{x}}<br>{number}<extra></extra>",
        )
    )
    return _between_words(figure, row_labels, column_labels, title_rows, title_columns)


def visible(
    mask: NDArray[np.bool_],
    labels: Sequence[str],
    *,
    allowed: str = "an encoder and a decoder look there",
    hidden: str = "only an encoder looks there",
    title_rows: str = "looks from",
    title_columns: str = "looks at",
) -> go.Figure:
    """Attention mask: blue where `mask` (T, T) lets a word look, for a decoder's mask all up to the word itself."""
    figure = go.Figure()
    for name, colour, cells in ((allowed, ACCENT, mask), (hidden, CUT, ~mask)):
        if not cells.any():
            continue
        figure.add_trace(
            go.Heatmap(
                z=np.where(cells, np.float32(1), np.float32("nan")),
                colorscale=[(0, colour), (1, colour)],
                opacity=0.85,
                name=escaped(name),
                showlegend=True,
                showscale=False,
                xgap=2,
                ygap=2,
                hoverongaps=False,
                hovertemplate=f"%{{y}} → %{{x}}<br>{escaped(name)}<extra></extra>",
            )
        )
    return _between_words(figure, labels, labels, title_rows, title_columns, legend=True)


def _between_words(
    figure: go.Figure,
    rows: Sequence[str],
    columns: Sequence[str],
    title_rows: str,
    title_columns: str,
    *,
    legend: bool = False,
) -> go.Figure:
    """Words beside a heat map whose axes count from 0.

    The map's own axes hold the whole words, for the hover. A second pair shows them, short and as many as there is
    room for: only an axis of categories thins its labels to the width of the screen. Words repeat, so that the
    categories are their numbers.
    """
    figure.update_xaxes(**_whole(columns), range=[-0.5, len(columns) - 0.5])
    figure.update_yaxes(**_whole(rows), range=[len(rows) - 0.5, -0.5])
    figure.add_trace(
        go.Scatter(
            x=["0"],
            y=["0"],
            xaxis="x2",
            yaxis="y2",
            mode="markers",
            opacity=0,
            hoverinfo="skip",
            showlegend=False,
        )
    )
    row = int(np.clip(TALLEST // max(1, len(rows)), SMALLEST_ROW, LARGEST_ROW))
    styled(figure, height=150 + max(60, row * len(rows)), legend=legend)
    across = {
        "overlaying": "x",
        "side": "top",
        "autotickangles": [0, -70],
        "range": figure.layout.xaxis.range,
    }
    down = {"overlaying": "y", "side": "left", "range": figure.layout.yaxis.range}
    if legend:
        figure.update_layout(legend={"y": -0.02, "yanchor": "top"})
    figure.update_layout(
        xaxis2={**_shown(columns), **across, "title": {"text": escaped(title_columns), "standoff": 8}},
        yaxis2={**_shown(rows), **down, "title": {"text": escaped(title_rows), "standoff": 16}},
    )
    return figure


def _whole(words: Sequence[str]) -> dict[str, Any]:
    names = [escaped(word) for word in words]
    return {
        "tickvals": list(range(len(words))),
        "ticktext": names,
        "showticklabels": False,
        "ticks": "",
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _shown(words: Sequence[str]) -> dict[str, Any]:
    places = [str(at) for at in range(len(words))]
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": places,
        "labelalias": {at: escaped(word, LONGEST_WORD) for at, word in zip(places, words, strict=True)},
        "tickfont": {"size": 12},
        "showgrid": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
    }


def shares_by_word(labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> go.Figure:
    """Bars of one or several series over the words, the first word on top; NaN has no bar."""
    places = list(range(len(labels)))
    names = [escaped(word) for word in labels]
    figure = go.Figure()
    for at, (name, values) in enumerate(series.items()):
        if len(values) != len(labels):
            raise ValueError(f"{len(values)} values of {name!r} for {len(labels)} words")
        colour, shape = GROUP_COLOURS[at % len(GROUP_COLOURS)], PATTERNS[at % len(PATTERNS)]
        figure.add_trace(
            go.Bar(
                x=np.asarray(values, dtype=np.float32),
                y=places,
                orientation="h",
                name=escaped(name),
                marker={"color": colour, "pattern": {**STRIPES, "shape": shape, "bgcolor": colour}},
                customdata=names,
                hovertemplate=f"%{{customdata}}<br>{escaped(name)}: %{{x:.3f}}<extra></extra>",
            )
        )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[escaped(word, LONGEST_WORD) for word in labels],
        range=[len(labels) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
        ticks="",
        fixedrange=True,
    )
    figure.update_xaxes(title_text="Share", rangemode="tozero", showgrid=True, fixedrange=True)
    row = 10 + 9 * max(1, len(series))
    styled(figure, height=90 + row * max(1, len(labels)), legend=len(series) > 1)
    figure.update_layout(bargap=0.25, bargroupgap=0.05)
    return figure
