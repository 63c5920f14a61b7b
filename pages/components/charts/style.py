"""The one look of all figures, in light and dark: colours, symbols, and text of users made safe.

Fonts, text and grid colours come from Streamlit's theme, which fills in what a figure leaves
open; backgrounds are transparent. The colours reach a contrast of 3 on both backgrounds and
stay apart for colour-blind readers; a symbol says the same as the colour. Text of users is
escaped, since plotly reads some HTML in it.
"""

from __future__ import annotations

import html
from collections.abc import Mapping

import plotly.graph_objects as go

from tl_core.tasks.classify.strategies import STRATEGIES

STRATEGY_COLOURS = {row.name: row.colour for row in STRATEGIES}
STRATEGY_SYMBOLS = {row.name: row.symbol for row in STRATEGIES}
ACCENT = STRATEGY_COLOURS["frozen"]
CUT = STRATEGY_COLOURS["lora"]
NEUTRAL = STRATEGY_COLOURS["tfidf"]
CLEAR = "rgba(0, 0, 0, 0)"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")

# Groups, senses, words and other things that are no strategies take these in their order.
GROUP_COLOURS = (
    ACCENT,
    CUT,
    *(STRATEGY_COLOURS[name] for name in ("full", "mean", "bow", "cnn", "bag")),
    NEUTRAL,
)
GROUP_SYMBOLS = ("circle", "diamond", "triangle-up", "square", "x", "star")

ARM_COLOURS = (
    *GROUP_COLOURS,
    *(
        strategy_colour
        for strategy_colour in STRATEGY_COLOURS.values()
        if strategy_colour not in GROUP_COLOURS
    ),
)
ARM_SYMBOLS = tuple(dict.fromkeys((*GROUP_SYMBOLS, *STRATEGY_SYMBOLS.values())))

LONGEST_NAME = 24  # characters beside an axis or in a legend; the whole text is in the hover
LONGEST_HOVER = 300


def arm_looks(strategies: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """(colour, symbol) of each arm of an experiment, by the strategy of each.

    The strategy's own arm, or else its first one, has the strategy's; others, and those of other tasks' strategies, take
    those that no arm has yet.
    """
    first = {name: arm for arm, name in reversed(list(strategies.items()))}
    first |= {name: name for name in first if strategies.get(name) == name}
    looks = {
        arm: (STRATEGY_COLOURS[name], STRATEGY_SYMBOLS[name])
        for name, arm in first.items()
        if name in STRATEGY_COLOURS
    }
    used = set(looks.values())
    colours = [
        arm_colour for arm_colour in ARM_COLOURS if arm_colour not in {colour for colour, _ in used}
    ] or ARM_COLOURS
    symbols = [
        arm_symbol for arm_symbol in ARM_SYMBOLS if arm_symbol not in {symbol for _, symbol in used}
    ] or ARM_SYMBOLS
    others = [arm for arm in strategies if arm not in looks]
    for at, arm in enumerate(others):
        looks[arm] = (colours[at % len(colours)], symbols[at % len(symbols)])
    return looks


def rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour written as '#4a7fe0'."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def translucent(colour: str, opacity: float) -> str:
    """The colour with an opacity from 0 to 1, as plotly and CSS both read it."""
    red, green, blue = rgb(colour)
    return f"rgba({red}, {green}, {blue}, {opacity:.3f})"


def escaped(text: str, longest: int = LONGEST_HOVER) -> str:
    """User text for a figure: one line, cut with an ellipsis, no HTML, no LaTeX."""
    line = " ".join(text.split())
    line = line if len(line) <= longest else line[: longest - 1].rstrip() + "…"
    return html.escape(line, quote=False).replace("$", "&#36;")


def styled(figure: go.Figure, *, height: int, legend: bool = False, top: int = 10) -> go.Figure:
    """The look that all figures share; what stays open here is filled by the theme of the page."""
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": top, "b": 0},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        hovermode="closest",
        dragmode=False,
        bargap=0,
    )
    return figure
