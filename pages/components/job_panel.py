"""Progress, curves and stop of one job; reads its folder every second while it lives."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components.charts.classification import learning_curves
from pages.components.guard import guard, plain
from tl_core.jobs.kinds import planned_trainings
from tl_core.jobs.trainings import resume_job
from tl_core.outcomes.runs import done_so_far, run_title
from tl_core.outcomes.tasks import kind_of
from tl_core.runs.events import read_curves
from tl_core.runs.queue import jobs_ahead
from tl_core.runs.store import Job, Store
from tl_core.wording import seconds_text

BADGES = {
    "queued": (":material/hourglass_empty:", "gray"),
    "running": (":material/play_arrow:", "blue"),
    "done": (":material/check:", "green"),
    "stopped": (":material/stop:", "gray"),
    "interrupted": (":material/power_off:", "orange"),
    "failed": (":material/error:", "red"),
}


def show_status(status: str) -> None:
    """The status of a job or a run as a badge: the same word and colour on every page."""
    icon, colour = BADGES.get(status, (":material/help:", "gray"))
    st.badge(status, icon=icon, color=colour)  # type: ignore[arg-type]


def show_job_panel(store: Store, job: Job, *, draw: Callable[[Store, Job], None] | None = None) -> None:
    """The job's state; while it lives the panel refreshes itself, and the page once it has ended.

    `draw` shows what goes on, in the place of the training and validation loss.
    """
    with st.container(border=True):
        if job.ended:
            _ended(store, job)
        else:
            _live(store, job.id, draw or _curves)


@st.fragment(run_every=1.0)
def _live(store: Store, job_id: str, draw: Callable[[Store, Job], None]) -> None:
    with guard():
        job = store.job(job_id)
        if job.ended:
            st.rerun(scope="app")
        _heading(job)
        if job.status == "queued":
            _waiting(store, job)
        else:
            _progress(job)
        if st.button("Stop", icon=":material/stop:", key=f"stop.{job_id}"):
            store.request_stop(job_id)
            st.toast("Stopping at the next step")
        draw(store, job)


def _heading(job: Job) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(job.title)
        show_status(job.status)


def _waiting(store: Store, job: Job) -> None:
    ahead = jobs_ahead(store, job)
    if ahead:
        noun = "job" if len(ahead) == 1 else "jobs"
        st.info(f"Waiting for its turn: {len(ahead)} {noun} ahead. One job trains at a time.")
    else:
        st.info("Starting.")


def _progress(job: Job) -> None:
    progress = job.progress
    left = progress.get("seconds_left")
    time_left = f"{seconds_text(left)} left" if left is not None else ""
    parts = (str(progress.get("doing", "Starting")), done_so_far(job), time_left)
    text = " · ".join(filter(None, parts))
    st.progress(min(1.0, float(progress.get("share", 0.0))), text=plain(text))


def _curves(store: Store, job: Job) -> None:
    """The curves of the training that is going on."""
    runs = {run_title(run): run for run in store.runs_of(job.id) if run.status == "running"}
    curves = {title: of for title, run in runs.items() if (of := read_curves(run.events))}
    if curves:
        strategies = {title: run.record.strategy for title, run in runs.items()}
        figure = learning_curves(curves, strategies)
        st.plotly_chart(figure, key=f"curves.{job.id}", alt="Training and validation loss so far")
        [units] = {f"{kind_of(run).unit}s" for run in runs.values()}
        st.caption(f"Loss while training, and on {units} held back for choosing the epoch. Lower is better.")


def _ended(store: Store, job: Job) -> None:
    _heading(job)
    if job.reason:
        st.error(plain(job.reason), icon=":material/error:")
    if job.status == "interrupted":
        st.warning("The job's process ended without a word: it was killed, or the machine restarted.")
    if job.status != "done":
        if planned_trainings(job):
            st.caption("Finished trainings are kept. Resuming goes on from the last checkpoint.")
        if st.button("Resume", type="primary", icon=":material/play_arrow:", key=f"resume.{job.id}"):
            resume_job(store, job.id)
            st.rerun()
