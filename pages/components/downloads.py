"""Tables as CSV files to keep."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import streamlit as st

from tl_core.data.spreadsheet import write_csv


def csv_button(columns: Sequence[str], rows: Iterable[Sequence[object]], name: str, key: str) -> None:
    """A button that downloads the rows as CSV, safe for spreadsheets."""
    stream = io.BytesIO()
    write_csv(stream, columns, rows)
    st.download_button(
        "Download as CSV",
        stream.getvalue(),
        name,
        "text/csv",
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )
