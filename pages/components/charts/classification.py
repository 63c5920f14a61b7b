"""Results of classifiers as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from pages.components.charts.style import (
    ACCENT,
    CUT,
    DASHES,
    LONGEST_NAME,
    NEUTRAL,
    STRATEGY_COLOURS,
    STRATEGY_SYMBOLS,
    arm_looks,
    escaped,
    rgb,
    styled,
)
from tl_core.outcomes.experiment import Point
from tl_core.runs.events import Curve
from tl_core.tasks.classify.metrics import Report
from tl_core.tasks.intervals import Interval

MOST_CLASSES = 30
MOST_POINTS = 1500
LENGTH_BINS = 40


def learning_curves(
    curves_by_run: Mapping[str, Sequence[Curve]], strategies: Mapping[str, str] | None = None
) -> go.Figure:
    """Loss above, validation accuracy below, by optimizer step; several runs lie over one another.

    `strategies` names the strategy of each run, for its colour. The training loss is drawn light
    as measured and solid smoothed, validation with markers.
    """
    named = {curve.name for curves in curves_by_run.values() for curve in curves}
    with_accuracy = "validation accuracy" in named
    figure = make_subplots(
        rows=2 if with_accuracy else 1,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.09,
        row_heights=[0.58, 0.42] if with_accuracy else None,
    )
    looks = _looks(list(curves_by_run), strategies or {})
    for title, curves in curves_by_run.items():
        of = {curve.name: curve for curve in curves}
        _add_run(figure, title, of, looks[title], alone=len(curves_by_run) == 1)
    figure.update_yaxes(title_text="Loss", rangemode="tozero", row=1, col=1)
    if with_accuracy:
        figure.update_yaxes(title_text="Validation accuracy", tickformat=".0%", row=2, col=1)
    figure.update_xaxes(title_text="Optimizer step", row=2 if with_accuracy else 1, col=1)
    return styled(figure, height=460 if with_accuracy else 320, legend=True)


def _looks(titles: Sequence[str], strategies: Mapping[str, str]) -> dict[str, tuple[str, str, str]]:
    """(colour, symbol, dash) of each run: the strategy's colour; its second run is dashed, and so on."""
    colours, symbols = list(STRATEGY_COLOURS.values()), list(STRATEGY_SYMBOLS.values())
    turns: dict[str, int] = {}
    looks = {}
    for at, title in enumerate(titles):
        name = strategies.get(title, "")
        colour = STRATEGY_COLOURS.get(name, colours[(at + 1) % len(colours)])
        symbol = STRATEGY_SYMBOLS.get(name, symbols[(at + 1) % len(symbols)])
        turn = turns.setdefault(colour, 0)
        turns[colour] += 1
        looks[title] = (_shade(colour, turn), symbol, DASHES[turn % len(DASHES)])
    return looks


def _shade(colour: str, turn: int) -> str:
    """The colour, then lighter and darker ones of the same hue, for the runs of one strategy."""
    target, share = ((0, 0.0), (255, 0.35), (0, 0.3))[turn % 3]
    return "#" + "".join(f"{round(part + (target - part) * share):02x}" for part in rgb(colour))


@dataclass(frozen=True, slots=True)
class _Stroke:
    """How one kind of curve is drawn, and in which of the two panels."""

    name: str
    panel: int
    mode: str
    width: float
    opacity: float


EACH_STEP = _Stroke("Training loss of each step", 1, "lines", 1.0, 0.3)
SMOOTHED = _Stroke("Training loss, smoothed", 1, "lines", 1.5, 0.8)
VALIDATION = _Stroke("Validation loss", 1, "lines+markers", 2.0, 1.0)
ACCURACY = _Stroke("Validation accuracy", 2, "lines+markers", 2.0, 1.0)


def _add_run(
    figure: go.Figure, title: str, curves: Mapping[str, Curve], look: tuple[str, str, str], *, alone: bool
) -> None:
    """One run's curves; the legend names its curves where it is alone, else the run once."""
    strokes: list[tuple[_Stroke, Curve]] = []
    if training := curves.get("training loss"):
        strokes += [(EACH_STEP, training)] if alone else []
        strokes.append((SMOOTHED, _smoothed(training)))
    if validation := curves.get("validation loss"):
        strokes.append((VALIDATION, validation))
    if accuracy := curves.get("validation accuracy"):
        strokes.append((ACCURACY, accuracy))
    colour, symbol, dash = look
    for stroke, curve in strokes:
        steps, values = _thinned(curve)
        number = ":.3f" if stroke.panel == 1 else ":.1%"
        figure.add_trace(
            go.Scatter(
                x=steps,
                y=values,
                mode=stroke.mode,
                name=stroke.name if alone else escaped(title, 2 * LONGEST_NAME),
                legendgroup=None if alone else title,
                showlegend=stroke.panel == 1 if alone else stroke is strokes[-1][0],
                opacity=stroke.opacity,
                line={"color": colour, "width": stroke.width, "dash": dash},
                marker={"color": colour, "symbol": symbol, "size": 8},
                hovertemplate=(
                    f"{escaped(title)}<br>{stroke.name}: %{{y{number}}} at step %{{x:,}}<extra></extra>"
                ),
            ),
            row=stroke.panel,
            col=1,
        )


def _smoothed(curve: Curve) -> Curve:
    """An exponential mean over about a twentieth of the steps, free of the pull to its start."""
    span = max(5.0, len(curve.values) / 20)
    keep = 1 - 2 / (span + 1)
    mean, weight, values = 0.0, 0.0, []
    for value in curve.values:
        mean, weight = keep * mean + (1 - keep) * value, keep * weight + (1 - keep)
        values.append(mean / weight)
    return Curve(curve.name, curve.steps, tuple(values))


def _thinned(curve: Curve) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """At most MOST_POINTS points of a curve, evenly chosen, its ends among them."""
    if len(curve.steps) <= MOST_POINTS:
        return curve.steps, curve.values
    chosen = np.linspace(0, len(curve.steps) - 1, MOST_POINTS).round().astype(int)
    return tuple(curve.steps[at] for at in chosen), tuple(curve.values[at] for at in chosen)


def reliability(report: Report, strategy: str = "") -> go.Figure:
    """Accuracy against stated probability for each bin that holds rows, over how many rows it holds."""
    bins = [bin for bin in report.bins if bin.count]
    colour, symbol = STRATEGY_COLOURS.get(strategy, ACCENT), STRATEGY_SYMBOLS.get(strategy, "circle")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.72, 0.28])
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[0, 1],
            mode="lines",
            name="as sure as right",
            line={"color": NEUTRAL, "dash": "dash", "width": 1.5},
            hoverinfo="skip",
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Scatter(
            x=[bin.confidence for bin in bins],
            y=[bin.accuracy for bin in bins],
            mode="lines+markers",
            name="this run",
            line={"color": colour, "width": 2},
            marker={"color": colour, "symbol": symbol, "size": 10},
            customdata=[(bin.count, bin.low, bin.high) for bin in bins],
            hovertemplate=(
                "said %{x:.1%}, right %{y:.1%}<br>%{customdata[0]:,} rows between %{customdata[1]:.0%} "
                "and %{customdata[2]:.0%}<extra></extra>"
            ),
        ),
        row=1,
        col=1,
    )
    figure.add_trace(
        go.Bar(
            x=[(bin.low + bin.high) / 2 for bin in bins],
            y=[bin.count for bin in bins],
            width=[0.92 * (bin.high - bin.low) for bin in bins],
            marker={"color": colour, "opacity": 0.6},
            text=[f"{bin.count:,}" for bin in bins],
            textposition="outside",
            cliponaxis=False,
            showlegend=False,
            hovertemplate="%{y:,} rows<extra></extra>",
        ),
        row=2,
        col=1,
    )
    figure.update_yaxes(title_text="Share right", tickformat=".0%", range=[-0.03, 1.05], row=1, col=1)
    most = max((bin.count for bin in bins), default=1)
    figure.update_yaxes(title_text="Rows", range=[0, 1.35 * most], nticks=3, row=2, col=1)
    figure.update_xaxes(range=[-0.02, 1.02], tickformat=".0%")
    figure.update_xaxes(title_text="Probability that the model states", row=2, col=1)
    return styled(figure, height=460, legend=True)


def strategy_scores(rows: Sequence[Point], majority_accuracy: float) -> go.Figure:
    """One line an arm: a dot for each seed, the mean with its 95 % interval, the majority as a line."""
    figure = go.Figure()
    looks = arm_looks({row.arm: row.strategy for row in rows})
    for row in rows:
        colour, symbol = looks[row.arm]
        interval, title = row.interval or Interval(row.value, row.value), escaped(row.title)
        figure.add_trace(
            go.Scatter(
                x=row.values,
                y=[title] * len(row.values),
                mode="markers",
                marker={"color": colour, "symbol": f"{symbol}-open", "size": 14, "line": {"width": 2}},
                customdata=row.seeds,
                hovertemplate=f"{title}, seed %{{customdata}}: %{{x:.1%}}<extra></extra>",
            )
        )
        figure.add_trace(
            go.Scatter(
                x=[row.value],
                y=[title],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 10},
                error_x={
                    "type": "data",
                    "symmetric": False,
                    "array": [max(0.0, interval.high - row.value)],
                    "arrayminus": [max(0.0, row.value - interval.low)],
                    "color": colour,
                    "thickness": 2,
                    "width": 7,
                },
                hovertemplate=(
                    f"{title}: mean %{{x:.1%}}, "
                    f"95 % interval {interval.low:.1%} to {interval.high:.1%}<extra></extra>"
                ),
            )
        )
    ends = [value for row in rows for value in row.values]
    ends += [x for row in rows if row.interval for x in (row.interval.low, row.interval.high)]
    ends = _mark_majority(figure, majority_accuracy, min(ends), max(ends))
    pad = max(0.02, 0.06 * (max(ends) - min(ends)))
    figure.update_xaxes(
        title_text="Accuracy on the test rows",
        tickformat=".0%",
        range=[max(-0.01, min(ends) - pad), min(1.01, max(ends) + pad)],
        showgrid=True,
    )
    figure.update_yaxes(autorange="reversed", type="category", ticks="", showgrid=False)
    return styled(figure, height=110 + 46 * len(rows), top=26)


def _mark_majority(figure: go.Figure, majority: float, low: float, high: float) -> list[float]:
    """Draw the majority's accuracy as a line, or name it at the edge where it would squeeze the rest.

    The ends of what is then to be seen.
    """
    near = low - majority <= 2 * max(high - low, 0.05)
    figure.add_annotation(
        x=majority if near else 0,
        xref="x" if near else "paper",
        xanchor="center" if near else "left",
        y=1,
        yref="paper",
        yanchor="bottom",
        text="most frequent class" if near else f"← most frequent class: {majority:.1%}",
        showarrow=False,
    )
    if not near:
        return [low, high]
    figure.add_vline(x=majority, line={"color": NEUTRAL, "dash": "dash", "width": 1.5})
    return [min(low, majority), max(high, majority)]


def token_lengths(lengths: Sequence[int], max_tokens: int) -> go.Figure:
    """How many texts have how many tokens, and where they are cut; what is cut has its own colour.

    Very long texts share the last bar.
    """
    counts = np.asarray(lengths, dtype=np.int64)
    longest = int(counts.max()) if len(counts) else 1
    usual = int(np.quantile(counts, 0.99)) if len(counts) else 1
    end = longest if longest <= 2 * max(usual, max_tokens) else max(2 * usual, int(1.2 * max_tokens))
    width = max(1, -(-(end + 1) // LENGTH_BINS))
    edges = np.arange(0, end + 1 + width, width)
    filled, _ = np.histogram(np.minimum(counts, edges[-1] - 1), edges)
    starts, last = edges[:-1], len(edges) - 2
    names = [f"{low:,} to {low + width - 1:,}" if width > 1 else f"{low:,}" for low in starts]
    if longest >= edges[-1]:
        names[last] = f"{starts[last]:,} or more"
    figure = go.Figure(
        go.Bar(
            x=starts + width / 2 - 0.5,
            y=filled,
            width=0.94 * width,
            marker={"color": [CUT if low > max_tokens else ACCENT for low in starts]},
            customdata=names,
            hovertemplate="%{y:,} texts of %{customdata} tokens<extra></extra>",
        )
    )
    if max_tokens <= 1.5 * edges[-1]:
        figure.add_vline(x=max_tokens + 0.5, line={"color": CUT, "dash": "dash", "width": 1.5})
        late = max_tokens > 0.6 * edges[-1]
        figure.add_annotation(
            x=max_tokens + 0.5,
            y=1,
            yref="paper",
            xanchor="right" if late else "left",
            yanchor="top",
            text=f" cut after {max_tokens:,} tokens ",
            showarrow=False,
        )
    figure.update_xaxes(title_text="Tokens in a text", tickformat=",", rangemode="tozero")
    figure.update_yaxes(title_text="Texts", tickformat=",")
    return styled(figure, height=260)


def class_counts(counts: Mapping[str, int]) -> go.Figure:
    """Rows of each class as horizontal bars, the most frequent on top; many rare classes share a bar."""
    ranked = sorted(counts.items(), key=lambda each: -each[1])
    rest = ranked[MOST_CLASSES:] if len(ranked) > MOST_CLASSES + 1 else []
    shown = ranked[: len(ranked) - len(rest)]
    names = [escaped(label, LONGEST_NAME) for label, _ in shown]
    whole = [escaped(label) for label, _ in shown]
    values = [count for _, count in shown]
    if rest:
        names.append(f"{len(rest):,} more classes")
        whole.append(names[-1])
        values.append(sum(count for _, count in rest))
    places = list(range(len(names)))
    figure = go.Figure(
        go.Bar(
            x=values,
            y=places,
            orientation="h",
            width=0.72,
            marker={"color": [ACCENT] * len(shown) + [NEUTRAL] * bool(rest)},
            text=[f"{value:,}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=whole,
            hovertemplate="%{customdata}: %{x:,} rows<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="Rows", tickformat=",", range=[0, 1.15 * max(values, default=1)])
    figure.update_yaxes(
        tickmode="array", tickvals=places, ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False
    )
    return styled(figure, height=80 + 30 * max(1, len(names)))
