"""Whether a run's probabilities may be believed: reliability diagram and calibration error."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components.charts.classification import reliability
from pages.views.comparison.choose import choose_run
from tl_core.convert import from_json
from tl_core.outcomes.answers import overconfidence
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Report
from tl_core.tasks.significance import FEW_ROWS

SLIGHT = 0.02  # a mean gap below this is not worth a word


def show_calibration(_: Job, runs: Sequence[Run]) -> None:
    """The reliability diagram of one run and what it means."""
    run = choose_run(runs)
    report = from_json(Report, run.report or {})
    error = report.expected_calibration_error
    with st.container(horizontal=True, gap="large"):
        st.metric("Expected calibration error", f"{100 * error:.1f} points", width="content")
        st.metric("Log loss", f"{report.log_loss:.3f}", width="content", help="Mean surprise, in nats a row.")
        st.metric(
            "Brier score", f"{report.brier:.3f}", width="content", help="0 is perfect, 2 is surely wrong."
        )
    st.text(_meaning(report))
    st.plotly_chart(
        reliability(report, run.record.strategy),
        key="result.reliability",
        width=640,
        alt=f"Share right against stated probability; on average they are {100 * error:.1f} points apart",
    )
    few = f" With {report.rows:,} test rows each point stands on few rows." if report.rows < FEW_ROWS else ""
    st.caption(
        "On the dashed line, of all rows said to be 80 % sure, 80 % are right. Below it the model is too "
        "sure, above it too modest; the bars say on how many rows a point stands." + few
    )


def _meaning(report: Report) -> str:
    gap = overconfidence(report)
    start = f"A stated probability is on average {100 * report.expected_calibration_error:.1f} points off"
    chance = report.calibration_error_by_chance
    if chance is not None:
        start += f"; on {report.rows:,} rows a perfectly calibrated model shows {100 * chance:.1f}"
    if abs(gap) < SLIGHT:
        return f"{start}, too high about as often as too low."
    way = "too sure" if gap > 0 else "too modest"
    return f"{start}; altogether this run is {way}, by {100 * abs(gap):.1f} points."
