"""The result of a job: one view at a time, so that the others do not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.guard import guard, plain, show_notes
from pages.components.views import View, choose_view
from pages.views.comparison.calibration import show_calibration
from pages.views.comparison.confusion import show_confusion
from pages.views.comparison.curves import show_curves
from pages.views.comparison.details import show_details
from pages.views.comparison.errors import show_errors
from pages.views.comparison.summary import show_summary
from tl_core.jobs.classify.compare import runs_done
from tl_core.jobs.classify.encoder_trial import in_words, trials_of
from tl_core.jobs.classify.source_plan import source_notes
from tl_core.outcomes.experiment import rank_notes, zero_shots
from tl_core.runs.store import Job, Run, Store

VIEWS: tuple[View[Callable[[Job, Sequence[Run]], None]], ...] = (
    View("summary", "Summary", show_summary),
    View("confusion", "Confusion", show_confusion),
    View("errors", "Errors", show_errors),
    View("calibration", "Calibration", show_calibration),
    View("curves", "Curves", show_curves),
    View("details", "Details", show_details),
)


def show_result(store: Store, job: Job) -> None:
    """What the job's finished trainings found; nothing as long as there are none."""
    if job.kind != "compare":
        return
    of_job = store.runs_of(job.id)
    runs = runs_done(of_job)
    if not runs:
        return
    st.subheader("Result")
    with st.container(border=True), guard():
        if not job.ended:
            noun = "training" if len(runs) == 1 else "trainings"
            st.caption(f"So far: {len(runs)} finished {noun}.")
        view = choose_view("View", VIEWS, key="result.view")
        view.show(job, runs)
        if view.id == "summary":
            for score in zero_shots(of_job):
                st.caption(plain(score.sentence))
            tried = trials_of(job)
            if tried:
                st.caption(plain(in_words(tried)))
            show_notes([*source_notes(job), *rank_notes(runs)])
