"""Test rows with what a run said about them, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from tl_core.recipes.results import AnswerRow


def show_rows(rows: Sequence[AnswerRow], key: str) -> None:
    """Text, true and predicted class and probabilities; a double click opens a long text."""
    frame = pd.DataFrame([asdict(row) for row in rows])
    frame[["probability", "probability_of_true"]] *= 100
    number = st.column_config.NumberColumn
    st.dataframe(
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
        alt="Test rows with their true class, predicted class and probabilities",
    )
