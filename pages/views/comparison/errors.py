"""The mistakes that a run was surest of: wrong labels and hard texts are found here first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.kept import results
from pages.views.comparison.choose import choose_run
from pages.views.comparison.rows import show_rows
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import confident_errors

FIRST, MOST = 20, 500


def show_errors(job: Job, runs: Sequence[Run]) -> None:
    """The wrongly predicted test rows of one run, the most confident first."""
    run = choose_run(runs)
    answers = results.answers(job, run)
    wrong = int((~answers.correct).sum())
    if not wrong:
        st.text(f"None: all {len(answers.truth):,} test rows are right.")
        return
    limit = wrong
    if wrong > FIRST:
        limit = st.slider(
            "Show at most", FIRST, min(wrong, MOST), FIRST, key="result.errors.limit", width=360
        )
    st.caption(
        f"{wrong:,} of {len(answers.truth):,} test rows are wrong, the surest mistakes first. "
        "Look for wrong labels before blaming the model."
    )
    show_rows(
        answers.rows(confident_errors(answers.probabilities, answers.truth, limit)), "result.errors", run
    )
