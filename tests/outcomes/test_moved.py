"""What a source task moved: the words of a word classifier, the layers of an encoder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.jobs import finished, small_config, word_examples
from tl_core.errors import DataError
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.outcomes.moved import moved_layers, moved_words, sources_of
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.strategies import strategy
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.training.events import drain
from tl_core.vectors.space import make_vectors

WORDS = ["bad", "poor", "sad", "ill", "good", "fine", "nice", "well", "a", "b"]


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def word_source(settings: Settings, folder: Path, **changes: object) -> Path:
    vectors = make_vectors("made", WORDS, np.random.default_rng(0).normal(size=(10, 6)).astype(np.float32))
    rows = word_examples()
    targets = np.array([label == "good" for label in rows.labels]).astype(np.int64)
    none = LabelledTexts((), np.array([], dtype=np.int64))
    config = replace(strategy("mean").config(), epochs=5, batch_size=8, **changes)  # type: ignore[arg-type]
    context = TrainingContext(settings, words=WordStart(vectors))
    given = FitInput(context, ("bad", "good"), LabelledTexts(rows.texts, targets), none, config)
    fitted = drain(strategy("mean").fit(given))
    folder.mkdir()
    fitted.save(folder)
    return folder


def test_words_that_a_source_trained_have_moved(settings: Settings, tmp_path: Path):
    vectors = make_vectors("made", WORDS, np.random.default_rng(0).normal(size=(10, 6)).astype(np.float32))
    found = moved_words(word_source(settings, tmp_path / "source"), vectors, most=4)
    assert sorted(found.words) == sorted(WORDS)
    assert found.movement.moved == 10
    first = found.movement.most[0]
    assert first.distance == max(each.distance for each in found.movement.most) > 0
    assert found.before[first.row] == pytest.approx(vectors.rows[vectors.vocabulary.row(first.word)])


def test_words_of_other_vectors_are_refused(settings: Settings, tmp_path: Path):
    folder = word_source(settings, tmp_path / "source")
    other = make_vectors("other", ["x"], np.ones((1, 3), dtype=np.float32))
    with pytest.raises(DataError, match="have 6 dimensions, other has 3"):
        moved_words(folder, other)
    strange = make_vectors("strange", ["x"], np.ones((1, 6), dtype=np.float32))
    with pytest.raises(DataError, match="trained no word that strange has"):
        moved_words(folder, strange)


def test_the_layers_of_a_source_are_compared_with_its_base(store: Store, tmp_path: Path):
    rows = word_examples(120)
    job = finished(
        store, small_config(tmp_path, ("frozen",)), Task(rows, None, word_examples(50, first_row=900))
    )
    [source] = sources_of(store, job)
    assert (source.title, source.family) == ("LoRA", "encoder")
    targets = np.array([label == "good" for label in rows.labels[:40]]).astype(np.int64)
    found = drain(moved_layers(store, source.folder, rows.texts[:40], targets))
    assert found.before is not None
    assert len(found.similarity) == len(found.before.accuracies) == 3
    assert found.weights.values[0] == 0  # LoRA leaves the embeddings
    assert (found.weights.values[1:] > 0).all()
    assert found.similarity[0] == pytest.approx(1)
    with pytest.raises(DataError, match="At least 20 texts"):
        drain(moved_layers(store, source.folder, rows.texts[:3], targets[:3]))

    rare = np.array([0] * 20 + [1] * 19 + [2])
    probed = drain(moved_layers(store, source.folder, rows.texts[:40], rare)).before
    assert probed is not None
    assert probed.rows == 39
    alone = drain(moved_layers(store, source.folder, rows.texts[:40], np.zeros(40, dtype=np.int64)))
    assert alone.before is alone.after is None
    assert len(alone.similarity) == 3


def test_a_copied_source_is_found_and_a_comparison_without_one_has_none(store: Store, tmp_path: Path):
    first = finished(store, small_config(tmp_path, ("lora",)))
    [run] = store.runs_of(first.id)
    assert sources_of(store, first) == []
    second = finished(store, replace(small_config(tmp_path, ("frozen",)), source_run=run.id))
    assert [each.family for each in sources_of(store, second)] == ["encoder"]


def test_a_word_classifier_is_a_source_for_word_classifiers(store: Store):
    settings = {"mean": {"epochs": 3, "start": "random"}, "bag": {"epochs": 3, "start": "random"}}
    first = finished(store, of_strategies(strategies=("mean",), settings=settings))
    [run] = store.runs_of(first.id)
    config = of_strategies(strategies=("tfidf", "bag"), settings=settings, source_run=run.id, sizes=(4,))
    second = finished(store, config)
    assert second.status == "done", second.reason
    runs = {each.id.removeprefix(f"{second.id}-"): each.record for each in store.runs_of(second.id)}
    assert set(runs) == {"zero-mean", "tfidf-plain-4-1", "bag-plain-4-1", "bag-source-4-1"}
    assert runs["bag-source-4-1"].facts["updated"]["words"] > 0
    assert "updated" not in runs["bag-plain-4-1"].facts
    [source] = sources_of(store, second)
    assert source.family == "words"
    vectors = make_vectors("other", ["good", "bad"], np.ones((2, 50), dtype=np.float32))
    with pytest.raises(DataError, match="began at random"):
        moved_words(source.folder, vectors)
