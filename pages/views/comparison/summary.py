"""Strategies side by side: one table, one chart, and what may be said about the differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.charts.classification import strategy_scores
from pages.components.guard import plain
from pages.components.kept import results
from tl_core.outcomes.comparison import Summary
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Interval

MAJORITY = "Most frequent class"


def show_summary(job: Job, runs: Sequence[Run]) -> None:
    """The table of strategies, the chart of their seeds, and the sentences on significance."""
    summary = results.summary(job, runs)
    best = summary.best
    if summary.warning:
        st.warning(plain(summary.warning), icon=":material/warning:")
    st.dataframe(
        _table(summary),
        hide_index=True,
        column_config=_columns(),
        placeholder="",
        alt="Accuracy, macro-F1 and cost of each strategy beside the most frequent class",
    )
    st.caption(
        f"Scored on {summary.rows:,} test rows that no training has seen. The interval would hold the true "
        "accuracy in 95 of 100 such tests; ± is the spread between seeds; macro-F1 counts every class alike."
    )
    st.plotly_chart(
        strategy_scores(summary.strategies, summary.majority_accuracy),
        key="result.scores",
        alt=f"Accuracy of each strategy and seed; {best.title} has the highest mean, {best.accuracy:.1%}",
    )
    st.caption(
        "Open marks are single seeds, the filled one is their mean with its 95 % interval. "
        "What lies left of the most frequent class is worse than always answering that class."
    )
    if summary.lines:
        st.markdown("**Larger than chance?**")
        st.text("\n".join(summary.lines))


def _table(summary: Summary) -> pd.DataFrame:
    rows = [
        {
            "strategy": each.title,
            "seeds": each.seeds,
            "accuracy": 100 * each.accuracy,
            "spread": None if each.spread is None else 100 * each.spread,
            "interval": interval_text(each.interval),
            "macro_f1": 100 * each.macro_f1,
            "seconds": each.seconds,
            "parameters": each.trained_parameters,
            "memory": round(each.peak_memory / 1e6),
        }
        for each in summary.strategies
    ]
    rows.append({"strategy": MAJORITY, "accuracy": 100 * summary.majority_accuracy})
    return pd.DataFrame(rows).astype(
        {"seeds": "Int64", "parameters": "Int64", "memory": "Int64", "spread": "float64"}
    )


SECONDS_HELP = (
    "Of one training, on average over seeds: learning and validation. Loading is not counted, nor are the frozen "
    "features that an earlier training has kept."
)
MEMORY_HELP = (
    "The largest that the training's process held, libraries included; the GPU's where it ran there."
)


def interval_text(interval: Interval | None) -> str:
    """'81.9 – 86.3', in per cent."""
    return "" if interval is None else f"{100 * interval.low:.1f} – {100 * interval.high:.1f}"


def _columns() -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "strategy": st.column_config.TextColumn("Strategy", pinned=True),
        "seeds": number("Seeds", width="small"),
        "accuracy": number("Accuracy, %", format="%.1f", help="Share of the test rows answered right."),
        "spread": number("± sd", format="%.1f", width="small", help="Standard deviation between seeds."),
        "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
        "macro_f1": number("Macro-F1, %", format="%.1f"),
        "seconds": number("Seconds", format="%.1f", help=SECONDS_HELP),
        "parameters": number("Trained parameters", format="localized"),
        "memory": number("Peak memory, MB", format="localized", help=MEMORY_HELP),
    }
