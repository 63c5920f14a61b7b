"""Runs as a table in which one or several are ticked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.views.result.summary import interval_text
from pages.views.runs.status import status_column, table_height
from tl_core.recipes.overview import circumstances_of
from tl_core.runs.store import Run
from tl_core.tasks.classify.metrics import Interval

ALWAYS = ["strategy", "seed", "status", "accuracy", "interval", "macro_f1", "seconds", "parameters"]


def choose_runs(runs: Sequence[Run], key: str, *, of_any_job: bool = False) -> list[Run]:
    """The ticked runs, in the order of the table."""
    rows = [_row(run) for run in runs]
    order = ["started", "data", *ALWAYS] if of_any_job else [*ALWAYS]
    if any(row["role"] == "source" for row in rows):
        order.insert(order.index("seed"), "role")
    if any(row["reason"] for row in rows):
        order.append("reason")
    st.caption("Tick one run for its settings, several to compare them.")
    event = st.dataframe(
        pd.DataFrame(rows).astype({"accuracy": "float64", "parameters": "Int64"}),
        hide_index=True,
        height=table_height(len(runs)),
        column_order=order,
        placeholder="",
        column_config=_columns(),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        alt="Runs with their strategy, status, scores and cost",
    )
    return [runs[at] for at in event.selection.rows if at < len(runs)]


def _row(run: Run) -> dict[str, object]:
    report = run.report or {}
    interval = report.get("accuracy_interval")
    circumstances = circumstances_of(run)
    return {
        "started": datetime.fromtimestamp(float(run.record.get("started", 0))),
        "data": circumstances["data"],
        "strategy": circumstances["strategy"],
        "role": circumstances["role"],
        "seed": run.record.get("seed"),
        "status": [run.status],
        "accuracy": _percent(report.get("accuracy")),
        "interval": interval_text(Interval(**interval)) if interval else "",
        "macro_f1": _percent(report.get("macro_f1")),
        "seconds": run.record.get("seconds"),
        "parameters": run.record.get("trained_parameters"),
        "reason": run.record.get("reason", ""),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _columns() -> dict[str, Any]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    return {
        "started": st.column_config.DatetimeColumn("Started", format="YYYY-MM-DD HH:mm"),
        "data": text("Data"),
        "strategy": text("Strategy"),
        "role": text("Task", width="small", help="Target task, or the source task learned before it."),
        "seed": number("Seed", width="small"),
        "status": status_column(),
        "accuracy": number("Accuracy, %", format="%.1f"),
        "interval": text("95 % interval", alignment="right"),
        "macro_f1": number("Macro-F1, %", format="%.1f"),
        "seconds": number("Seconds", format="%.1f"),
        "parameters": number("Trained parameters", format="localized"),
        "reason": text("Reason", width="medium"),
    }
