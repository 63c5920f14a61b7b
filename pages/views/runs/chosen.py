"""The ticked runs: one with its settings and what can be done, several side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.components.guard import guard, plain
from pages.views.comparison.curves import draw_curves
from pages.views.comparison.details import draw_details
from pages.views.runs.delete import ask_to_delete_run
from pages.views.runs.exchange import show_export
from pages.views.runs.table import INTERVAL, score_values, shown_scores
from tl_core.outcomes.runs import compare_in_words, differing_settings, run_title, titles_of
from tl_core.outcomes.tasks import all_measures
from tl_core.runs.store import Run, Store


def show_chosen(store: Store, runs: Sequence[Run]) -> None:
    """One run or a comparison; nothing for none."""
    with guard():
        if len(runs) == 1:
            _one(store, runs[0])
        elif runs:
            _compare(store, runs)


def _one(store: Store, run: Run) -> None:
    st.markdown(f"**{plain(run_title(run))}**")
    if run.record.reason:
        st.error(plain(run.record.reason), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if run.status == "done":
            show_export(store, run)
        if st.button(
            "Delete this run",
            icon=":material/delete:",
            key=f"runs.delete.{run.id}",
            disabled=run.status == "running",
            help="Stop its job first." if run.status == "running" else None,
        ):
            ask_to_delete_run(store, run)
    draw_curves([run], f"runs.curves.{run.id}")
    draw_details(run)


def _compare(store: Store, runs: Sequence[Run]) -> None:
    st.markdown("**Settings that differ, and scores**")
    titles = titles_of(runs)
    columns = [f"run {at}" for at in range(len(runs))]
    rows = {setting.name.replace("_", " "): setting.values for setting in differing_settings(runs)} | _scores(
        runs
    )
    frame = pd.DataFrame(list(rows.values()), columns=columns)
    frame.insert(0, "setting", list(rows))
    labels = {column: st.column_config.TextColumn(titles[run.id]) for column, run in zip(columns, runs)}
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={"setting": st.column_config.TextColumn(" ", pinned=True, width=170), **labels},
        alt="What differs between the chosen runs, and their scores",
    )
    draw_curves(runs, "runs.compared")
    scored = [run for run in runs if run.report]
    if len(scored) > 1:
        st.markdown("**Larger than chance?**")
        st.text("\n".join(compare_in_words(store, scored)))


def _scores(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """Texts of each score by its name; '' for a run that does not have it."""
    values = [score_values(run) for run in runs]
    names = {INTERVAL: "95 % interval", **{measure.key: f"{measure.name}, %" for measure in all_measures()}}
    return {names[key]: tuple(_text(value[key]) for value in values) for key in shown_scores(runs)}


def _text(value: float | str | None) -> str:
    return f"{value:.1f}" if isinstance(value, float) else value or ""
