"""Compare: what a source is worth over data sizes, strategies and seeds."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from pages.components import state
from pages.components.guard import guard, show_notes
from pages.components.job_panel import show_job_panel
from pages.components.kept import resources, results
from pages.components.navigation import through_app
from pages.components.views import View, choose_view
from pages.views.compare.moved import show_moved
from pages.views.compare.plan import plan_grid
from pages.views.compare.result import show_grid
from tl_core.data.examples import read_examples
from tl_core.jobs.classify.source_plan import source_notes
from tl_core.outcomes.experiment import rank_notes
from tl_core.outcomes.moved import sources_of
from tl_core.runs.store import Job, Run, Store
from tl_core.shipping.course import CourseResult, course_result

through_app()
st.title("Compare")
store = resources.store()


def show_gain(_: Store, job: Job, runs: Sequence[Run]) -> None:
    """The curves and the gains of a grid."""
    show_grid(results.grid(job, runs))
    show_notes([*source_notes(job), *rank_notes(runs)])


def show_what_moved(store: Store, job: Job, _: Sequence[Run]) -> None:
    """Changes that the source of a grid made, looked at on the grid's test rows."""
    show_moved(store, sources_of(store, job), read_examples(job.folder / "data" / "test.jsonl"))


def show_shipped(shipped: CourseResult, _: Store) -> None:
    """The course's own experiment."""
    st.caption(shipped.about)
    show_grid(shipped.grid)


FOUND: tuple[View[Callable[[Store, Job, Sequence[Run]], None]], ...] = (
    View("gain", "Gain", show_gain),
    View("moved", "What moved", show_what_moved),
)
NEW: View[Callable[[Store], None]] = View("new", "A new grid", plan_grid)

if state.open_job():
    with guard():
        job = store.job(state.open_job())
        if st.button("Back", icon=":material/arrow_back:", key="compare.back"):
            state.show_job("")
            st.rerun()
        show_job_panel(store, job)
        runs = store.runs_of(job.id)
        if any(run.report and run.record.role != "source" for run in runs):
            choose_view("View", FOUND, key="compare.found").show(store, job, runs)
else:
    choices = [NEW]
    if shipped := course_result():  # a copy of the project may lack it
        choices.insert(0, View("shipped", "Amazon → IMDB", partial(show_shipped, shipped)))
    result = choose_view("Result", choices, key="compare.view")
    with guard():
        result.show(store)
