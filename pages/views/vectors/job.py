"""A job of the Word vectors page: its progress, then what it found."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.job_panel import show_job_panel
from pages.views.vectors.evaluation import show_evaluation
from pages.views.vectors.learned import draw_learning, show_learned
from pages.views.vectors.load import show_fetched
from tl_core.runs.store import Job, Store

DRAWN_BY = {"learn_vectors": draw_learning}


def show_vectors_job(store: Store, job: Job) -> None:
    """The panel of the job and its result."""
    if st.button("Back to word vectors", icon=":material/arrow_back:"):
        state.show_job("")
        st.rerun()
    recipe = str(job.record.get("recipe"))
    show_job_panel(store, job, draw=DRAWN_BY.get(recipe))
    if recipe == "evaluate_vectors" and job.status == "done":
        show_evaluation(job)
    elif recipe == "learn_vectors":
        show_learned(store, job)
    elif recipe == "fetch_vectors" and job.status == "done":
        show_fetched(store, job)
