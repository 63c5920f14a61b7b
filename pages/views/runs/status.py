"""Parts that the tables of jobs and runs share: the status as a coloured word, and their height."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from pages.components.job_panel import BADGES
from tl_core.runs.store import STATUSES


def status_column() -> Any:
    """A column whose cells are lists of one status."""
    return st.column_config.MultiselectColumn(
        "Status", options=STATUSES, color=[BADGES[status][1] for status in STATUSES], width="small"
    )


def table_height(rows: int) -> Literal["auto"] | int:
    """As high as its rows; a long table scrolls in ten rows' room."""
    return "auto" if rows <= 10 else 380
