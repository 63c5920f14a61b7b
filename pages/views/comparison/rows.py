"""Test rows with what a run said about them, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from pages.components import state
from tl_core.catalog.subjects import has_encoder
from tl_core.outcomes.answers import AnswerRow
from tl_core.runs.store import Run


def show_rows(rows: Sequence[AnswerRow], key: str, run: Run) -> None:
    """Text, true and predicted class and probabilities; a double click opens a long text, a choice its attention."""
    frame = pd.DataFrame([asdict(row) for row in rows])
    frame[["probability", "probability_of_true"]] *= 100
    number = st.column_config.NumberColumn
    event = st.dataframe(
        frame,
        hide_index=True,
        height="auto" if len(rows) < 10 else 380,
        column_order=["text", "true", "predicted", "probability", "probability_of_true", "row"],
        column_config={
            "text": st.column_config.TextColumn("Text", width="large"),
            "true": st.column_config.TextColumn("True"),
            "predicted": st.column_config.TextColumn("Predicted"),
            "probability": number("Probability, %", format="%.1f", help="Of the predicted class."),
            "probability_of_true": number("Of the true class, %", format="%.1f"),
            "row": number("File row", format="%d", width="small"),
        },
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        alt="Test rows with their true class, predicted class and probabilities",
    )
    if not has_encoder(run):
        return
    chosen = [at for at in event.selection.rows if at < len(rows)]
    if st.button(
        "What the chosen row's prediction hangs on",
        icon=":material/grid_on:",
        disabled=not chosen,
        key=f"{key}.attention",
    ):
        state.look_into(run.id, rows[chosen[0]].text)
