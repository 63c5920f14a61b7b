"""A job on the page that its kind opens on: the way back, its progress, then its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.job_panel import show_job_panel
from pages.views.reading.outcome import show_evaluated
from pages.views.reading.trained import show_trained
from pages.views.vectors.evaluation import show_evaluation
from pages.views.vectors.learned import draw_learning, show_learned
from pages.views.vectors.load import show_fetched
from tl_core.runs.store import Job, Store

Draw = Callable[[Store, Job], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """Functions that show a kind of job: its progress (None for the loss), and its result, from when on."""

    show: Draw
    draw: Draw | None = None
    while_it_lives: bool = False


VIEWS = {
    "train_reader": JobView(show=show_trained, while_it_lives=True),
    "evaluate_reading": JobView(show=show_evaluated),
    "learn_vectors": JobView(show=show_learned, draw=draw_learning, while_it_lives=True),
    "evaluate_vectors": JobView(show=lambda store, job: show_evaluation(job)),
    "fetch_vectors": JobView(show=show_fetched),
}


def show_job_of_page(store: Store, job: Job, back: str) -> None:
    """The panel of a job and its result; `back` is the label of the way back."""
    if st.button(back, icon=":material/arrow_back:"):
        state.show_job("")
        st.rerun()
    view = VIEWS.get(job.kind)
    show_job_panel(store, job, draw=view.draw if view else None)
    if view and (job.status == "done" or view.while_it_lives):
        view.show(store, job)
