"""What the tables of jobs and runs share: the status as a coloured word, and their height."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from tl_core.runs.store import STATUSES

COLOURS = {
    "queued": "gray",
    "running": "blue",
    "done": "green",
    "stopped": "gray",
    "interrupted": "orange",
    "failed": "red",
}


def status_column() -> Any:
    """A column whose cells are lists of one status."""
    return st.column_config.MultiselectColumn(
        "Status", options=STATUSES, color=[COLOURS[status] for status in STATUSES], width="small"
    )


def table_height(rows: int) -> Literal["auto"] | int:
    """As high as its rows; a long table scrolls in ten rows' room."""
    return "auto" if rows <= 10 else 380
