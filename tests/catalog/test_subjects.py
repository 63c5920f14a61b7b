"""What can be looked into: encoders, readers, runs; and what a run's outputs mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import finished, small_config
from tl_core.catalog.subjects import list_subjects, open_base, open_subject, subject_stamp
from tl_core.encoders.attention.maps import attention_maps
from tl_core.encoders.attention.subject import network_of, targets, tensors
from tl_core.errors import ModelError, RunError
from tl_core.runs.store import Job, Store
from tl_core.tasks.classify.saved import load_classifier, predict

TEXT = "a good nice film"


@pytest.fixture
def store(settings) -> Store:
    return Store(settings)


@pytest.fixture
def job(store: Store, tmp_path: Path) -> Job:
    return finished(store, small_config(tmp_path, ("tfidf", "frozen", "lora")))


def run_id(store: Store, job: Job, strategy: str) -> str:
    return next(run.id for run in store.runs_of(job.id) if run.record.strategy == strategy)


def test_encoders_readers_and_runs_with_an_encoder_are_listed(store: Store, job: Job) -> None:
    rows = {row.name: row for row in list_subjects(store)}
    assert rows["minilm"].kind == "bare"
    assert rows["en"].kind == "span"
    assert rows[run_id(store, job, "lora")].kind == "classes"
    assert run_id(store, job, "tfidf") not in rows


@pytest.mark.parametrize("strategy", ["frozen", "lora"])
def test_a_run_says_what_its_classifier_says(store: Store, job: Job, strategy: str) -> None:
    name = run_id(store, job, strategy)
    subject = open_subject(store, name)
    found = targets(subject, subject.inputs(TEXT)[0])
    classifier = load_classifier(store.run(name).model, store.settings, device="cpu")
    wanted = dict(zip(classifier.classes, predict(classifier, [TEXT])[0].tolist()))
    assert {each.name: each.probability for each in found} == pytest.approx(wanted, abs=1e-5)
    assert found[0].probability == max(wanted.values())
    logits = network_of(subject)(tensors(subject, [subject.inputs(TEXT)[0]]))
    assert [float(each.value(logits)[0]) for each in found] == pytest.approx(
        [each.score for each in found], abs=1e-5
    )


def test_the_base_of_a_run_is_its_encoder_as_it_came(store: Store, job: Job) -> None:
    name = run_id(store, job, "lora")
    base, tuned = open_base(store, name), open_subject(store, name)
    bare = open_subject(store, base.name)
    shown = tuned.inputs(TEXT)[0]
    assert np.array_equal(attention_maps(base, shown), attention_maps(bare, shown))
    assert not np.array_equal(attention_maps(base, shown), attention_maps(tuned, shown))
    assert base.kind == "bare"


def test_a_run_without_an_encoder_is_refused_with_what_to_choose(store: Store, job: Job) -> None:
    with pytest.raises(ModelError, match="has no encoder.*Choose a frozen, LoRA"):
        open_subject(store, run_id(store, job, "tfidf"))


def test_a_run_whose_model_is_gone_is_told(store: Store, job: Job) -> None:
    import shutil

    name = run_id(store, job, "lora")
    before = subject_stamp(store, name)
    shutil.rmtree(store.run(name).model)
    assert subject_stamp(store, name) != before
    with pytest.raises(ModelError, match="was deleted"):
        open_subject(store, name)


def test_an_unfinished_run_and_an_unknown_name_are_refused(store: Store, job: Job) -> None:
    name = run_id(store, job, "lora")
    store.write_run(replace(store.run(name).record, status="failed"))
    with pytest.raises(RunError, match="is failed; only a finished one"):
        open_subject(store, name)
    with pytest.raises(ModelError, match="is no encoder"):
        open_subject(store, "what/is/this")


def test_a_folder_can_be_looked_into(store: Store, tmp_path: Path) -> None:
    folder = write_tiny_encoder(tmp_path / "mine", "gpt2")
    subject = open_subject(store, str(folder))
    assert (subject.kind, subject.layers, subject.heads) == ("bare", 2, 4)
