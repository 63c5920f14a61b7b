"""The questions before something is deleted."""

from __future__ import annotations

import streamlit as st

from pages.components.guard import guard
from pages.components.kept import resources, subjects
from tl_core.outcomes.runs import run_title
from tl_core.runs.store import Job, Run, Store


@st.dialog("Delete this job?", icon=":material/delete:")
def ask_to_delete_job(store: Store, job: Job) -> None:
    runs = store.runs_of(job.id)
    noun = "run" if len(runs) == 1 else "runs"
    what = f"Its data and its {len(runs)} {noun}, models included," if runs else "Its data and its result"
    st.text(f"{job.title} ({job.id})")
    st.text(f"{what} are removed. This cannot be undone.")
    if _answer("job"):
        with guard():
            _let_go()
            store.delete_job(job.id)
            st.rerun()


@st.dialog("Delete this run?", icon=":material/delete:")
def ask_to_delete_run(store: Store, run: Run) -> None:
    st.text(f"{run_title(run)} ({run.id})")
    st.text("Its model and its answers to the test are removed. This cannot be undone.")
    if _answer("run"):
        with guard():
            _let_go()
            store.delete_run(run.id)
            st.rerun()


def _let_go() -> None:
    """Windows removes no file that this server has mapped for a model."""
    resources.let_go_of_models()
    subjects.let_go_of_models()


def _answer(what: str) -> bool:
    """Whether 'Delete' was pressed; 'Keep' closes the dialog."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key=f"runs.keep.{what}"):
            st.rerun()
        return st.button("Delete", type="primary", key=f"runs.really.{what}")
