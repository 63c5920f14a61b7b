"""One job: what it is, what can be done with it, its runs."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.guard import guard, plain
from pages.components.job_panel import show_status
from pages.views.runs.chosen import show_chosen
from pages.views.runs.delete import ask_to_delete_job
from pages.views.runs.table import choose_runs
from tl_core.jobs.classify.predict import RESULT
from tl_core.jobs.kinds import kind_of_job, planned_trainings
from tl_core.jobs.trainings import resume_job
from tl_core.runs.store import Job, Store


def show_job(store: Store, job: Job) -> None:
    """The chosen job and its runs."""
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(job.title, width="content")
            show_status(job.status)
            st.caption(job.id, width="content")
        if job.reason:
            st.error(plain(job.reason), icon=":material/error:")
        with guard():
            _buttons(store, job)
        runs = store.runs_of(job.id)
        if runs:
            chosen = choose_runs(runs, f"runs.of.{job.id}")
            show_chosen(store, chosen)
        elif planned_trainings(job):
            st.caption("No training of it has begun yet.")


def _buttons(store: Store, job: Job) -> None:
    with st.container(horizontal=True):
        page = kind_of_job(job).page
        if page:
            if st.button("Open", type="primary", icon=":material/open_in_new:", key="runs.open"):
                st.switch_page(f"pages/{page}.py", query_params={state.JOB: job.id})
        elif job.status == "done":
            _download(job)
        if job.status in ("stopped", "interrupted", "failed") and st.button(
            "Resume", icon=":material/play_arrow:", key="runs.resume"
        ):
            resume_job(store, job.id)
            st.rerun()
        if not job.ended and st.button("Stop", icon=":material/stop:", key="runs.stop"):
            store.request_stop(job.id)
            st.toast("It stops at its next step.")
        if st.button(
            "Delete",
            icon=":material/delete:",
            key="runs.delete",
            disabled=not job.ended,
            help=None if job.ended else "Stop it first.",
        ):
            ask_to_delete_job(store, job)


def _download(job: Job) -> None:
    result = job.folder / RESULT
    if result.exists():
        st.download_button(
            "Download with predictions",
            result.read_bytes(),
            "predicted.csv",
            "text/csv",
            icon=":material/download:",
            key="runs.predicted",
            on_click="ignore",
        )
