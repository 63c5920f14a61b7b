"""Loss and validation accuracy of the trainings, over one another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.charts.classification import learning_curves
from pages.components.kept import results
from tl_core.outcomes.runs import titles_of
from tl_core.outcomes.tasks import kind_of
from tl_core.runs.store import Job, Run

FIRST = 6


def show_curves(_: Job, runs: Sequence[Run]) -> None:
    """The curves of the chosen runs of a job; at first of all that have any, six at most."""
    titles = titles_of(runs)
    trained = {titles[run.id]: run for run in runs if results.curves(run)}
    if not trained:
        st.text("No curves: TF-IDF and the head of a frozen encoder are fitted in one go, not step by step.")
        return
    chosen = st.multiselect("Runs", list(trained), default=list(trained)[:FIRST], key="result.curves.runs")
    draw_curves([trained[title] for title in chosen], "result.curves")


def draw_curves(runs: Sequence[Run], key: str) -> None:
    """The curves of these runs in one figure, with what it means; nothing for none.

    Runs that are not tested, such as learned word vectors, tell their story on their own page.
    """
    runs = [run for run in runs if kind_of(run).judging]
    titles = titles_of(runs)
    curves_of = {titles[run.id]: results.curves(run) for run in runs}
    curves_of = {title: curves for title, curves in curves_of.items() if curves}
    if not curves_of:
        return
    strategies = {titles[run.id]: run.record.strategy for run in runs}
    names = ", ".join(curves_of)
    st.plotly_chart(
        learning_curves(curves_of, strategies),
        key=key,
        alt=f"Training and validation loss and validation accuracy by step of {names}",
    )
    units = " or ".join(dict.fromkeys(f"{kind_of(run).unit}s" for run in runs))
    st.caption(
        f"Plain lines are the training loss; lines with marks are measured on {units} held back from training. "
        f"Where the validation loss rises while the training loss still falls, the model learns its {units} by "
        "heart; the best epoch is the one kept."
    )
