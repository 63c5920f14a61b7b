"""Compare: what a source is worth over data sizes, strategies and seeds."""

import streamlit as st

from pages.components import state
from pages.components.choice import one_of
from pages.components.guard import guard, show_notes
from pages.components.job_panel import show_job_panel
from pages.components.kept import resources, results
from pages.components.navigation import through_app
from pages.views.compare.found import show_grid
from pages.views.compare.moved import show_moved
from pages.views.compare.plan import plan_grid
from tl_core.data.examples import read_examples
from tl_core.jobs.classify.source_plan import source_notes
from tl_core.outcomes.moved import sources_of
from tl_core.shipping.course import course_result

through_app()
st.title("Compare")
store = resources.store()
SHIPPED, NEW = "Amazon → IMDB", "A new grid"

if state.open_job():
    with guard():
        job = store.job(state.open_job())
        if st.button("Back", icon=":material/arrow_back:", key="compare.back"):
            state.show_job("")
            st.rerun()
        show_job_panel(store, job)
        runs = store.runs_of(job.id)
        if any(run.report and run.record["role"] != "source" for run in runs):
            view = one_of("View", ["Gain", "What moved"], key="compare.found")
            if view == "Gain":
                show_grid(results.grid(job, runs))
                show_notes(source_notes(job))
            else:
                test = read_examples(job.folder / "data" / "test.jsonl")
                show_moved(store, sources_of(store, job), test)
else:
    shipped = course_result()
    view = one_of("Result", [SHIPPED, NEW] if shipped else [NEW], key="compare.view")
    with guard():
        if view == SHIPPED and shipped:
            st.caption(shipped.about)
            show_grid(shipped.grid)
        else:
            plan_grid(store)
