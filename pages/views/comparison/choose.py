"""Which of a job's runs the views look at; the choice is kept from one view to the next."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.columns import PREFERRED_HELP
from tl_core.outcomes.runs import run_title
from tl_core.outcomes.tasks import preferred
from tl_core.runs.store import Run


def choose_run(runs: Sequence[Run]) -> Run:
    """The chosen run; at first the one that `preferred` names."""
    accuracies = {run.id: float((run.report or {}).get("accuracy", 0.0)) for run in runs}
    titles = {run.id: f"{run_title(run)} · {accuracies[run.id]:.1%} right" for run in runs}
    ids = list(titles)
    chosen = st.selectbox(
        "Run",
        ids,
        index=ids.index(preferred(runs).id),
        format_func=titles.__getitem__,
        key="result.run",
        help=PREFERRED_HELP,
        width=360,
        persist_state="page",
    )
    return next(run for run in runs if run.id == chosen)
