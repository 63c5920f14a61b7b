"""Result of a job of reader trainings: every start and size, the learning curve, each run's answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.charts.classification import learning_curves
from pages.components.columns import PREFERRED_HELP, cost_columns, score_columns
from pages.components.guard import show_notes
from pages.components.kept import results
from pages.components.views import View, choose_view
from pages.views.compare.result import show_grid
from pages.views.reading.outcome import show_outcome
from pages.views.runs.exchange import show_export
from tl_core.convert import from_json
from tl_core.jobs.read.train import ANSWERS, read_answers, training_data
from tl_core.outcomes.experiment import rank_notes
from tl_core.outcomes.runs import compare_in_words, run_title
from tl_core.outcomes.tasks import preferred
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.read.report import ReadReport


def show_trained(store: Store, job: Job) -> None:
    """Nothing as long as no training has finished."""
    runs = [run for run in store.runs_of(job.id) if run.status == "done" and run.report]
    if not runs:
        return
    st.subheader("Result")
    with st.container(border=True):
        views: tuple[View[Callable[[], None]], ...] = (
            View("summary", "Summary", lambda: _summary(store, job, runs)),
            View("run", "One run", lambda: _one_run(job, runs)),
            View("curves", "Curves", lambda: _curves(runs)),
            View("use", "Use it", lambda: _use(store, runs)),
        )
        choose_view("View", views, key="trained.view").show()


def _summary(store: Store, job: Job, runs: Sequence[Run]) -> None:
    show_grid(results.grid(job, runs), choose_measure=True)
    tested = runs[0].record.rows.test
    st.caption(
        f"Each was asked the same {tested:,} test questions; no training here has learned from their passages. "
        "What a start has read before is on its card."
    )
    show_notes(rank_notes(runs))
    if 2 <= len(runs) <= 6:
        st.markdown("**Larger than chance?**")
        st.text("\n".join(compare_in_words(store, runs)))
    with st.expander("Each training"):
        _show_each(runs)


def _show_each(runs: Sequence[Run]) -> None:
    st.dataframe(
        pd.DataFrame([_row(run) for run in runs]),
        hide_index=True,
        column_config={
            "start": st.column_config.TextColumn("Start", width="medium"),
            "questions": st.column_config.NumberColumn("Learned from", format="localized"),
            "seed": st.column_config.NumberColumn("Seed"),
            **score_columns(),
            **cost_columns(),
        },
        alt="Scores of every training",
    )


def _row(run: Run) -> dict[str, Any]:
    scores = _report(run).scores
    return {
        "start": run.record.name or run.record.source,
        "questions": run.record.rows.train,
        "seed": run.record.seed,
        "exact_match": 100 * scores.exact_match,
        "f1": 100 * scores.f1,
        "seconds": run.record.seconds,
        "memory": round((run.record.peak_memory or 0) / 1e6),
    }


def _report(run: Run) -> ReadReport:
    return from_json(ReadReport, run.tested)


def _choose(runs: Sequence[Run], key: str) -> Run:
    titles = {run.id: f"{run_title(run)} · F1 {_report(run).scores.f1:.1%}" for run in runs}
    chosen = st.selectbox(
        "Run",
        list(titles),
        index=list(titles).index(preferred(runs).id),
        format_func=titles.__getitem__,
        key=key,
        help=PREFERRED_HELP,
    )
    return next(run for run in runs if run.id == chosen)


def _one_run(job: Job, runs: Sequence[Run]) -> None:
    run = _choose(runs, "trained.run")
    _, test = training_data(job)
    show_outcome(_report(run), test, read_answers(run.folder / ANSWERS), key=run.id)


def _curves(runs: Sequence[Run]) -> None:
    curves = {run_title(run): results.curves(run) for run in runs}
    st.plotly_chart(learning_curves(curves), key="trained.curves", alt="Loss of every training")


def _use(store: Store, runs: Sequence[Run]) -> None:
    run = _choose(runs, "trained.use")
    st.text("It stands in the list of readers under Ask, and can be a start of further trainings.")
    show_export(store, run)
