"""Arms at work: the same strategy several times, other starts and sources, and their results side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import SETTINGS, TUNED, finished, small_config, word_examples
from tl_core.errors import ConfigError, ModelError, RunError
from tl_core.jobs import trainings
from tl_core.jobs.classify import compare
from tl_core.jobs.classify.compare import CompareWork
from tl_core.jobs.classify.plan import ClassifyExperiment, Task
from tl_core.jobs.experiment import NO_SOURCE, Arm
from tl_core.outcomes.experiment import rank_notes, read_grid, summarise
from tl_core.outcomes.runs import run_title
from tl_core.runs.store import Job, Run, Store
from tl_core.settings import Settings


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def encoder(tmp_path: Path) -> str:
    write_tiny_encoder(tmp_path / "bert", "bert")
    return str(tmp_path / "bert")


def runs_by_name(store: Store, job: Job) -> dict[str, Run]:
    return {run.id.removeprefix(f"{job.id}-"): run for run in store.runs_of(job.id)}


def test_each_arm_is_trained_with_its_own_settings_and_told_by_its_name(store: Store, encoder: str):
    arms = [Arm("lora", {**TUNED, "rank": rank}, name=f"Rank {rank}") for rank in (2, 4)]
    job = finished(store, ClassifyExperiment(arms=tuple(arms), encoder=encoder, seeds=2))
    assert job.status == "done", job.reason
    runs = runs_by_name(store, job)
    assert list(runs) == ["rank-2-1", "rank-2-2", "rank-4-1", "rank-4-2"]
    sizes = {name: run.record.trained_parameters for name, run in runs.items()}
    assert sizes["rank-2-1"] == sizes["rank-2-2"] < sizes["rank-4-1"]
    assert runs["rank-4-1"].record.config["rank"] == 4
    assert run_title(runs["rank-4-2"]) == "Rank 4, seed 2"
    summary = summarise(job, list(runs.values()))
    assert [(each.arm, each.title, each.strategy) for each in summary.points] == [
        ("rank-2", "Rank 2", "lora"),
        ("rank-4", "Rank 4", "lora"),
    ]
    assert "Rank 2" in "\n".join(summary.lines)
    assert "Rank 4" in "\n".join(summary.lines)


def test_arms_begin_on_encoders_of_their_own(store: Store, encoder: str, tmp_path: Path):
    write_tiny_encoder(tmp_path / "other", "distilbert", 3)
    other = str(tmp_path / "other")
    arms = (
        Arm("frozen", SETTINGS["frozen"]),
        Arm("frozen", SETTINGS["frozen"], name="On other", start=other),
    )
    job = finished(store, ClassifyExperiment(arms=arms, encoder=encoder))
    assert job.status == "done", job.reason
    runs = runs_by_name(store, job)
    assert {name: run.record.encoder for name, run in runs.items()} == {
        "frozen-1": encoder,
        "on-other-1": other,
    }


def test_an_arm_may_do_without_the_source_and_is_what_the_gain_is_measured_against(
    store: Store, encoder: str
):
    settings = {**TUNED, "rank": 4}
    arms = (Arm("lora", settings), Arm("lora", settings, name="Without", source=NO_SOURCE))
    config = ClassifyExperiment(arms=arms, encoder=encoder, seeds=2)
    job = finished(store, config, Task(word_examples(120), None, word_examples(60, first_row=900)))
    assert job.status == "done", job.reason
    runs = runs_by_name(store, job)
    assert set(runs) == {"source-lora", "zero-lora", "lora-1", "lora-2", "without-1", "without-2"}
    assert {name: run.record.from_source for name, run in runs.items() if run.record.role == "target"} == {
        "lora-1": True,
        "lora-2": True,
        "without-1": False,
        "without-2": False,
    }
    [gain] = read_grid(job, list(runs.values())).gains
    assert (gain.arm, gain.title) == ("lora", "LoRA")


def test_an_arm_may_begin_with_a_source_of_its_own(store: Store, encoder: str):
    folder = Path(encoder).parent
    [first] = store.runs_of(finished(store, small_config(folder, ("lora",))).id)
    arms = (
        Arm("lora", TUNED),
        Arm("lora", TUNED, name="After the first", source=first.id),
        Arm("frozen", SETTINGS["frozen"], source=first.id),
    )
    task = Task(word_examples(first_row=500))
    job = finished(store, ClassifyExperiment(arms=arms, encoder=encoder), task)
    assert job.status == "done", job.reason
    store.delete_run(first.id)  # the job has a copy
    runs = runs_by_name(store, job)
    assert runs["after-the-first-1"].record.facts["adapter_rank"] == first.record.config["rank"]
    assert "adapter_rank" not in runs["lora-1"].record.facts
    assert {name: run.record.source for name, run in runs.items()} == {
        "lora-1": "",
        "after-the-first-1": first.id,
        "frozen-1": first.id,
    }
    assert [gain.arm for gain in read_grid(job, list(runs.values())).gains] == ["after-the-first"]


def test_a_source_with_another_rank_than_the_settings_is_told(store: Store, encoder: str):
    folder = Path(encoder).parent
    [first] = store.runs_of(finished(store, small_config(folder, ("lora",))).id)
    arms = (
        Arm("lora", {**TUNED, "rank": 2}, name="Rank 2", source=first.id),
        Arm("lora", {**TUNED, "rank": first.record.config["rank"]}, name="The same", source=first.id),
    )
    job = finished(store, ClassifyExperiment(arms=arms, encoder=encoder))
    [note] = rank_notes(store.runs_of(job.id))
    assert note.startswith(
        "Rank 2 trained its source's adapter further, which has rank 16; the rank 2 of its"
    )


def test_what_an_arm_cannot_begin_with_is_refused_before_a_job_exists(
    store: Store, encoder: str, tmp_path: Path
):
    write_tiny_encoder(tmp_path / "other", "bert", 3)
    [run] = store.runs_of(finished(store, small_config(Path(encoder).parent, ("frozen",))).id)
    job_count = len(store.jobs())
    for arm, error, said in (
        (Arm("lora", TUNED, start=str(tmp_path / "other"), source=run.id), ConfigError, "stands on"),
        (Arm("lora", TUNED, source="../../etc"), RunError, "neither a run's id nor a shipped source"),
        (Arm("lora", TUNED, start="../nowhere"), ModelError, "nowhere"),
    ):
        with pytest.raises(error, match=said):
            compare.submit_comparison(
                store, ClassifyExperiment(arms=(arm,), encoder=encoder), Task(word_examples())
            )
    assert len(store.jobs()) == job_count


def test_a_list_of_trials_is_worked_by_name_and_the_rest_later(store: Store, encoder: str):
    config = replace(small_config(Path(encoder).parent, ("tfidf", "frozen"), seeds=2))
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = compare.submit_comparison(store, config, Task(word_examples()))
    CompareWork(store, job).run_trials(["frozen-2", "tfidf-1"])
    assert list(runs_by_name(store, job)) == ["tfidf-1", "frozen-2"]
    with pytest.raises(RunError, match="no training magic"):
        CompareWork(store, job).run_trials(["magic"])
    ended = {name: run.record.ended for name, run in runs_by_name(store, job).items()}
    CompareWork(store, job).run_trials()
    runs = runs_by_name(store, job)
    assert set(runs) == {"tfidf-1", "tfidf-2", "frozen-1", "frozen-2"}
    assert {name: runs[name].record.ended for name in ended} == ended
