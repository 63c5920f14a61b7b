"""Layers and heads of attention as plotly figures that take a click: pure functions, in the look of `style`.

The page draws a figure with `chosen`, passes what Streamlit selected to `head_of`, and draws anew with the answer.
Heat maps and images take no click, so an invisible marker lies on each tile; the nearest one is always under the
pointer.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from PIL import Image

from pages.components.charts.style import ACCENT, CLEAR, CUT, escaped, rgb, styled, translucent

Head = tuple[int, int]
Notes = Sequence[Sequence[str]]

HEADS = "heads"  # the name of the trace that takes the click
GAP = 2  # empty pixels between two tiles
GROUND = 22  # opacity, of 255, of a tile's pixel without attention
ROW = 38  # pixels on screen for a layer of tiles
DEEPEST = 0.7  # opacity under a number that stays readable
TEXT = "#000037"  # Streamlit puts the theme's colour of text in its place; elsewhere it is as good as black


def head_grid(
    pixels: NDArray[np.uint8], *, chosen: Head | None = None, notes: Notes | None = None
) -> go.Figure:
    """All heads as small pictures from `pixels` (L, H, s, s), 0 to 255: layers as rows, layer 1 on top.

    `chosen` is outlined, `notes` tell something of each head on hover. The picture is a PNG in the figure, one
    byte a pixel before it is packed.
    """
    layers, heads, side, _ = pixels.shape
    step = 1 / (side + GAP)
    first = 1 - step * (side - 1) / 2  # the centre of a tile lies on the whole number of its head
    figure = go.Figure(
        go.Image(source=_png(pixels), x0=first, y0=first, dx=step, dy=step, hoverinfo="skip"),
    )
    figure.add_trace(_click_layer(layers, heads, "Layer %{y}, head %{x}", notes))
    return _headed(figure, layers, heads, chosen)


def _png(pixels: NDArray[np.uint8]) -> str:
    """Tiles side by side, as a PNG of one colour in 256 opacities, which suits light and dark."""
    layers, heads, side, _ = pixels.shape
    shown = np.maximum(pixels, GROUND)
    framed = np.pad(shown, ((0, 0), (0, 0), (0, GAP), (0, GAP)))
    sheet = framed.transpose(0, 2, 1, 3).reshape(layers * (side + GAP), heads * (side + GAP))
    picture = Image.fromarray(np.ascontiguousarray(sheet[:-GAP, :-GAP])).convert("P")
    picture.putpalette(rgb(ACCENT) * 256)
    written = io.BytesIO()
    picture.save(written, "PNG", transparency=bytes(range(256)), optimize=True)
    return f"data:image/png;base64,{b64encode(written.getvalue()).decode()}"


def head_table(
    values: NDArray[np.floating[Any]],
    *,
    title: str,
    tickformat: str = ".2f",
    signed: bool = False,
    text: Notes | None = None,
    chosen: Head | None = None,
) -> go.Figure:
    """A number for each head, from `values` (L, H), on its shade; NaN stays empty. `chosen` is outlined.

    `title` names the number on hover, `tickformat` is a d3 format, `text` tells something of each head. Signed
    numbers are blue above zero and orange below.
    """
    layers, heads = values.shape
    largest = largest_of(values)
    shade = go.Heatmap(
        z=np.asarray(values, dtype=np.float32),
        x=list(range(1, heads + 1)),
        y=list(range(1, layers + 1)),
        zmin=-largest if signed else 0,
        zmax=largest,
        colorscale=shades(signed, deepest=DEEPEST),
        showscale=False,
        texttemplate=f"%{{z:{tickformat}}}",
        textfont={"color": TEXT},
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    hover = f"Layer %{{y}}, head %{{x}}<br>{escaped(title)}: %{{customdata:{tickformat}}}"
    tiles = _click_layer(layers, heads, hover, text)
    tiles.customdata = np.asarray(values, dtype=np.float32).ravel()
    return _headed(go.Figure([shade, tiles]), layers, heads, chosen)


def largest_of(values: NDArray[np.floating[Any]]) -> float:
    """The largest absolute value, at least a little above zero; NaN does not count."""
    known = np.abs(values[np.isfinite(values)])
    return max(float(known.max(initial=0.0)), 1e-9)


def shades(signed: bool, *, deepest: float = 1.0, bend: float = 1.0) -> list[tuple[float, str]]:
    """A colour scale from nothing to blue, or from orange over nothing to blue.

    A `bend` of 0.5 shows the square root of the values, so that small ones are seen.
    """
    steps = np.linspace(0, 1, 11)
    blue = [(at, translucent(ACCENT, deepest * at**bend)) for at in steps.tolist()]
    if not signed:
        return blue
    orange = [(0.5 - at / 2, translucent(CUT, deepest * at**bend)) for at in steps[::-1].tolist()]
    return [*orange, *((0.5 + at / 2, colour) for at, colour in blue)]


def head_of(figure: go.Figure, points: Iterable[Mapping[str, Any]]) -> Head | None:
    """Layer and head, from 0, of the first tile among the points that Streamlit says are selected."""
    for point in points:
        trace, at = int(point["curve_number"]), int(point["point_index"])
        if trace < len(figure.data) and figure.data[trace].name == HEADS and at < len(figure.data[trace].x):
            return int(figure.data[trace].y[at]) - 1, int(figure.data[trace].x[at]) - 1
    return None


def _click_layer(layers: int, heads: int, hover: str, notes: Notes | None) -> go.Scatter:
    """A marker that nobody sees on the middle of each tile."""
    y, x = np.mgrid[1 : layers + 1, 1 : heads + 1].astype(np.uint8)
    texts = None if notes is None else [escaped(note) for row in notes for note in row]
    if texts is not None and len(texts) != layers * heads:
        raise ValueError(f"{len(texts)} notes for {layers} x {heads} heads")
    return go.Scatter(
        x=x.ravel(),
        y=y.ravel(),
        name=HEADS,
        mode="markers",
        marker={"symbol": "square", "size": 6, "color": CLEAR},
        hovertext=texts,
        hovertemplate=hover + ("<br>%{hovertext}" if texts else "") + "<extra></extra>",
    )


def _headed(figure: go.Figure, layers: int, heads: int, chosen: Head | None) -> go.Figure:
    """Axes of heads and layers, counted from 1, and an outline around the chosen head."""
    axis = {"zeroline": False, "showgrid": False, "fixedrange": True, "ticks": "", "dtick": 1, "tick0": 1}
    figure.update_xaxes(title={"text": "Head", "standoff": 8}, range=[0.46, heads + 0.54], **axis)
    figure.update_yaxes(
        title={"text": "Layer", "standoff": 12}, range=[layers + 0.54, 0.46], scaleanchor=False, **axis
    )
    if chosen is not None:
        layer, head = chosen[0] + 1, chosen[1] + 1
        figure.add_shape(
            type="rect", x0=head - 0.5, x1=head + 0.5, y0=layer - 0.5, y1=layer + 0.5,
            line={"color": CUT, "width": 3},
        )  # fmt: skip
    styled(figure, height=70 + ROW * layers)
    figure.update_layout(hoverdistance=-1)
    return figure
