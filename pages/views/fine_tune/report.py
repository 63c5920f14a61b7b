"""The report on labelled rows, before anything is trained."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.charts.classification import class_counts, token_lengths
from pages.components.choice import one_of
from pages.components.guard import show_notes
from tl_core.data.tables import Refused
from tl_core.jobs.classify.data_report import DataReport, TokenReport

ROWS_SHOWN = 10_000


def show_report(report: DataReport, role: str) -> None:
    """What was read, what was refused and why, the classes, and every warning."""
    with st.container(horizontal=True):
        st.metric("Rows", f"{report.rows:,}")
        st.metric("Refused", f"{len(report.refused):,}")
        st.metric("Classes", len(report.classes))
        st.metric("Test rows", f"{len(report.test):,}" if report.test is not None else "held back")
    st.caption(f"Encoding {report.encoding}, delimiter {report.delimiter}.")
    show_notes(report.warnings)
    if report.variants or st.session_state.get(f"{role}.merge"):
        st.toggle("Merge labels that differ only by case or spaces", key=f"{role}.merge")
    shown = one_of(
        "Show",
        ["Classes", "Rows", *(["Refused rows"] if report.refused or report.test_refused else [])],
        key=f"{role}.report",
    )
    if shown == "Classes":
        st.plotly_chart(class_counts(report.classes), key=f"{role}.classes", alt="Rows of each class")
    elif shown == "Rows":
        examples = report.examples
        frame = pd.DataFrame({"row": examples.rows, "label": examples.labels, "text": examples.texts})
        st.dataframe(frame.head(ROWS_SHOWN), hide_index=True, height=320)
        if len(frame) > ROWS_SHOWN:
            st.caption(f"The first {ROWS_SHOWN:,} of {len(frame):,} rows.")
    else:
        st.dataframe(_refused_frame(report), hide_index=True)


def _refused_frame(report: DataReport) -> pd.DataFrame:
    def rows(refused: tuple[Refused, ...], file: str) -> list[dict[str, object]]:
        return [{"file": file, "row": each.row, "reason": each.reason} for each in refused]

    return pd.DataFrame(rows(report.refused, "training") + rows(report.test_refused, "test"))


def show_tokens(tokens: TokenReport | None, key: str) -> None:
    """How the rows look to the chosen encoder: lengths, what is cut, how well the vocabulary fits."""
    if tokens is None:
        return
    figure = token_lengths(tokens.lengths, tokens.max_tokens)
    st.plotly_chart(figure, key=key, alt="How many texts have how many tokens")
    part = " (of 20,000 evenly chosen texts)" if tokens.sampled else ""
    st.caption(
        f"Tokens a text{part}: {tokens.cut:,} of {len(tokens.lengths):,} are longer than {tokens.max_tokens} and are cut. "
        f"{tokens.fit.fragments_per_word:.2f} pieces a word, {tokens.fit.unknown_share:.2%} of the pieces unknown."
    )
