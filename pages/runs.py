"""Runs: every job and run, what became of it, and any runs side by side."""

from collections.abc import Callable

import streamlit as st

from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.components.views import View, choose_view
from pages.views.runs.all_runs import show_all_runs
from pages.views.runs.exchange import show_import
from pages.views.runs.jobs import show_jobs
from pages.views.runs.unreadable import show_unreadable
from tl_core.outcomes.runs import job_lines
from tl_core.runs.store import Store

through_app()
st.title("Runs")
store = resources.store()
VIEWS: tuple[View[Callable[[Store], None]], ...] = (
    View("jobs", "Jobs", show_jobs),
    View("runs", "All runs", show_all_runs),
    View("import", "Import", show_import),
)

with guard():
    if not job_lines(store) and not store.runs() and not store.unreadable():
        st.text("There are no runs yet. Train on a sample in a minute, or bring a run along as a zip.")
        st.page_link("pages/fine_tune.py", label="Fine-tune on a table", icon=":material/tune:")
        show_import(store)
        st.stop()
    choose_view("View", VIEWS, key="runs.view").show(store)
    show_unreadable(store)
