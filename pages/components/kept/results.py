"""Results read from disk and kept between reruns; a file that has changed is read anew.

Streamlit leaves arguments that begin with an underscore out of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from tl_core.data.examples import read_examples
from tl_core.errors import DataError
from tl_core.jobs.classify.compare import PREDICTIONS
from tl_core.outcomes.answers import Answers, read_answers
from tl_core.outcomes.experiment import Grid, Summary, read_grid, summarise
from tl_core.runs.events import Curve, read_curves
from tl_core.runs.store import Job, Run


def answers(job: Job, run: Run) -> Answers:
    """The run's answers on the job's test rows; DataError if they cannot be read."""
    return _answers(job, run, _stamp(run))


@st.cache_data(show_spinner=False, max_entries=16, ttl=3600)
def _answers(_job: Job, _run: Run, stamp: str) -> Answers:
    return read_answers(_job, _run)


def summary(job: Job, runs: Sequence[Run]) -> Summary:
    """The strategies of a job side by side."""
    return _summary(job, runs, " ".join([job.id, *map(_stamp, runs)]))


@st.cache_data(show_spinner="Comparing the strategies", max_entries=32, ttl=3600)
def _summary(_job: Job, _runs: Sequence[Run], stamps: str) -> Summary:
    return summarise(_job, _runs)


def test_counts(job: Job) -> dict[str, int]:
    """Number of the job's test rows of each class; none where they cannot be read."""
    return _test_counts(str(job.folder / "data" / "test.jsonl"))


@st.cache_data(show_spinner=False, max_entries=64, ttl=3600)
def _test_counts(path: str) -> dict[str, int]:
    try:
        return read_examples(Path(path)).counts
    except DataError:
        return {}


def grid(job: Job, runs: Sequence[Run]) -> Grid:
    """The results of a grid's finished runs."""
    return _grid(job, runs, " ".join([job.id, *map(_stamp, runs)]))


@st.cache_data(show_spinner="Reading the runs", max_entries=8, ttl=3600)
def _grid(_job: Job, _runs: Sequence[Run], stamps: str) -> Grid:
    return read_grid(_job, _runs)


def curves(run: Run) -> tuple[Curve, ...]:
    """The curves of a run; none for a strategy that learns in one go."""
    return _curves(str(run.events), _changed(run.events))


@st.cache_data(show_spinner=False, max_entries=64, ttl=3600)
def _curves(path: str, changed: int) -> tuple[Curve, ...]:
    return read_curves(Path(path))


def _stamp(run: Run) -> str:
    """A text that changes when the run is trained again: its folder and when its predictions were written."""
    return f"{run.folder} {_changed(run.folder / PREDICTIONS)} {run.record.ended}"


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
