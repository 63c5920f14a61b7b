"""The runs of every job, imported ones too."""

from __future__ import annotations

import streamlit as st

from pages.views.runs.chosen import show_chosen
from pages.views.runs.table import choose_runs
from tl_core.runs.store import Store


def show_all_runs(store: Store) -> None:
    """All runs, the last begun first; the ticked ones stand under the table."""
    runs = sorted(store.runs(), key=lambda run: -run.record.started)
    if not runs:
        st.text("No training has begun yet.")
        return
    chosen = choose_runs(runs, f"runs.all.{len(runs)}.{runs[0].id}", of_any_job=True)
    with st.container(border=bool(chosen)):
        show_chosen(store, chosen)
