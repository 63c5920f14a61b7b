"""Words on a map as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.components.charts.style import GROUP_COLOURS, NEUTRAL, escaped, styled, translucent
from pages.components.charts.vectors import LONGEST_WORD
from tl_core.vectors.clusters import Clusters

MOST_LABELS = 160  # words; beyond, only those that name a cluster are written beside their points
LONGEST_CLUSTER = 44
SYMBOLS = (
    "circle",
    "diamond",
    "square",
    "cross",
    "circle-open",
    "diamond-open",
    "square-open",
)  # in 3-D, too
AXES = ("First", "Second", "Third")
GRID = translucent(NEUTRAL, 0.35)


def word_map_figure(
    words: Sequence[str],
    points: NDArray[np.float32],
    clusters: Clusters | None = None,
    variance: Sequence[float] = (),
) -> go.Figure:
    """N words at their points (N, 2) or (N, 3): one trace a cluster, with its colour, symbol and name.

    `variance` is the share of each axis, told in its title. Each point's custom data is its word's place
    in `words`. A flat map can be lassoed, a deep one turned.
    """
    labels = np.zeros(len(words), dtype=int) if clusters is None else clusters.labels
    groups = ("",) if clusters is None else clusters.names
    shown = _labelled(words, groups)
    figure = go.Figure()
    for group, name in enumerate(groups):
        members = np.flatnonzero(labels == group)
        look = _look(group, len(words))
        figure.add_trace(_trace(words, points, members, shown, escaped(name, LONGEST_CLUSTER), look))
    if points.shape[1] == 3:
        _set_scene(figure, variance)
    else:
        flat = {"showticklabels": False, "zeroline": False, "showgrid": False}
        figure.update_xaxes(title_text=_axis_title(0, variance), **flat)
        figure.update_yaxes(title_text=_axis_title(1, variance), scaleanchor="x", scaleratio=1, **flat)
    styled(figure, height=700, legend=clusters is not None)
    figure.update_layout(dragmode="turntable" if points.shape[1] == 3 else "lasso")
    figure.update_layout(legend={"itemsizing": "constant"}, modebar={"orientation": "v"})
    return figure


def places_of(figure: go.Figure, points: Iterable[Mapping[str, Any]]) -> list[int]:
    """The places in the list of words of the points that Streamlit says are selected, in ascending order."""
    places = set()
    for point in points:
        trace, at = int(point["curve_number"]), int(point["point_index"])
        if trace < len(figure.data) and at < len(figure.data[trace].customdata):
            places.add(int(figure.data[trace].customdata[at]))
    return sorted(places)


def _labelled(words: Sequence[str], groups: Sequence[str]) -> set[str]:
    if len(words) <= MOST_LABELS:
        return set(words)
    return {
        word for name in groups for word in name.split(", ")
    }  # a comma that names a group stays unwritten


def _look(group: int, count: int) -> dict[str, Any]:
    """Colour and symbol of a cluster: the first seven share neither, and no two of 56 share both."""
    size = 9 if count <= MOST_LABELS else 7 if count <= 1_000 else 4
    return {
        "color": GROUP_COLOURS[group % len(GROUP_COLOURS)],
        "symbol": SYMBOLS[group % len(SYMBOLS)],
        "size": size,
    }


def _trace(
    words: Sequence[str],
    points: NDArray[np.float32],
    members: NDArray[np.intp],
    shown: set[str],
    name: str,
    look: dict[str, Any],
) -> go.Scatter | go.Scatter3d:
    texts = [escaped(words[at], LONGEST_WORD) for at in members]
    common: dict[str, Any] = {
        "x": points[members, 0],
        "y": points[members, 1],
        "name": name,
        "text": [text if words[at] in shown else "" for at, text in zip(members, texts, strict=True)],
        "hovertext": texts,
        "hovertemplate": "%{hovertext}<extra>%{fullData.name}</extra>"
        if name
        else "%{hovertext}<extra></extra>",
        "customdata": members,
        "mode": "markers+text",
        "textposition": "top center",
    }
    if points.shape[1] == 3:
        return go.Scatter3d(z=points[members, 2], marker={**look, "size": 0.6 * look["size"]}, **common)
    return go.Scatter(marker={**look, "opacity": 0.85}, cliponaxis=False, **common)


def _axis_title(axis: int, variance: Sequence[float]) -> str:
    return f"{AXES[axis]} component, {variance[axis]:.0%}" if variance else ""


def _set_scene(figure: go.Figure, variance: Sequence[float]) -> None:
    for axis, name in enumerate(("xaxis", "yaxis", "zaxis")):
        look = {
            "title": {"text": _axis_title(axis, variance)},
            "showticklabels": False,
            "showbackground": False,
            "showspikes": False,
            "gridcolor": GRID,
            "zerolinecolor": GRID,
        }
        figure.update_layout({"scene": {name: look}})
    figure.update_layout(
        scene={
            "dragmode": "turntable",
            "aspectmode": "data",
            "camera": {"eye": {"x": 1.5, "y": 1.5, "z": 1.1}},
        }
    )
