"""Step 1: labelled rows from a sample, a file or the clipboard, their columns, and the report on them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.uploads import kept_file
from pages.components.views import View, choose_view
from pages.views.fine_tune.report import show_report
from tl_core.data.columns import Columns, guess_columns
from tl_core.data.examples import Examples
from tl_core.data.samples import SAMPLES
from tl_core.data.tables import MAX_FILE_BYTES, Table
from tl_core.errors import DataError
from tl_core.jobs.classify.data_report import DataReport

FILES = ["csv", "tsv", "txt", "gz", "bz2"]
LARGEST_TABLE = MAX_FILE_BYTES >> 20  # MB
HEADERS = {"guess": None, "yes": True, "no": False}
TITLES = {"target": "1 · Your labelled rows", "source": "Source task rows"}


@dataclass(frozen=True, slots=True)
class Data:
    """The chosen data: examples to learn from, test rows if given, and the report on them."""

    title: str
    report: DataReport
    table: Table
    columns: Columns
    test_table: Table | None = None
    test_columns: Columns | None = None
    merge_labels: bool = False

    @property
    def examples(self) -> Examples:
        return self.report.examples

    @property
    def test(self) -> Examples | None:
        return self.report.test


def choose_data(role: str) -> Data | None:
    """The widgets of one labelled data set, `target` or `source`; None until it can be trained on."""
    st.subheader(TITLES[role])
    with st.container(border=True):
        origins: tuple[View[Callable[[str], Table | None]], ...] = (
            View("sample", "Sample", _from_sample),
            View("file", "File", _from_file),
            View("paste", "Pasted rows", _from_paste),
        )
        origin = choose_view("Rows from", origins, key=f"{role}.origin")
        with guard():
            table = origin.show(role)
            if table is None:
                return None
            columns = _choose_columns(table, role)
            test_table, test_columns = _choose_test(columns, role) if role == "target" else (None, None)
            return _reported(table, columns, test_table, test_columns, role)
    return None


def _reported(
    table: Table, columns: Columns, test_table: Table | None, test_columns: Columns | None, role: str
) -> Data | None:
    merge = bool(state.held(f"{role}.merge", False))
    report = resources.report(table, columns, test_table, test_columns, merge, "", 256)
    show_report(report, role)
    if len(report.classes) < 2:
        return None
    return Data(table.name, report, table, columns, test_table, test_columns, merge)


def _from_sample(role: str) -> Table:
    samples = [sample for sample in SAMPLES if sample.role == role] + [
        sample for sample in SAMPLES if sample.role != role
    ]
    titles = {sample.name: sample.title for sample in samples}
    name = st.selectbox("Sample", list(titles), format_func=titles.__getitem__, key=f"{role}.sample")
    st.caption("Written for this project: small enough to train on at once, too small to prove anything.")
    return resources.sample_table(name)


def _from_file(role: str) -> Table | None:
    left, right = st.columns([3, 1])
    with right:
        header = st.selectbox("First row is a header", list(HEADERS), key=f"{role}.header")
    with left:
        kept = kept_file(
            role,
            "A table with a text and a label in each row",
            FILES,
            LARGEST_TABLE,
            key=f"{role}.file",
            help="CSV, TSV or fastText lines (__label__x text), also as .gz or .bz2; at most 50 MB.",
            until_then="CSV, TSV or lines such as `__label__good text`. UTF-8, UTF-16 and cp949 are recognised.",
        )
    return resources.table(kept[1], kept[0], HEADERS[header]) if kept else None


def _from_paste(role: str) -> Table | None:
    st.caption("Click a cell and paste from a spreadsheet, or type. Each row needs a text and a label.")
    empty = pd.DataFrame({"text": [""] * 3, "label": [""] * 3}, dtype="string")
    edited = st.data_editor(
        empty,
        num_rows="dynamic",
        hide_index=True,
        key=f"{role}.paste",
        column_config={
            "text": st.column_config.TextColumn(width="large"),
            "label": st.column_config.TextColumn(),
        },
    )
    rows = [
        (str(text).strip(), str(label).strip()) for text, label in edited.fillna("").itertuples(index=False)
    ]
    rows = [row for row in rows if any(row)]
    if not rows:
        return None
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([("text", "label"), *rows])
    return resources.table(stream.getvalue().encode(), "pasted rows", True)


def _choose_columns(table: Table, role: str, *, test: bool = False) -> Columns:
    """The guessed columns, changeable; the keys change with the columns, so that a new file is guessed anew."""
    guess = guess_columns(table)
    key = f"{role}.{'test.' if test else ''}{hash(table.columns)}"
    left, right, third = st.columns(3)
    text = left.multiselect(
        "Text columns",
        table.columns,
        default=guess.text,
        key=f"{key}.text",
        help="Several columns, such as title and description, are joined into one text.",
    )
    index = table.columns.index(guess.label) if guess.label in table.columns else None
    label = right.selectbox("Label column", table.columns, index=index, key=f"{key}.label")
    if not text:
        raise DataError("Choose at least one text column.")
    if label is None:
        raise DataError(
            "{table} has no column that looks like labels. Choose the label column.", table=table.name
        )
    group = third.selectbox(
        "Group column",
        [column for column in table.columns if column not in (*text, label)],
        index=None,
        placeholder="none",
        key=f"{key}.group",
        help="Such as a customer or a document: its rows never stand on both sides of a split, so that nothing of the "
        "test is known beforehand.",
    )
    return Columns(tuple(text), label, group)


def _choose_test(columns: Columns, role: str) -> tuple[Table | None, Columns | None]:
    with st.expander("A separate test file (otherwise a fifth of the rows is held back)"):
        upload = st.file_uploader("Test file", type=FILES, max_upload_size=LARGEST_TABLE, key=f"{role}.test")
        if upload is None:
            return None, None
        table = resources.table(upload.getvalue(), upload.name, None)
        fits = set(columns.text) | {columns.label} <= set(table.columns)
        return table, columns if fits else _choose_columns(table, role, test=True)
