"""All jobs as one table, which refreshes itself while one of them lives; the chosen job stands under it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import state
from pages.views.runs.job import show_job
from pages.views.runs.status import status_column, table_height
from tl_core.outcomes.runs import JobLine, job_lines
from tl_core.runs.store import ENDED, Store

REFRESH_SECONDS = 2.0


def show_jobs(store: Store) -> None:
    """The table of jobs and the job that is chosen in it."""
    lines = job_lines(store)
    if not lines:
        st.text("There are no jobs. Imported runs stand under All runs.")
        return
    if state.chosen_job() not in {line.id for line in lines}:
        state.choose_job(lines[0].id)
    if all(line.status in ENDED for line in lines):
        _table(lines)
    else:
        _live_table(store, _snapshot(lines))
    show_job(store, store.job(state.chosen_job()))


@st.fragment(run_every=REFRESH_SECONDS)
def _live_table(store: Store, snapshot: object) -> None:
    """The table, read anew every two seconds; the whole page follows when more than progress has changed."""
    lines = job_lines(store)
    if lines:
        _table(lines)
    if _snapshot(lines) != snapshot:
        st.rerun()


def _snapshot(lines: Sequence[JobLine]) -> object:
    return state.chosen_job(), [(line.id, line.status, line.done) for line in lines]


def _table(lines: Sequence[JobLine]) -> None:
    ids = [line.id for line in lines]
    chosen = ids.index(state.chosen_job()) if state.chosen_job() in ids else 0
    frame = _frame(lines)
    order = [name for name in frame.columns if name != "reason" or frame[name].any()]
    event = st.dataframe(
        frame,
        hide_index=True,
        height=table_height(len(lines)),
        column_order=order,
        column_config=_columns(),
        placeholder="",
        key=state.jobs_table(ids),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [chosen]}},
        alt="All jobs, newest first",
    )
    if event.selection.rows:
        state.choose_job(ids[event.selection.rows[0]])


def _frame(lines: Sequence[JobLine]) -> pd.DataFrame:
    rows = [
        {
            "title": line.title,
            "status": [line.status],
            "created": datetime.fromtimestamp(line.created),
            "kind": line.kind,
            "share": 100 * line.share,
            "runs": f"{line.done} of {line.planned}" if line.planned else "",
            "best": None if line.best is None else 100 * line.best,
            "measure": line.measure,
            "reason": line.reason,
        }
        for line in lines
    ]
    return pd.DataFrame(rows).astype({"best": "float64"})


def _columns() -> dict[str, Any]:
    return {
        "created": st.column_config.DatetimeColumn("Created", format="YYYY-MM-DD HH:mm"),
        "title": st.column_config.TextColumn("Data", width="medium"),
        "kind": st.column_config.TextColumn("Kind"),
        "status": status_column(),
        "share": st.column_config.ProgressColumn("Progress", format="%.0f %%", min_value=0, max_value=100),
        "runs": st.column_config.TextColumn("Runs done", alignment="right"),
        "best": st.column_config.NumberColumn(
            "Best mean, %",
            format="%.1f",
            help="The highest mean over seeds among the job's arms. It was found on the test rows, so the best of many is "
            "somewhat flattered.",
        ),
        "measure": st.column_config.TextColumn("Measure", help="What the best score measures."),
        "reason": st.column_config.TextColumn("Reason", width="medium"),
    }
