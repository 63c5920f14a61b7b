"""What a grid found: accuracy over rows, the worth of the source, and the cost beside the gain."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from pages.components.charts.grid import accuracy_over_rows, worth_of_source
from pages.components.downloads import csv_button
from pages.views.comparison.summary import MEMORY_HELP, SECONDS_HELP, interval_text
from tl_core.outcomes.grid import Grid


def show_grid(grid: Grid) -> None:
    """The curve, the sentences, the gains and the table."""
    if grid.points:
        st.plotly_chart(
            accuracy_over_rows(grid),
            key="grid.curve",
            alt="Accuracy of each strategy over the rows learned from",
        )
        st.caption(
            "Means over seeds; bands are their standard deviation. "
            + ("Solid lines begin with the source, dashed ones without it. " if _has_both(grid) else "")
            + f"All are scored on the same {grid.test_rows:,} test rows."
        )
    for each in grid.zero:
        st.text(f"The source's own model ({each.title}), without one row of the target: {each.accuracy:.1%}.")
    if grid.gains:
        st.markdown("**What the source is worth**")
        st.plotly_chart(worth_of_source(grid.gains), key="grid.gains", alt="Gain by the source over the rows")
        st.text("\n".join(each.sentence for each in grid.gains))
        st.caption(
            "Paired on the same test rows; the interval draws rows and seeds anew; p-values are corrected for all gains "
            "of this grid (Holm)."
        )
    _show_table(grid)


def _has_both(grid: Grid) -> bool:
    return len({each.from_source for each in grid.points}) > 1


def _show_table(grid: Grid) -> None:
    st.markdown("**Cost beside gain**")
    gains = {(each.strategy, each.per_class): each.difference for each in grid.gains}
    rows = [
        {
            "strategy": each.title,
            "start": "source" if each.from_source else "plain",
            "rows": round(each.rows),
            "seeds": len(each.accuracies),
            "accuracy": 100 * each.accuracy,
            "spread": None if each.spread is None else 100 * each.spread,
            "interval": interval_text(each.interval),
            "gain": 100 * gains[each.strategy, each.per_class]
            if each.from_source and (each.strategy, each.per_class) in gains
            else None,
            "seconds": each.seconds,
            "parameters": each.trained_parameters,
            "memory": round(each.peak_memory / 1e6),
        }
        for each in grid.points
    ]
    frame = pd.DataFrame(rows)
    st.dataframe(
        frame.astype({"spread": "float64", "gain": "float64"}) if rows else frame,
        hide_index=True,
        height="content" if len(rows) <= 14 else 530,
        column_config=_columns(),
        placeholder="",
        alt="Accuracy and cost of each strategy, start and number of rows",
    )
    csv_button(list(frame.columns), frame.itertuples(index=False), "grid.csv", "grid.csv")


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "strategy": st.column_config.TextColumn("Strategy", pinned=True),
        "start": st.column_config.TextColumn("Start", width="small"),
        "rows": number("Rows", format="localized"),
        "seeds": number("Seeds", width="small"),
        "accuracy": number("Accuracy, %", format="%.1f"),
        "spread": number("± sd", format="%.1f", width="small"),
        "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
        "gain": number("Gain, points", format="%+.1f", help="By the source, at the same rows."),
        "seconds": number("Seconds", format="%.1f", help=SECONDS_HELP),
        "parameters": number("Trained parameters", format="localized"),
        "memory": number("Peak memory, MB", format="localized", help=MEMORY_HELP),
    }
