"""Strategies side by side: one table, one chart, and what may be said about the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.charts.classification import strategy_scores
from pages.components.columns import cost_columns, interval_text, score_columns
from pages.components.guard import plain
from pages.components.kept import results
from tl_core.data.findings import is_unequal
from tl_core.outcomes.experiment import Summary, same_each_time
from tl_core.runs.store import Job, Run

MAJORITY = "Most frequent class"


def show_summary(job: Job, runs: Sequence[Run]) -> None:
    """The table of strategies, the chart of their seeds, and the sentences on significance."""
    summary = results.summary(job, runs)
    best = summary.best
    if summary.warning:
        st.warning(plain(summary.warning), icon=":material/warning:")
    unequal = is_unequal(results.test_counts(job).values())
    table = _table(summary)
    st.dataframe(
        table,
        hide_index=True,
        column_order=_order(list(table.columns), unequal),
        column_config=_columns(),
        placeholder="",
        alt="Accuracy, macro-F1 and cost of each strategy beside the most frequent class",
    )
    st.caption(
        f"Scored on {summary.rows:,} test rows. The interval would hold the true accuracy in 95 of 100 such tests, for "
        "other rows and, of several seeds, other seeds; ± is the spread between seeds; macro-F1 counts every class alike."
    )
    if unequal:
        st.caption(
            "The classes of the test rows are unequal, so macro-F1 stands first: accuracy says little of the rare ones."
        )
    if same := same_each_time(summary.points):
        st.caption(plain(same))
    st.plotly_chart(
        strategy_scores(summary.points, summary.majority_accuracy or 0.0),
        key="result.scores",
        alt=f"Accuracy of each strategy and seed; {best.title} has the highest mean, {best.value:.1%}",
    )
    st.caption(
        "Open marks are single seeds, the filled one is their mean with its 95 % interval. "
        "What lies left of the most frequent class is worse than always answering that class."
    )
    if summary.lines:
        st.markdown("**Larger than chance?**")
        st.text("\n".join(summary.lines))


def _order(columns: list[str], unequal: bool) -> list[str]:
    """Macro-F1 before accuracy where accuracy says little."""
    if unequal:
        columns.remove("macro_f1")
        columns.insert(columns.index("accuracy"), "macro_f1")
    return columns


def _table(summary: Summary) -> pd.DataFrame:
    rows = [
        {
            "strategy": point.title,
            "seeds": len(point.seeds),
            "accuracy": 100 * point.value,
            "spread": None if point.spread is None else 100 * point.spread,
            "interval": interval_text(point.interval),
            "macro_f1": 100 * point.mean("macro_f1"),
            "seconds": point.seconds,
            "parameters": point.trained_parameters,
            "memory": round(point.peak_memory / 1e6),
        }
        for point in summary.points
    ]
    rows.append({"strategy": MAJORITY, "accuracy": 100 * (summary.majority_accuracy or 0.0)})
    return pd.DataFrame(rows).astype(
        {"seeds": "Int64", "parameters": "Int64", "memory": "Int64", "spread": "float64"}
    )


def _columns() -> dict[str, Any]:
    return {
        "strategy": st.column_config.TextColumn("Strategy", pinned=True),
        "seeds": st.column_config.NumberColumn("Seeds", width="small"),
        **score_columns(),
        **cost_columns(),
    }
