"""Runs as a table in which one or several are ticked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.columns import cost_columns, interval_text, score_columns
from pages.views.runs.status import status_column, table_height
from tl_core.outcomes.runs import circumstances_of
from tl_core.outcomes.tasks import all_measures, kind_of, learned_from, measures_of, right_of, scores_of
from tl_core.runs.store import Run

INTERVAL = "interval"


def shown_scores(runs: Sequence[Run]) -> list[str]:
    """The columns of these runs' scores: shares of right answers, their interval, then the other measures."""
    rights = {right_of(run) for run in runs}
    shown = measures_of(runs)
    first = [measure.key for measure in shown if measure in rights]
    return [*first, INTERVAL, *(measure.key for measure in shown if measure not in rights)]


def score_values(run: Run) -> dict[str, float | str | None]:
    """A run's scores in per cent by column, None and '' where it has none."""
    scores, right = scores_of(run), right_of(run)
    interval = scores[right].interval if right and right in scores else None
    values = {
        measure.key: 100.0 * scores[measure].value if measure in scores else None
        for measure in all_measures()
    }
    return {**values, INTERVAL: interval_text(interval)}


def choose_runs(runs: Sequence[Run], key: str, *, of_any_job: bool = False) -> list[Run]:
    """The ticked runs, in the order of the table."""
    rows = [_row(run) for run in runs]
    st.caption("Tick one run for its settings, several to compare them.")
    event = st.dataframe(
        _frame(rows),
        hide_index=True,
        height=table_height(len(runs)),
        column_order=_order(runs, rows, of_any_job),
        placeholder="",
        column_config=_columns(),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        alt="Runs with their strategy, status, scores and cost",
    )
    return [runs[at] for at in event.selection.rows if at < len(runs)]


def _order(runs: Sequence[Run], rows: Sequence[dict[str, object]], of_any_job: bool) -> list[str]:
    """The columns that tell these runs apart, their scores and cost."""
    return [
        *(["started", "data"] if of_any_job else []),
        *(["name"] if any(row["name"] for row in rows) else []),
        "strategy",
        *(["start", "learned"] if any(kind_of(run).told_by_start for run in runs) else []),
        *(["role"] if any(row["role"] == "source" for row in rows) else []),
        "seed",
        "status",
        *shown_scores(runs),
        "seconds",
        "parameters",
        *(["reason"] if any(row["reason"] for row in rows) else []),
    ]


def _frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    numbers = dict.fromkeys((measure.key for measure in all_measures()), "float64")
    return pd.DataFrame(rows).astype({**numbers, "parameters": "Int64"})


def _row(run: Run) -> dict[str, object]:
    circumstances = circumstances_of(run)
    return {
        "started": datetime.fromtimestamp(run.record.started),
        "data": circumstances["data"],
        "name": circumstances["name"],
        "strategy": circumstances["strategy"],
        "start": circumstances["source"],
        "learned": learned_from(run),
        "role": circumstances["role"],
        "seed": run.record.seed,
        "status": [run.status],
        **score_values(run),
        "seconds": run.record.seconds,
        "parameters": run.record.trained_parameters,
        "reason": run.record.reason,
    }


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "started": st.column_config.DatetimeColumn("Started", format="YYYY-MM-DD HH:mm"),
        "data": text("Data"),
        "name": text("Name", help="What it was called when it was planned."),
        "strategy": text("Strategy"),
        "start": text(
            "Start", width="medium", help="What the training began from; empty for a bare encoder."
        ),
        "learned": number("Learned from", format="localized", help="Rows or questions."),
        "role": text("Task", width="small", help="Target task, or the source task learned before it."),
        "seed": number("Seed", width="small"),
        "status": status_column(),
        **score_columns(),
        **cost_columns(),
        "reason": text("Reason", width="medium"),
    }
