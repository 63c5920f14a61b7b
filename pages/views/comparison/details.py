"""What one run was asked to do and what it took."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.views.comparison.choose import choose_run
from tl_core.outcomes.runs import circumstances_of, facts_of, knobs_of_run
from tl_core.runs.store import Job, Run


def show_details(_: Job, runs: Sequence[Run]) -> None:
    """Settings, rows and facts of one run of a job."""
    draw_details(choose_run(runs))


def draw_details(run: Run) -> None:
    """Settings, rows and facts of a run, as name and value."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**What was asked**")
        _pairs({**circumstances_of(run), **knobs_of_run(run)}, "Settings of the run")
    with right:
        st.markdown("**What it took**")
        _pairs(facts_of(run), "Facts measured while the run was trained")


def _pairs(values: dict[str, str], alt: str) -> None:
    values = {name: value for name, value in values.items() if value}
    frame = pd.DataFrame(
        {"name": [name.replace("_", " ") for name in values], "value": list(values.values())}
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "name": st.column_config.TextColumn(" "),
            "value": st.column_config.TextColumn("Value"),
        },
        alt=alt,
    )
