"""The report on labelled rows, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.charts.classification import class_counts, token_lengths
from pages.components.guard import show_notes
from pages.components.views import View, choose_view
from tl_core.data.tables import Refused
from tl_core.jobs.classify.data_report import DataReport, TokenReport

ROWS_SHOWN = 10_000


def show_report(report: DataReport, role: str) -> None:
    """The rows that were read, those that were refused and why, the classes, and every warning."""
    with st.container(horizontal=True):
        st.metric("Rows", f"{report.rows:,}")
        st.metric("Refused", f"{len(report.refused):,}")
        st.metric("Classes", len(report.classes))
        st.metric("Test rows", f"{len(report.test):,}" if report.test is not None else "held back")
    st.caption(f"Encoding {report.encoding}, delimiter {report.delimiter}.")
    show_notes(report.warnings)
    if report.variants or state.held(f"{role}.merge"):
        st.toggle("Merge labels that differ only by case or spaces", key=f"{role}.merge")
    views: list[View[Callable[[DataReport, str], None]]] = [
        View("classes", "Classes", _show_classes),
        View("rows", "Rows", _show_rows),
    ]
    if report.refused or report.test_refused:
        views.append(View("refused", "Refused rows", _show_refused))
    choose_view("Show", views, key=f"{role}.report").show(report, role)


def _show_classes(report: DataReport, role: str) -> None:
    st.plotly_chart(class_counts(report.classes), key=f"{role}.classes", alt="Rows of each class")


def _show_rows(report: DataReport, _: str) -> None:
    examples = report.examples
    frame = pd.DataFrame({"row": examples.rows, "label": examples.labels, "text": examples.texts})
    st.dataframe(frame.head(ROWS_SHOWN), hide_index=True, height=320)
    if len(frame) > ROWS_SHOWN:
        st.caption(f"The first {ROWS_SHOWN:,} of {len(frame):,} rows.")


def _show_refused(report: DataReport, _: str) -> None:
    def rows(refused: tuple[Refused, ...], file: str) -> list[dict[str, object]]:
        return [{"file": file, "row": refusal.row, "reason": refusal.reason} for refusal in refused]

    frame = pd.DataFrame(rows(report.refused, "training") + rows(report.test_refused, "test"))
    st.dataframe(frame, hide_index=True)


def show_tokens(tokens: TokenReport | None, key: str) -> None:
    """The rows in tokens of the chosen encoder: lengths, what is cut, how well the vocabulary fits."""
    if tokens is None:
        return
    figure = token_lengths(tokens.lengths, tokens.max_tokens)
    st.plotly_chart(figure, key=key, alt="How many texts have how many tokens")
    part = " (of 20,000 evenly chosen texts)" if tokens.sampled else ""
    st.caption(
        f"Tokens a text{part}: {tokens.cut:,} of {len(tokens.lengths):,} are longer than {tokens.max_tokens} and are cut. "
        f"{tokens.fit.fragments_per_word:.2f} pieces a word, {tokens.fit.unknown_share:.2%} of the pieces unknown."
    )
