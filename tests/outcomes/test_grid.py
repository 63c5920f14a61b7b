"""What a grid's runs say: points, the worth of the source, and their way to JSON and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.jobs import finished, small_config, word_examples
from tl_core.convert import from_json, to_json
from tl_core.errors import RunError
from tl_core.jobs.classify.plan import Task
from tl_core.outcomes.experiment import Gain, Grid, read_grid
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.intervals import Interval, difference_of
from tl_core.tasks.significance import judge_all


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def test_a_grid_is_read_from_its_runs(store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("tfidf", "frozen"), seeds=2), sizes=(4, 0), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    runs = store.runs_of(job.id)
    grid = read_grid(job, runs)
    assert grid.test_rows == 20
    assert [(each.strategy, each.from_source, each.size) for each in grid.points] == [
        ("tfidf", False, 4),
        ("tfidf", False, 0),
        ("frozen", False, 4),
        ("frozen", False, 0),
        ("frozen", True, 4),
        ("frozen", True, 0),
    ]
    assert [round(each.rows) for each in grid.points[:2]] == [8, 96]
    by_id = {run.id.removeprefix(f"{job.id}-"): run for run in runs}
    few = [by_id[f"frozen-source-4-{seed}"] for seed in (1, 2)]
    point = next(each for each in grid.points if each.from_source and each.size == 4)
    assert point.values == tuple(run.record.report["accuracy"] for run in few)
    assert point.value == pytest.approx(np.mean(point.values))
    assert point.spread == pytest.approx(np.std(point.values, ddof=1))
    assert [each.strategy for each in grid.zero] == ["lora"]
    assert grid.zero[0].value == by_id["zero-lora"].record.report["accuracy"]
    assert 0.4 <= grid.majority_accuracy <= 0.6


def test_the_gain_is_the_paired_difference(store: Store, tmp_path: Path):
    from tl_core.outcomes.answers import read_answers

    config = replace(small_config(tmp_path, ("frozen",), seeds=2), sizes=(4,), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    runs = {run.id.removeprefix(f"{job.id}-"): run for run in store.runs_of(job.id)}

    def correct(start: str) -> np.ndarray:
        return np.stack([read_answers(job, runs[f"frozen-{start}-4-{seed}"]).correct for seed in (1, 2)])

    [judged] = judge_all([difference_of(correct("source"), correct("plain"))])
    [gain] = read_grid(job, list(runs.values())).gains
    assert (gain.difference, gain.interval, gain.adjusted_p) == (
        judged.value,
        judged.interval,
        judged.p_value,
    )


def gain(difference: float, low: float, high: float, p: float) -> Gain:
    return Gain("lora", "LoRA", 625, 1250.0, difference, Interval(low, high), p)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (gain(0.044, 0.031, 0.056, 0.001), "LoRA: the source helps by 4.4 points [3.1, 5.6] at 1,250 rows."),
        (gain(-0.02, -0.03, -0.01, 0.01), "LoRA: the source harms by 2.0 points [-3.0, -1.0] at 1,250 rows."),
        (gain(0.02, -0.01, 0.05, 0.2), "LoRA: no difference shown at 1,250 rows (+2.0 points [-1.0, 5.0])."),
        (
            gain(0.001, -0.002, 0.004, 0.6),
            "LoRA: no difference shown at 1,250 rows (+0.1 points [-0.2, 0.4]). It is less than half a point either way.",
        ),
        (
            replace(gain(0.044, 0.031, 0.056, 0.001), seeds=1),
            "LoRA: of one training each, that from the source is 4.4 points [3.1, 5.6] more often right at 1,250 rows; "
            "another seed may turn it.",
        ),
    ],
)
def test_a_gain_is_told_in_words(found: Gain, said: str):
    assert found.sentence == said


def test_a_grid_comes_back_from_its_json(store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("tfidf", "frozen")), sizes=(4, 0), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    grid = read_grid(job, store.runs_of(job.id))
    assert from_json(Grid, json.loads(json.dumps(to_json(grid)))) == grid


def test_a_grid_without_a_finished_training_says_so(store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("tfidf",)), sizes=(4,))
    job = finished(store, config)
    with pytest.raises(RunError, match="No training of this grid"):
        read_grid(job, [])
