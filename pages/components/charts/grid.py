"""A grid's results as plotly figures: accuracy over rows, and what the source is worth at each size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from pages.components.charts.style import (
    ACCENT,
    CUT,
    LONGEST_NAME,
    NEUTRAL,
    STRATEGY_COLOURS,
    arm_looks,
    escaped,
    styled,
    translucent,
)
from tl_core.encoders.movement.probe import Probed
from tl_core.outcomes.experiment import Gain, Grid, Point, spread_of
from tl_core.outcomes.moved import MovedLayers, MovedWords

FROM_SOURCE = "from the source"
BAND = 0.16  # opacity
LONGEST_TITLE = 48


def scores_over_sizes(grid: Grid, measure: str = "") -> go.Figure:
    """One line an arm and start over what was learned from, on a log axis; bands are the spread of the seeds.

    A line from the source is solid, one without it dashed. Levels: the source's own model, the majority. `measure` is
    the key of the measure to show, '' for the share of right answers, which alone has levels.
    """
    first = grid.measures[0]
    key, name = next((each for each in grid.measures if each[0] == measure), first)
    figure = go.Figure()
    looks = arm_looks({point.arm: point.strategy for point in grid.points})
    paired = any(point.from_source for point in grid.points) and any(
        not point.from_source for point in grid.points
    )
    for arm, from_source in dict.fromkeys((point.arm, point.from_source) for point in grid.points):
        points = [point for point in grid.points if (point.arm, point.from_source) == (arm, from_source)]
        values = {point.size: point.values if key == first[0] else point.others[key] for point in points}
        _add_line(figure, points, values, looks[arm], paired, grid)
    if key == first[0]:
        for zero in grid.zero:
            _add_level(
                figure,
                zero.value,
                f"{zero.title}, the source alone",
                STRATEGY_COLOURS.get(zero.strategy, NEUTRAL),
            )
        if grid.majority_accuracy is not None:
            _add_level(figure, grid.majority_accuracy, "Most frequent class", NEUTRAL)
    _rows_axis(figure, [point.rows for point in grid.points], grid.unit)
    title = f"{name[0].upper()}{name[1:]} on the test {grid.unit}s"
    figure.update_yaxes(title_text=title, tickformat=".0%")
    return styled(figure, height=460, legend=True)


def _rows_axis(figure: go.Figure, rows: Iterable[float], unit: str) -> None:
    """A log axis with a tick at each number of rows."""
    ticks = sorted({round(row) for row in rows})
    figure.update_xaxes(
        title_text=f"{unit.capitalize()}s learned from",
        type="log",
        tickvals=ticks,
        ticktext=[f"{tick:,}" for tick in ticks],
        minor={"ticks": ""},
    )


def _add_line(
    figure: go.Figure,
    points: Sequence[Point],
    values: Mapping[int, Sequence[float]],
    look: tuple[str, str],
    paired: bool,
    grid: Grid,
) -> None:
    first, (colour, symbol) = points[0], look
    title = escaped(first.title, LONGEST_TITLE)
    plain = paired and not first.from_source
    name = f"{title}, {FROM_SOURCE}" if first.from_source and not grid.told_by_start else title
    group = f"{first.arm} {first.from_source}"
    rows = [point.rows for point in points]
    means = [float(np.mean(values[point.size])) for point in points]
    spreads = [spread_of(values[point.size]) for point in points]
    if any(spreads):
        low = [mean - (spread or 0.0) for mean, spread in zip(means, spreads)]
        high = [mean + (spread or 0.0) for mean, spread in zip(means, spreads)]
        figure.add_trace(
            go.Scatter(
                x=[*rows, *reversed(rows)],
                y=[*high, *reversed(low)],
                fill="toself",
                fillcolor=translucent(colour, BAND),
                line={"width": 0},
                mode="lines",
                legendgroup=group,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=rows,
            y=means,
            mode="lines+markers",
            name=name,
            legendgroup=group,
            line={"color": colour, "width": 2, "dash": "dash" if plain else "solid"},
            marker={"color": colour, "symbol": f"{symbol}-open" if plain else symbol, "size": 9},
            customdata=[
                ("" if spread is None else f" ± {100 * spread:.1f}", len(values[each.size]))
                for each, spread in zip(points, spreads)
            ],
            hovertemplate=(
                f"{name}: %{{y:.1%}}%{{customdata[0]}}<br>%{{x:,.0f}} {grid.unit}s, %{{customdata[1]}} seeds<extra></extra>"
            ),
        )
    )


def _add_level(figure: go.Figure, level: float, name: str, colour: str) -> None:
    """A dotted line at an accuracy, told in the legend: a text beside it would lie upon the lines."""
    line = {"color": colour, "dash": "dot", "width": 1.5}
    figure.add_hline(y=level, line=line, name=f"{name}: {level:.1%}", showlegend=True)


def worth_of_source(gains: Iterable[Gain], strategies: Mapping[str, str] | None = None) -> go.Figure:
    """The share right from the source less that without it, in points, with its 95 % interval, over the rows.

    `strategies` are those of the arms, for their looks; an arm that is not among them is named by its strategy.
    """
    figure = go.Figure()
    by_arm: dict[str, list[Gain]] = {}
    for gain in gains:
        by_arm.setdefault(gain.arm, []).append(gain)
    looks = arm_looks(strategies or {arm: arm for arm in by_arm})
    for arm, of_arm in by_arm.items():
        colour, symbol = looks[arm]
        title, unit = escaped(of_arm[0].title, LONGEST_TITLE), of_arm[0].unit
        values = [100 * gain.difference for gain in of_arm]
        figure.add_trace(
            go.Scatter(
                x=[gain.rows for gain in of_arm],
                y=values,
                mode="lines+markers",
                name=title,
                line={"color": colour, "width": 2},
                marker={"color": colour, "symbol": symbol, "size": 9},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * gain.interval.high - value for gain, value in zip(of_arm, values)],
                    "arrayminus": [value - 100 * gain.interval.low for gain, value in zip(of_arm, values)],
                    "thickness": 1.5,
                    "width": 6,
                },
                hovertemplate=f"{title}: %{{y:+.1f}} points at %{{x:,.0f}} {unit}s<extra></extra>",
            )
        )
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1})
    every = [gain for of_arm in by_arm.values() for gain in of_arm]
    _rows_axis(figure, [each.rows for each in every], every[0].unit if every else "row")
    figure.update_yaxes(title_text="Gain by the source, points", zeroline=False)
    return styled(figure, height=340, legend=True)


def words_before_and_after(moved: MovedWords) -> go.Figure:
    """The words that moved most, before (open) and after (filled), in the plane of their two strongest directions."""
    rows = [word.row for word in moved.movement.most]
    names = [escaped(moved.words[row], LONGEST_NAME) for row in rows]
    both = np.concatenate([moved.before[rows], moved.after[rows]]).astype(np.float64)
    both -= both.mean(0)
    _, _, axes = np.linalg.svd(both, full_matrices=False)
    places = both @ axes[:2].T if len(axes) > 1 else np.column_stack([both @ axes[0], np.zeros(len(both))])
    before, after = places[: len(rows)], places[len(rows) :]
    figure = go.Figure()
    for start, end in zip(before, after):
        figure.add_trace(
            go.Scatter(
                x=[start[0], end[0]],
                y=[start[1], end[1]],
                mode="lines",
                line={"color": NEUTRAL, "width": 1},
                showlegend=False,
                hoverinfo="skip",
            )
        )
    for title, at, symbol, colour in (
        ("before", before, "circle-open", NEUTRAL),
        ("after", after, "circle", ACCENT),
    ):
        figure.add_trace(
            go.Scatter(
                x=at[:, 0],
                y=at[:, 1],
                mode="markers+text" if title == "after" else "markers",
                name=title,
                text=names,
                textposition="top center",
                marker={"color": colour, "symbol": symbol, "size": 9},
                hovertemplate=f"%{{text}}, {title}<extra></extra>",
            )
        )
    figure.update_xaxes(showticklabels=False, zeroline=False)
    figure.update_yaxes(showticklabels=False, zeroline=False)
    return styled(figure, height=460, legend=True)


def weights_by_layer(moved: MovedLayers) -> go.Figure:
    """How far the weights of each part of the encoder moved, relative to their size, in per cent."""
    figure = go.Figure(
        go.Bar(
            x=list(moved.weights.names),
            y=100 * moved.weights.values,
            marker={"color": ACCENT},
            width=0.7,
            hovertemplate="%{x}: %{y:.2f} %<extra></extra>",
        )
    )
    figure.update_yaxes(title_text="Change of weights, %")
    return styled(figure, height=300)


def similarity_by_layer(moved: MovedLayers) -> go.Figure:
    """Linear CKA of each layer's states before and after: 1 says the same but for a turn and a scale."""
    layers = list(range(len(moved.similarity)))
    figure = go.Figure(
        go.Scatter(
            x=layers,
            y=moved.similarity,
            mode="lines+markers",
            line={"color": ACCENT, "width": 2},
            marker={"size": 9},
            hovertemplate="layer %{x}: %{y:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="Layer (0: embeddings)", dtick=1)
    figure.update_yaxes(title_text="CKA, before and after", rangemode="tozero")
    return styled(figure, height=300)


def probes_by_layer(before: Probed, after: Probed) -> go.Figure:
    """Accuracy of a linear probe on each layer, before and after the source task, with standard errors."""
    figure = go.Figure()
    for title, probed, colour, symbol in (
        ("before", before, NEUTRAL, "circle-open"),
        ("after the source", after, CUT, "diamond"),
    ):
        figure.add_trace(
            go.Scatter(
                x=list(range(len(probed.accuracies))),
                y=probed.accuracies,
                mode="lines+markers",
                name=title,
                line={"color": colour, "width": 2},
                marker={"size": 9, "symbol": symbol},
                error_y={"type": "data", "array": probed.errors, "thickness": 1, "width": 4},
                hovertemplate=f"layer %{{x}}, {title}: %{{y:.1%}}<extra></extra>",
            )
        )
    figure.add_hline(y=before.commonest, line={"color": NEUTRAL, "dash": "dot", "width": 1.5})
    figure.update_xaxes(title_text="Layer (0: embeddings)", dtick=1)
    figure.update_yaxes(title_text="Accuracy of a probe", tickformat=".0%")
    return styled(figure, height=340, legend=True)
