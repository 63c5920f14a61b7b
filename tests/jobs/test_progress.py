"""The time left is told by the speed of the process at work, not by what another one did before it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tl_core.jobs import progress as progress_module
from tl_core.jobs.progress import JobProgress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves."""
    now = [1000.0]
    monkeypatch.setattr(progress_module.time, "perf_counter", lambda: now[0])
    return now


def told(progress: JobProgress) -> dict:
    return json.loads(progress.path.read_text(encoding="utf-8"))


def make_progress(folder: Path, **weights: float) -> JobProgress:
    return JobProgress(folder / "progress.json", weights, began=progress_module.time.perf_counter())


def test_the_time_left_follows_the_measured_speed(tmp_path: Path, clock):
    progress = make_progress(tmp_path, first=1.0, second=3.0)
    clock[0] += 10
    progress.finish("first")
    clock[0] += 15
    progress.update("second", "Second", 0.5)
    assert told(progress)["share"] == pytest.approx(2.5 / 4)
    assert told(progress)["seconds_left"] == pytest.approx(15)


def test_what_an_earlier_process_did_counts_as_done_and_not_as_speed(tmp_path: Path, clock):
    progress = make_progress(tmp_path, first=1.0, second=1.0)
    progress.skip("first")
    clock[0] += 10
    progress.update("second", "Second", 0.6, earlier=0.5)
    assert told(progress)["share"] == pytest.approx(0.8)
    assert told(progress)["seconds_left"] == pytest.approx(40)


def test_a_resumed_cell_that_is_finished_counts_with_its_own_part_alone(tmp_path: Path, clock):
    progress = make_progress(tmp_path, first=1.0, second=1.0)
    progress.update("first", "First", 0.5, earlier=0.5)
    clock[0] += 20
    progress.finish("first")
    assert told(progress)["seconds_left"] == pytest.approx(40)
