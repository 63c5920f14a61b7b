"""The result of an experiment: scores over sizes, the worth of the source, and the cost beside the gain."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components.charts.grid import scores_over_sizes, worth_of_source
from pages.components.choice import one_of
from pages.components.columns import cost_columns, interval_text, score_columns
from pages.components.downloads import csv_button
from pages.components.guard import plain
from tl_core.outcomes.experiment import Grid, same_each_time


def show_grid(grid: Grid, *, choose_measure: bool = False) -> None:
    """The curve, the sentences, the gains and the table; with a choice of the measure of the curve, where wanted."""
    if grid.points:
        _show_curve(grid, choose_measure)
    for score in grid.zero:
        st.text(score.sentence)
    if grid.gains:
        st.markdown("**What the source is worth**")
        strategies = {point.arm: point.strategy for point in grid.points}
        st.plotly_chart(
            worth_of_source(grid.gains, strategies), key="grid.gains", alt="Gain by the source over the rows"
        )
        st.text("\n".join(gain.sentence for gain in grid.gains))
        st.caption(
            f"In points of {grid.measure}, against the same training without the source. Paired on the same test "
            f"{grid.unit}s; the interval is for other {grid.unit}s and, from two seeds on, other seeds; it is corrected for "
            "all gains of this grid (Holm)."
        )
    _show_table(grid)


def _show_curve(grid: Grid, choose_measure: bool) -> None:
    names = dict(grid.measures)
    measure = grid.measures[0][0]
    if choose_measure:
        others_first = [*grid.measures[1:], grid.measures[0]]
        titles = {key: f"{name[0].upper()}{name[1:]}" for key, name in others_first}
        measure = one_of("Measure", titles, key="trained.measure", label_visibility="visible")
    st.plotly_chart(
        scores_over_sizes(grid, measure),
        key="grid.curve",
        alt=f"{names[measure]} of each arm over the {grid.unit}s learned from",
    )
    dashed = "Solid lines begin with the source, dashed ones without it. " if _has_both(grid) else ""
    st.caption(
        f"Means over seeds; bands are their standard deviation. {dashed}All are scored on the same "
        f"{grid.test_rows:,} test {grid.unit}s."
    )
    if same := same_each_time(grid.points, grid.unit):
        st.caption(plain(same))


def _has_both(grid: Grid) -> bool:
    return len({point.from_source for point in grid.points}) > 1


def _show_table(grid: Grid) -> None:
    st.markdown("**Cost beside gain**")
    gains = {(gain.arm, gain.size): gain.difference for gain in grid.gains}
    first, *others = (key for key, _ in grid.measures)
    rows = [
        {
            "strategy": point.title,
            "start": "source" if point.from_source else "plain",
            "rows": round(point.rows),
            "seeds": len(point.values),
            first: 100 * point.value,
            "spread": None if point.spread is None else 100 * point.spread,
            "interval": interval_text(point.interval),
            **{key: 100 * point.mean(key) for key in others if key in point.others},
            "gain": 100 * gains[point.arm, point.size]
            if point.from_source and (point.arm, point.size) in gains
            else None,
            "seconds": point.seconds,
            "parameters": point.trained_parameters,
            "memory": round(point.peak_memory / 1e6),
        }
        for point in grid.points
    ]
    frame = pd.DataFrame(rows)
    st.dataframe(
        frame.astype({"spread": "float64", "gain": "float64"}) if rows else frame,
        hide_index=True,
        height="content" if len(rows) <= 14 else 530,
        column_order=_order(grid, list(frame.columns)),
        column_config=_columns(grid),
        placeholder="",
        alt="Scores and cost of each arm, start and size",
    )
    csv_button(list(frame.columns), frame.itertuples(index=False), "grid.csv", "grid.csv")


def _order(grid: Grid, columns: list[str]) -> list[str]:
    """The columns that say something: without a source there is no start to tell apart, and nothing is gained."""
    sourced = any(point.from_source for point in grid.points)
    return [name for name in columns if sourced or name not in ("start", "gain")]


def _columns(grid: Grid) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "strategy": st.column_config.TextColumn("Start" if grid.told_by_start else "Strategy", pinned=True),
        "start": st.column_config.TextColumn("Kind" if grid.told_by_start else "Start", width="small"),
        "rows": number(f"{grid.unit.capitalize()}s", format="localized"),
        "seeds": number("Seeds", width="small"),
        **score_columns(),
        "gain": number("Gain, points", format="%+.1f", help=f"By the source, at the same {grid.unit}s."),
        **cost_columns(),
    }
