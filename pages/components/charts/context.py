"""One word in several sentences, as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.components.charts.style import GROUP_COLOURS, GROUP_SYMBOLS, NEUTRAL, escaped, styled


@dataclass(frozen=True, slots=True)
class Shown:
    """An occurrence in a figure: a label, the text around it and close to it, its sense ('' if nobody knows it)."""

    label: str
    around: str
    close: str
    sense: str = ""


def context_plane(points: NDArray[np.float32], shown: Sequence[Shown]) -> go.Figure:
    """N occurrences at their points (N, 2), by their labels; each sense has a colour and a symbol."""
    senses = list(dict.fromkeys(occurrence.sense for occurrence in shown))
    figure = go.Figure()
    for at, sense in enumerate(senses):
        rows = [row for row, occurrence in enumerate(shown) if occurrence.sense == sense]
        figure.add_trace(
            go.Scatter(
                x=points[rows, 0],
                y=points[rows, 1],
                mode="markers+text",
                name=escaped(sense) or "not named",
                text=[escaped(shown[row].label) for row in rows],
                textposition="top center",
                cliponaxis=False,
                marker={
                    "size": 12,
                    "color": GROUP_COLOURS[at % len(GROUP_COLOURS)],
                    "symbol": GROUP_SYMBOLS[at % len(GROUP_SYMBOLS)],
                },
                customdata=[escaped(shown[row].around) for row in rows],
                hovertemplate="%{text} · %{customdata}<extra></extra>",
            )
        )
    figure.update_xaxes(showticklabels=False, zeroline=False, title_text="First component")
    figure.update_yaxes(showticklabels=False, zeroline=False, title_text="Second component")
    return styled(figure, height=420, legend=len(senses) > 1, top=30)


def cosines_by_layer(curves: Mapping[str, Sequence[float]], layer: int) -> go.Figure:
    """Mean cosines of pairs by layer from 0, one line each kind of pair; a line marks the layer that is shown."""
    figure = go.Figure()
    for at, (title, values) in enumerate(curves.items()):
        colour, symbol = GROUP_COLOURS[at % len(GROUP_COLOURS)], GROUP_SYMBOLS[at % len(GROUP_SYMBOLS)]
        figure.add_trace(
            go.Scatter(
                x=list(range(len(values))),
                y=list(values),
                mode="lines+markers",
                name=escaped(title),
                line={"color": colour, "width": 2},
                marker={"color": colour, "symbol": symbol, "size": 8},
                hovertemplate=f"layer %{{x}}, {escaped(title)}: %{{y:.3f}}<extra></extra>",
            )
        )
    figure.add_vline(x=layer, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    figure.update_xaxes(title_text="Layer (0: before any)", dtick=1)
    figure.update_yaxes(title_text="Mean cosine")
    return styled(figure, height=300, legend=len(curves) > 1)
