"""A job of the Reading page: its progress, then what it found."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.job_panel import show_job_panel
from pages.views.reading.outcome import show_outcome
from pages.views.reading.trained import show_trained
from tl_core.jobs.read.evaluate import evaluated_questions, evaluation_answers, evaluation_result
from tl_core.runs.store import Job, Store


def show_reading_job(store: Store, job: Job) -> None:
    """The panel of the job and its result."""
    if st.button("Back to reading", icon=":material/arrow_back:"):
        state.show_job("")
        st.rerun()
    show_job_panel(store, job)
    if job.record.get("recipe") == "train_reader":
        show_trained(store, job)
    elif job.record.get("recipe") == "evaluate_reading" and job.status == "done":
        report, seconds = evaluation_result(job)
        st.subheader("Result")
        with st.container(border=True):
            show_outcome(report, evaluated_questions(job), evaluation_answers(job), key=job.id)
            st.caption(
                f"Asked in {seconds:.1f} seconds, {report.scores.count / max(seconds, 1e-9):.1f} questions a second."
            )
