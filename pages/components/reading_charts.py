"""Results of readers as plotly figures: pure functions, in the look of `charts`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pages.components.charts import ACCENT, CUT, NEUTRAL, escaped, styled

COLOURS = (ACCENT, CUT, "#a8448f", "#2f9e77", NEUTRAL, "#c2483f")
SYMBOLS = ("circle", "diamond", "triangle-up", "square", "x", "star")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One start trained on one number of questions: mean and single values over seeds, 0 to 1."""

    questions: int
    mean: float
    values: tuple[float, ...]


def size_curves(curves: dict[str, Sequence[CurvePoint]], measure: str) -> go.Figure:
    """A measure by number of training questions (logarithmic), one line a start, a small mark a seed."""
    figure = go.Figure()
    for at, (title, points) in enumerate(curves.items()):
        colour, symbol = COLOURS[at % len(COLOURS)], SYMBOLS[at % len(SYMBOLS)]
        figure.add_trace(
            go.Scatter(
                x=[each.questions for each in points],
                y=[each.mean for each in points],
                mode="lines+markers",
                name=escaped(title, 48),
                line={"color": colour, "width": 2},
                marker={"color": colour, "symbol": symbol, "size": 10},
                hovertemplate=f"{escaped(title)}<br>%{{x:,}} questions: {measure} %{{y:.1%}}<extra></extra>",
            )
        )
        single = [(each.questions, value) for each in points for value in each.values if len(each.values) > 1]
        if single:
            figure.add_trace(
                go.Scatter(
                    x=[x for x, _ in single],
                    y=[y for _, y in single],
                    mode="markers",
                    showlegend=False,
                    marker={"color": colour, "symbol": f"{symbol}-open", "size": 7},
                    hoverinfo="skip",
                )
            )
    ticks = sorted({each.questions for points in curves.values() for each in points})
    figure.update_xaxes(
        title_text="Questions learned from", type="log", tickvals=ticks, ticktext=[f"{x:,}" for x in ticks]
    )
    figure.update_yaxes(title_text=measure, tickformat=".0%", rangemode="tozero")
    return styled(figure, height=380, legend=True)
