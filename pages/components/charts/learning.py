"""Word vectors being learned, as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.components.charts.style import (
    ACCENT,
    CUT,
    DASHES,
    GROUP_COLOURS,
    GROUP_SYMBOLS,
    LONGEST_NAME,
    escaped,
    styled,
)
from tl_core.runs.events import Curve

PANELS = {"loss": "Loss of the epoch", "words_per_second": "Words a second"}
COLOURS = {"loss": ACCENT, "words_per_second": CUT}
MOST_MARKED = 40  # points, up to which each has a mark


def learning_by_epoch(curves: Sequence[Curve]) -> go.Figure:
    """Loss, where there is one, over words a second, by epoch from 1; other curves are left out."""
    of = {curve.name: curve for curve in curves}
    names = [name for name in PANELS if name in of] or ["words_per_second"]
    figure = make_subplots(rows=len(names), cols=1, shared_xaxes=True, vertical_spacing=0.1)
    for row, name in enumerate(names, start=1):
        curve = of.get(name, Curve(name, (), ()))
        figure.add_trace(
            go.Scatter(
                x=curve.steps,
                y=curve.values,
                mode=_mode(len(curve.steps)),
                line={"color": COLOURS[name], "width": 2},
                marker={"color": COLOURS[name], "symbol": GROUP_SYMBOLS[row - 1], "size": 8},
                hovertemplate=f"epoch %{{x}}: %{{y:,.4s}}<extra>{PANELS[name]}</extra>",
            ),
            row=row,
            col=1,
        )
        figure.update_yaxes(title_text=PANELS[name], tickformat="~s", rangemode="tozero", row=row, col=1)
    figure.update_xaxes(**_epochs(of.values()))
    figure.update_xaxes(title_text="Epoch", row=len(names), col=1)
    return styled(figure, height=90 + 170 * len(names))


def neighbours_changed(changed: Mapping[str, Sequence[int]], neighbours: int) -> go.Figure:
    """Number of a word's nearest that were none an epoch before, by epoch from the second; one line a word."""
    figure = go.Figure()
    for at, (word, counts) in enumerate(changed.items()):
        colour, symbol = GROUP_COLOURS[at % len(GROUP_COLOURS)], GROUP_SYMBOLS[at % len(GROUP_SYMBOLS)]
        figure.add_trace(
            go.Scatter(
                x=list(range(2, 2 + len(counts))),
                y=list(counts),
                mode=_mode(len(counts)),
                name=escaped(word, LONGEST_NAME),
                line={"color": colour, "width": 2, "dash": DASHES[at // len(GROUP_COLOURS) % len(DASHES)]},
                marker={"color": colour, "symbol": symbol, "size": 8},
                hovertemplate=f"{escaped(word, LONGEST_NAME)}, epoch %{{x}}: %{{y}} new<extra></extra>",
            )
        )
    figure.update_yaxes(title_text=f"New of {neighbours}", range=[-0.4, neighbours + 0.4])
    last = max((len(counts) + 1 for counts in changed.values()), default=2)
    figure.update_xaxes(title_text="Epoch", dtick=1 if last <= 20 else None)
    return styled(figure, height=280, legend=len(changed) > 1)


def _epochs(curves: Iterable[Curve]) -> dict[str, int | None]:
    """Ticks at whole epochs, as long as they are few."""
    last = max((max(curve.steps, default=1) for curve in curves), default=1)
    return {"dtick": 1 if last <= 20 else None}


def _mode(points: int) -> str:
    return "lines+markers" if points <= MOST_MARKED else "lines"
