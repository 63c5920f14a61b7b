"""Word vectors as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.components.charts.style import ACCENT, CUT, NEUTRAL, escaped, styled
from tl_core.vectors.arithmetic import OnAxis
from tl_core.vectors.formula import Formula

LONGEST_WORD = 24


def analogy_plane(
    words: Sequence[str], points: NDArray[np.float32], formula: Formula, answer: str
) -> go.Figure:
    """Words at their points (N, 2); for b - a + c = d the two differences a-b and c-d are drawn as arrows."""
    names = [escaped(word, LONGEST_WORD) for word in words]
    place = dict(zip(words, points, strict=True))
    figure = go.Figure()
    for begin, end in _arrows(formula, answer):
        (x0, y0), (x1, y1) = place[begin], place[end]
        figure.add_annotation(
            x=float(x1), y=float(y1), ax=float(x0), ay=float(y0), xref="x", yref="y", axref="x", ayref="y",
            showarrow=True, arrowhead=3, arrowsize=1.2, arrowwidth=1.5, arrowcolor=NEUTRAL, text="",
            standoff=6, startstandoff=6,
        )  # fmt: skip
    figure.add_trace(
        go.Scatter(
            x=points[:, 0],
            y=points[:, 1],
            mode="markers+text",
            text=names,
            textposition="top center",
            cliponaxis=False,
            marker={
                "size": 11,
                "color": [CUT if word == answer else ACCENT for word in words],
                "symbol": ["diamond" if word == answer else "circle" for word in words],
            },
            hovertemplate="%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(showticklabels=False, zeroline=False, title_text="First component")
    figure.update_yaxes(
        showticklabels=False, zeroline=False, title_text="Second component", scaleanchor="x", scaleratio=1
    )
    return styled(figure, height=400, top=30)


def _arrows(formula: Formula, answer: str) -> list[tuple[str, str]]:
    """From a to b and from c to d of an analogy b - a + c = d; none for another form."""
    towards = [term.word for term in formula.terms if term.weight > 0]
    away = [term.word for term in formula.terms if term.weight < 0]
    if len(towards) != 2 or len(away) != 1 or not answer:
        return []
    return [(away[0], towards[0]), (towards[1], answer)]


def axis_strip(places: Sequence[OnAxis], title: str) -> go.Figure:
    """Words along one axis, each on a line of its own, the smallest below."""
    ordered = sorted(places, key=lambda point: point.place)
    names = [escaped(point.word, LONGEST_WORD) for point in ordered]
    figure = go.Figure(
        go.Bar(
            x=[point.place for point in ordered],
            y=list(range(len(ordered))),
            orientation="h",
            width=0.7,
            marker={"color": [CUT if point.place < 0 else ACCENT for point in ordered]},
            customdata=names,
            hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
        )
    )
    figure.update_yaxes(tickvals=list(range(len(ordered))), ticktext=names)
    figure.update_xaxes(title_text=f"Cosine with {escaped(title, 60)}", zeroline=True, zerolinecolor=NEUTRAL)
    return styled(figure, height=110 + 26 * len(ordered))


def axis_places(
    across: Sequence[OnAxis], up: Sequence[OnAxis], across_title: str, up_title: str
) -> go.Figure:
    """Words in the plane of two axes; both lists hold the same words in the same order."""
    figure = go.Figure(
        go.Scatter(
            x=[point.place for point in across],
            y=[point.place for point in up],
            mode="markers+text",
            text=[escaped(point.word, LONGEST_WORD) for point in across],
            textposition="top center",
            cliponaxis=False,
            marker={"size": 9, "color": ACCENT},
            hovertemplate="%{text}<br>%{x:+.3f}, %{y:+.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(
        title_text=f"Cosine with {escaped(across_title, 60)}", zeroline=True, zerolinecolor=NEUTRAL
    )
    figure.update_yaxes(
        title_text=f"Cosine with {escaped(up_title, 60)}", zeroline=True, zerolinecolor=NEUTRAL
    )
    return styled(figure, height=480, top=30)
