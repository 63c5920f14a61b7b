from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from tests.jobs.jobs import finished, small_config, word_examples
from tl_core.convert import from_json
from tl_core.data.examples import Examples, read_examples
from tl_core.errors import ConfigError, DataError, ModelError, RunError
from tl_core.jobs import trainings
from tl_core.jobs.classify import compare, plan
from tl_core.jobs.classify.plan import (
    SourcePlan,
    Task,
    config_from_json,
    filled,
    of_strategies,
    rows_of_seed,
    trials,
)
from tl_core.jobs.classify.source_plan import source_notes, source_plan
from tl_core.jobs.experiment import Arm
from tl_core.runs.events import read_curves
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.metrics import Report


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def test_a_comparison_leaves_a_scored_run_for_every_strategy_and_seed(store: Store, tmp_path: Path):
    job = finished(store, small_config(tmp_path, ("tfidf", "frozen", "lora", "full"), seeds=2))
    assert job.status == "done", job.reason
    runs = store.runs_of(job.id)
    assert [(run.record.strategy, run.record.seed) for run in runs] == [
        (name, seed) for name in ("tfidf", "frozen", "lora", "full") for seed in (1, 2)
    ]
    for run in runs:
        report = from_json(Report, run.record.report)
        probabilities = np.load(run.folder / "predictions.npy", allow_pickle=False)
        assert probabilities.shape == (report.rows, 2)
        assert run.record.peak_memory > 50e6
        assert run.record.seconds > 0
    names = {curve.name for curve in read_curves(runs[-1].events)}
    assert names == {"training loss", "validation loss", "validation accuracy"} or names == {"training loss"}
    assert job.progress["share"] == pytest.approx(1.0)


def test_every_seed_and_strategy_is_scored_on_the_same_rows_that_none_was_trained_on(
    store: Store, tmp_path: Path
):
    job = finished(store, small_config(tmp_path, ("tfidf", "frozen"), seeds=2))
    read = {
        name: (job.folder / "data" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for name in ("train", "test")
    }
    texts = {name: {json.loads(line)["text"] for line in lines} for name, lines in read.items()}
    assert not texts["train"] & texts["test"]
    assert len(texts["test"]) == 12
    assert {run.record.rows.test for run in store.runs_of(job.id)} == {12}


def test_a_test_file_is_used_whole_and_its_texts_leave_the_training_rows(store: Store, tmp_path: Path):
    target, test = word_examples(), word_examples(20, first_row=500)
    both = Examples(
        target.texts + test.texts[:4], target.labels + test.labels[:4], (*target.rows, *(900, 901, 902, 903))
    )
    job = finished(store, small_config(tmp_path, ("tfidf",)), Task(both, test))
    [run] = store.runs_of(job.id)
    assert run.record.rows.test == 20
    assert run.record.rows.train + run.record.rows.validation == 60


def test_a_source_task_is_trained_once_and_every_target_starts_from_it(store: Store, tmp_path: Path):
    source = word_examples(50, first_row=300)
    config = small_config(tmp_path, ("tfidf", "frozen", "lora", "full"), seeds=2)
    job = finished(store, config, Task(word_examples(), None, source))
    assert job.status == "done", job.reason
    runs = store.runs_of(job.id)
    assert [run.record.strategy for run in runs if run.record.role == "source"] == ["lora", "full"]
    assert [run.record.strategy for run in runs if run.record.role == "zero_shot"] == ["lora", "full"]
    assert {run.record.source for run in runs if run.record.strategy == "frozen"} == {"source task"}
    frozen = next(run for run in runs if run.record.strategy == "frozen")
    assert (frozen.model / "adapter").is_dir()
    full = next(run for run in runs if run.id.endswith("full-1"))
    assert (full.model / "encoder.safetensors").exists()


def test_a_run_as_a_source_is_copied_in(store: Store, tmp_path: Path):
    first = finished(store, small_config(tmp_path, ("lora",)))
    [source] = store.runs_of(first.id)
    config = config_from_json(
        {**small_config(tmp_path, ("lora", "frozen")).to_json(), "source_run": source.id}
    )
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        second = compare.submit_comparison(store, config, Task(word_examples()))
    store.delete_job(first.id)
    from tl_core.jobs.kinds import run_job
    from tl_core.runs.worker import work

    work(store, second.id, run_job)
    assert store.job(second.id).status == "done"
    assert {run.record.source for run in store.runs_of(second.id)} == {source.id}


def test_a_grid_trains_every_size_with_and_without_the_source(store: Store, tmp_path: Path):
    source = word_examples(50, first_row=300)
    config = replace(small_config(tmp_path, ("tfidf", "frozen"), seeds=2), sizes=(0, 4), test_rows=10)
    job = finished(store, config, Task(word_examples(), None, source))
    assert (job.status, job.record.kind) == ("done", "grid"), job.reason
    runs = {run.id.removeprefix(f"{job.id}-"): run.record for run in store.runs_of(job.id)}
    sizes = [f"{size}-{seed}" for size in ("4", "all") for seed in (1, 2)]
    assert sorted(runs) == sorted(
        ["source-lora", "zero-lora"]
        + [f"tfidf-plain-{each}" for each in sizes]
        + [f"frozen-{start}-{each}" for start in ("plain", "source") for each in sizes]
    )
    assert {record.rows.test for name, record in runs.items() if name != "source-lora"} == {10}
    assert runs["tfidf-plain-4-1"].rows.train == 8
    assert [runs[f"frozen-{start}-4-1"].source for start in ("plain", "source")] == ["", "source task"]
    assert runs["zero-lora"].rows.train == runs["zero-lora"].trained_parameters == 0
    zero_shot = runs["zero-lora"].report
    assert zero_shot is not None
    assert zero_shot["accuracy"] > 0.5


def test_a_size_that_no_class_can_fill_is_all_rows_once(store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("tfidf",)), sizes=(4, 500, 1000, 0))
    job = finished(store, config, Task(word_examples()))
    assert job.record.config["comparison"]["sizes"] == [4, 0]
    assert [run.id.removeprefix(f"{job.id}-") for run in store.runs_of(job.id)] == [
        "tfidf-plain-4-1",
        "tfidf-plain-all-1",
    ]


@pytest.mark.parametrize(("given", "kept"), [((48, 8), (0, 8)), ((47,), (47,)), ((0, 64), (0,)), ((), ())])
def test_sizes_are_those_that_the_largest_class_can_fill(given: tuple[int, ...], kept: tuple[int, ...]):
    assert filled(of_strategies(strategies=("tfidf",), sizes=given), 48).sizes == kept


def test_a_source_with_other_labels_is_not_scored_on_the_target(store: Store, tmp_path: Path):
    source = word_examples(50, first_row=300)
    renamed = replace(source, labels=tuple(f"{label}!" for label in source.labels))
    config = small_config(tmp_path, ("frozen",))
    assert source_plan(config, Task(word_examples(), None, renamed), None).zero == ()
    assert source_plan(config, Task(word_examples(), None, source), None).zero == ("lora",)
    without = replace(config, zero_target=False)
    assert source_plan(without, Task(word_examples(), None, source), None).zero == ()


def test_a_strategy_that_counts_takes_nothing_from_a_source():
    config = of_strategies(strategies=("tfidf", "lora"), sizes=(8, 64))
    order = [cell.name for cell in trials(config, SourcePlan(families=("encoder",), zero=("lora",)))]
    assert order == [
        "zero-lora",
        "tfidf-plain-8-1",
        "tfidf-plain-64-1",
        "lora-plain-8-1",
        "lora-source-8-1",
        "lora-plain-64-1",
        "lora-source-64-1",
    ]


def test_rows_per_class_are_nested_over_sizes_and_the_same_for_every_strategy():
    pool, classes = word_examples(), ("bad", "good")

    def texts(per_class: int, seed: int) -> set[str]:
        train, validation = rows_of_seed(of_strategies(per_class=per_class), pool, seed, classes)
        return {*train.texts, *validation.texts}

    assert len(texts(8, 0)) == 16
    assert texts(4, 0) < texts(8, 0)
    assert texts(8, 0) == texts(8, 0) != texts(8, 1)


def test_test_rows_are_drawn_where_a_class_has_a_single_one():
    labels = ("good", "bad") * 50 + ("rare",) * 3
    pool = Examples(tuple(f"row {n}" for n in range(103)), labels, tuple(range(103)))
    learned, held = plan.test_split(of_strategies(test_rows=10), pool, None)
    assert len(learned) + 20 < 103
    assert len(held) == 10


def test_a_test_file_with_every_training_row_is_refused(store: Store):
    rows = word_examples(20)
    with pytest.raises(DataError, match="All 20 training rows stand in the test file too"):
        finished(store, of_strategies(strategies=("tfidf",)), Task(rows, rows))


def test_no_training_learns_from_a_test_row_that_the_source_holds_too(store: Store, tmp_path: Path):
    target, other = word_examples(60), word_examples(40, first_row=900)
    both = Examples(
        other.texts + target.texts, other.labels + target.labels, tuple(range(len(target) + len(other)))
    )
    job = finished(store, small_config(tmp_path, ("frozen",)), Task(target, None, both))
    assert job.status == "done", job.reason
    source = read_examples(job.folder / "data" / "source.jsonl")
    test = read_examples(job.folder / "data" / "test.jsonl")
    assert {*source.texts}.isdisjoint(test.texts)
    assert len(source) == 100 - len(test)
    assert source_notes(job) == [
        "12 rows of the source task are test rows of the target too; nothing was trained on them."
    ]
    with pytest.raises(DataError, match="has fewer than two classes"):
        finished(
            store,
            small_config(tmp_path, ("frozen",)),
            Task(target, target.take(range(3)), target.take(range(3))),
        )


def test_an_earlier_run_that_has_seen_test_rows_is_told(store: Store, tmp_path: Path):
    config = small_config(tmp_path, ("frozen",))
    [run] = store.runs_of(finished(store, config).id)
    same = finished(store, replace(config, source_run=run.id))
    assert source_notes(same) == []
    other = finished(store, replace(config, source_run=run.id, split_seed=5))
    [note] = source_notes(other)
    assert note.startswith("The source has learned from")


def test_a_frozen_source_leaves_its_own_layer_off_the_shelf(store: Store, tmp_path: Path):
    low = small_config(tmp_path, ("frozen",))
    low = replace(low, arms=(Arm("frozen", {**low.arms[0].settings, "layer": 1}),))
    [run] = store.runs_of(finished(store, low).id)
    plain = small_config(tmp_path, ("frozen",))
    task = Task(word_examples(first_row=500))
    after = finished(store, replace(plain, source_run=run.id), task)
    records = {each.record.role: each.record for each in store.runs_of(after.id)}
    assert set(records) == {"zero_shot", "target"}
    shutil.rmtree(store.settings.cache / "features")
    [alone] = store.runs_of(finished(store, plain, task).id)
    assert records["target"].report == alone.record.report


def test_what_nobody_foresaw_fails_one_training_alone(store: Store, tmp_path: Path):
    config = of_strategies(strategies=("tfidf", "bow"), settings={"bow": {"epochs": 2}})
    with patch("tl_core.tasks.classify.counts.tfidf.make_view", side_effect=RuntimeError("odd")):
        job = finished(store, config)
    assert "RuntimeError: odd" in job.reason
    assert {run.record.strategy: run.status for run in store.runs_of(job.id)} == {
        "tfidf": "failed",
        "bow": "done",
    }


def test_texts_without_enough_n_grams_are_told(store: Store):
    job = finished(store, of_strategies(strategies=("tfidf",), settings={"tfidf": {"least_rows": 200}}))
    assert job.status == "failed"
    assert "Lower least_rows" in job.reason


def test_many_rows_are_not_held_back_beyond_what_chooses_an_epoch():
    pool = Examples(tuple(f"row {n}" for n in range(400)), ("bad", "good") * 200, tuple(range(400)))

    def rows(**changes: int) -> tuple[int, int]:
        train, validation = rows_of_seed(of_strategies(**changes), pool, 0, pool.classes)
        return len(train), len(validation)

    assert rows() == (340, 60)
    assert rows(validation_rows=20) == (380, 20)
    assert rows(per_class=50) == (100, 0)


def test_the_cells_of_a_comparison_run_cheap_ones_first():
    config = of_strategies(strategies=("full", "tfidf", "lora"), seeds=2)
    order = [cell.name for cell in trials(config, SourcePlan(task=True, families=("encoder",)))]
    assert order == [
        "source-lora",
        "source-full",
        "tfidf-1",
        "tfidf-2",
        "lora-1",
        "lora-2",
        "full-1",
        "full-2",
    ]


def test_a_config_comes_back_from_its_json_and_a_wrong_one_is_named():
    config = of_strategies(strategies=("lora",), seeds=3, settings={"lora": {"rank": 4}})
    again = config_from_json(json.loads(json.dumps(config.to_json())))
    assert again.to_json() == config.to_json()
    assert again.settings_of(again.arm("lora")).rank == 4
    for wrong, said in (
        ({"sizes": [8, 8]}, "sizes must be different numbers"),
        ({"sizes": [-1]}, "sizes must be different numbers"),
        ({"sizes": "8"}, "sizes must be a list of whole numbers"),
        ({"seeds": 11}, "seeds must be between 0 and 10; got 11"),
        ({"strategies": []}, "at least one strategy"),
        ({"strategies": ["magic"]}, "no strategy 'magic'"),
        ({"strategies": "lora"}, "list of names"),
        ({"settings": {"lora": {"rank": 0}}}, "rank must be between 1 and 128"),
        ({"settings": {"lora": {"colour": 1}}}, "no setting colour"),
        ({"settings": []}, "settings must be an object"),
        ({"encoder": 3}, "encoder must be text"),
        ({"magic": 1}, "no setting magic"),
        ([], "JSON object"),
    ):
        with pytest.raises(ConfigError, match=said):
            config_from_json(wrong)


def test_what_cannot_be_trained_is_refused_before_a_job_exists(store: Store, tmp_path: Path):
    config = small_config(tmp_path, ("frozen",))
    one = Examples(("a", "b"), ("x", "x"), (2, 3))
    for settings, task, error in (
        (config, Task(one), DataError),
        (config, Task(word_examples(), None, one), DataError),
        (config_from_json({**config.to_json(), "encoder": "../nowhere"}), Task(word_examples()), ModelError),
        (config_from_json({**config.to_json(), "source_run": "../../etc"}), Task(word_examples()), RunError),
    ):
        with pytest.raises(error):
            compare.submit_comparison(store, settings, task)
    assert store.jobs() == []


def test_a_job_whose_encoder_is_gone_fails_with_a_reason(store: Store, tmp_path: Path):
    config = small_config(tmp_path, ("frozen",))
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = compare.submit_comparison(store, config, Task(word_examples()))
    shutil.rmtree(tmp_path / "bert")
    from tl_core.jobs.kinds import run_job
    from tl_core.runs.worker import work

    assert work(store, job.id, run_job) == 1
    assert store.job(job.id).status == "failed"
    assert "bert" in store.job(job.id).reason
