"""Which classes are taken for which: a matrix whose cells open their rows, and a table of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.components.charts.style import ACCENT, CUT, translucent
from pages.components.guard import plain
from pages.components.kept import results
from pages.views.comparison.choose import choose_run
from pages.views.comparison.rows import show_rows
from tl_core.convert import from_json
from tl_core.outcomes.answers import Answers
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Report, cell_rows

TRUE = "true"  # the column of names; predicted classes are columns "0", "1", ...
MOST_COLOURED = 60
LONGEST_NAME = 170  # pixels
RIGHT, WRONG = ACCENT, CUT  # blue and orange, also apart for colour-blind readers


def show_confusion(job: Job, runs: Sequence[Run]) -> None:
    """The confusion matrix of one run; the chosen cell's rows stand under it."""
    run = choose_run(runs)
    report = from_json(Report, run.report or {})
    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.caption(
            "Rows are true classes, columns predicted ones: blue is right, orange is wrong. Choose a cell."
        )
        cell = _matrix(report, run.id)
    with right:
        st.caption("How well each class is found.")
        _classes(report)
    _open_cell(results.answers(job, run), report, cell, run)


def _matrix(report: Report, run_id: str) -> tuple[int, int] | None:
    """The matrix as a table; the (true, predicted) cell that is chosen in it."""
    names = [str(at) for at in range(len(report.classes))]
    frame = pd.DataFrame(report.confusion, columns=names)
    frame.insert(0, TRUE, list(report.classes))
    event = st.dataframe(
        _coloured(frame, names) if len(names) <= MOST_COLOURED else frame,
        hide_index=True,
        column_config={
            TRUE: st.column_config.TextColumn("true ↓  predicted →", pinned=True, width=_width(report)),
            **{
                name: st.column_config.NumberColumn(label, width="small", help=plain(label))
                for name, label in zip(names, report.classes)
            },
        },
        key=f"result.confusion.{run_id}",
        on_select="rerun",
        selection_mode="single-cell",
        selection_default={"selection": {"cells": [_most_confused(report)]}},
        alt="Confusion matrix: how many rows of each true class were given each predicted class",
    )
    cells = [(row, int(column)) for row, column in event.selection.cells if column != TRUE]
    return cells[0] if cells else None


def _width(report: Report) -> int | None:
    """Room for the names of the classes; a longer one opens by a double click."""
    return LONGEST_NAME if max(map(len, report.classes)) > 20 else None


def _most_confused(report: Report) -> tuple[int, str]:
    """The cell of the most frequent mistake; the first cell where there is none."""
    counts = np.array(report.confusion)
    np.fill_diagonal(counts, 0)
    row, column = divmod(int(counts.argmax()), len(report.classes))
    return row, str(column)


def _coloured(frame: pd.DataFrame, names: list[str]) -> Styler:
    """Cells tinted by their share of the true class's rows, over light and dark alike."""
    counts = frame[names].to_numpy()
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def tints(_: pd.DataFrame) -> pd.DataFrame:
        styles = pd.DataFrame("", index=frame.index, columns=frame.columns)
        for row, column in zip(*counts.nonzero()):
            colour = RIGHT if row == column else WRONG
            tint = translucent(colour, 0.12 + 0.5 * shares[row, column])
            styles.iat[row, column + 1] = f"background-color: {tint}"
        return styles

    return frame.style.apply(tints, axis=None)


def _classes(report: Report) -> None:
    rows = [
        {
            "class": each.label,
            "precision": 100 * each.precision,
            "recall": 100 * each.recall,
            "f1": 100 * each.f1,
            "rows": each.support,
        }
        for each in report.per_class
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            "class": st.column_config.TextColumn("Class", pinned=True, width=_width(report)),
            "precision": number(
                "Precision, %", format="%.1f", help="Of the rows given this class, the share right."
            ),
            "recall": number("Recall, %", format="%.1f", help="Of the rows of this class, the share found."),
            "f1": number("F1, %", format="%.1f", help="Harmonic mean of precision and recall."),
            "rows": number("Test rows", format="localized"),
        },
        alt="Precision, recall, F1 and number of test rows of each class",
    )


def _open_cell(answers: Answers, report: Report, cell: tuple[int, int] | None, run: Run) -> None:
    if cell is None:
        return
    true, predicted = (report.classes[at] for at in cell)
    indices = cell_rows(answers.probabilities, answers.truth, *cell)
    noun = "row" if len(indices) == 1 else "rows"
    st.text(f"{len(indices):,} {noun} of class {true!r}, predicted {predicted!r}")
    if len(indices):
        show_rows(answers.rows(indices), "result.cell", run)
