"""The contract of every classifier, kept by those on word vectors; what they take from a source task."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.tasks.classify.words.rows import (
    BAD,
    CLASSES,
    GOOD,
    STRANGE,
    fit,
    from_source,
    make_rows,
    save,
    small_config,
    tiny_vectors,
)
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.saved import predict
from tl_core.tasks.classify.words.config import FEW_ROWS, KINDS, config_class, settled
from tl_core.tasks.classify.words.saved import load_word_classifier, read_source
from tl_core.tasks.classify.words.train import fit_words
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.training.events import Note, Progress, Stopped, drain
from tl_core.training.loop import LoopControl

CPU = torch.device("cpu")
VARIANTS = [
    *((kind, {}) for kind in KINDS),
    ("mean", {"embeddings": "slow"}),
    ("bag", {"embeddings": "frozen"}),
    ("mean", {"start": "random"}),
    ("mean", {"splitter": "words"}),
    *(("recurrent", {"cell": cell, "state": state}) for cell in ("rnn", "gru") for state in ("last", "mean")),
    ("recurrent", {"layers": 2, "packed": False}),
    ("recurrent", {"bidirectional": False, "state": "last"}),
    ("cnn", {"sentence_k": 3, "document_k": 4, "hidden": 7}),
    ("cnn", {"sentence_kernel": 4, "document_kernel": 2, "longest_sentence": 5}),
    ("cnn", {"max_words": 3}),
    *((kind, {"least_count": 12}) for kind in KINDS),  # so that training rows hold words that are not trained
]


@pytest.mark.parametrize(("kind", "changes"), VARIANTS)
def test_a_word_classifier_keeps_the_contract(settings: Settings, tmp_path: Path, kind: str, changes: dict):
    fitted, events = fit(settings, kind, **changes)
    progress = [each for each in events if isinstance(each, Progress)]
    assert progress[-1].done == progress[-1].total

    texts = (*make_rows().texts, *STRANGE)
    before = predict(fitted.model, texts)
    assert before.shape == (len(texts), 3)
    assert np.isfinite(before).all()
    assert np.allclose(before.sum(1), 1, atol=1e-6)
    assert fitted.trained_parameters > 0
    assert predict(fitted.model, []).shape == (0, 3)

    folder = save(fitted, tmp_path / "saved")
    assert {each.name for each in folder.iterdir()} == {
        "words.json",
        "vocabulary.json",
        "labels.json",
        "model.safetensors",
    }
    after = predict(load_word_classifier(folder, settings, CPU), texts)
    assert np.allclose(before, after, atol=1e-5)
    alone = np.vstack([predict(fitted.model, [text]) for text in texts[20:]])
    assert np.allclose(before[20:], alone, atol=1e-5)


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_same_seed_gives_the_same_model(settings: Settings, kind: str):
    first, _ = fit(settings, kind, seed=3)
    second, _ = fit(settings, kind, seed=3)
    other, _ = fit(settings, kind, seed=4)
    texts = make_rows().texts
    assert np.array_equal(predict(first.model, texts), predict(second.model, texts))
    assert not np.array_equal(predict(first.model, texts), predict(other.model, texts))


@pytest.mark.parametrize("embeddings", ["trained", "slow", "frozen"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_word_classifier_learns_what_is_plain(settings: Settings, kind: str, embeddings: str):
    fitted, _ = fit(
        settings, kind, embeddings=embeddings, epochs=30, learning_rate=2e-2, validation=make_rows(10, 1)
    )
    rows = make_rows()
    assert (predict(fitted.model, rows.texts).argmax(1) == rows.targets).mean() > 0.9
    assert fitted.facts["best_epoch"] <= fitted.facts["epochs"] == 30


@pytest.mark.parametrize("kind", ["mean", "cnn"])
def test_trained_words_move_and_frozen_and_extra_words_stay(settings: Settings, kind: str):
    vectors = tiny_vectors()
    wanted = vectors.rows[vectors.vocabulary.row("good")].astype("f2")
    for embeddings, moves in (("frozen", False), ("trained", True), ("slow", True)):
        fitted, _ = fit(settings, kind, embeddings=embeddings)
        table = fitted.model.network.table
        index = fitted.model.index
        now = table.trained[index["good"]].detach().numpy()
        assert (not np.allclose(now, wanted, atol=1e-4)) is moves
        extra = table.kept[index["film"] - len(table.trained)].numpy()
        assert np.allclose(extra, vectors.rows[vectors.vocabulary.row("film")].astype("f2"))
        assert not table.trained[0].any()
        parameters = sum(each.numel() for each in fitted.model.network.parameters())
        trained = parameters - (table.trained.numel() if embeddings == "frozen" else 0)
        assert fitted.trained_parameters == trained


def test_a_slow_table_moves_less_than_a_trained_one(settings: Settings):
    vectors = tiny_vectors()

    def moved(**changes: object) -> float:
        fitted, _ = fit(settings, "mean", weight_decay=0.0, **changes)
        at = fitted.model.index["good"]
        now = fitted.model.network.table.trained[at].detach().numpy()
        return float(np.abs(now - vectors.rows[vectors.vocabulary.row("good")]).max())

    assert moved(embeddings="slow", embedding_rate=1e-3) < 0.2 * moved(
        embeddings="trained", learning_rate=1e-2
    )


def test_korean_is_cut_into_morphemes(settings: Settings, tmp_path: Path):
    pytest.importorskip("kiwipiepy")
    good, bad = "영화가 정말 좋았다. 재미있는 이야기였다!", "지루하고 나쁜 영화였다"
    rows = LabelledTexts((good, bad) * 4, np.array([1, 0] * 4))
    fitted, _ = fit(settings, "cnn", rows=rows, words=WordStart(), validation=rows)
    assert fitted.facts["splitter"] == "morphemes"
    assert {"영화", "가", "좋다"} <= set(fitted.model.index)
    loaded = load_word_classifier(save(fitted, tmp_path / "saved"), settings, CPU)
    assert np.allclose(predict(fitted.model, STRANGE), predict(loaded, STRANGE), atol=1e-5)


def test_words_updated_by_the_source_replace_pretrained_ones(settings: Settings, tmp_path: Path):
    source, _ = fit(settings, "mean", epochs=5)
    folder = save(source, tmp_path / "source")
    rows = LabelledTexts(("good film tonight", "bad film today") * 4, np.array([1, 0] * 4))
    target, _ = fit(
        settings, "cnn", words=from_source(folder), rows=rows, embeddings="frozen", moves="embeddings"
    )
    learned = source.model.network.table.trained.detach()[source.model.index["good"]]
    classifier = target.model
    assert torch.equal(classifier.network.table.trained[classifier.index["good"]], learned)
    film = tiny_vectors().rows[tiny_vectors().vocabulary.row("film")]
    assert np.allclose(classifier.network.table.trained[classifier.index["film"]], film, atol=2e-3)
    assert target.facts["updated"] == {"words": 2, "of": 5}  # good, bad of good, bad, film, tonight, today
    assert target.facts["coverage"]["words"] == pytest.approx(2 / 5)
    assert target.facts["coverage"]["running_words"] == pytest.approx(12 / 24)
    assert target.facts["moved"] == []
    assert "poor" in classifier.index  # known from the source alone
    moved = read_source(save(target, tmp_path / "target"))
    assert {word for word, each in zip(moved.words, moved.learned, strict=True) if each} == set(
        f"{GOOD} {BAD}".split()
    )


def test_read_source_gives_the_words_of_the_training_rows(settings: Settings, tmp_path: Path):
    fitted, _ = fit(settings, "mean")
    source = read_source(save(fitted, tmp_path / "a"))
    assert source.vectors.shape == (len(source.words), 8)
    assert {word for word, each in zip(source.words, source.learned, strict=True) if each} == set(
        f"{GOOD} {BAD}".split()
    )
    frozen, _ = fit(settings, "mean", embeddings="frozen")
    assert not read_source(save(frozen, tmp_path / "b")).learned.any()


@pytest.mark.parametrize("kind", list(KINDS))
def test_everything_moves_and_the_head_only_for_the_same_classes(
    settings: Settings, tmp_path: Path, kind: str
):
    source, _ = fit(settings, kind, epochs=5)
    start = from_source(save(source, tmp_path / "source"))
    still = {
        "keep_layers_frozen_epochs": 1,
        "epochs": 1,
        "moved_rate": 0.0,
        "embeddings": "frozen",
        "moves": "everything",
        "learning_rate": 1e-6,
    }
    same, _ = fit(settings, kind, words=start, **still)
    other, _ = fit(settings, kind, words=start, classes=("one", "two", "three"), **still)
    learned = dict(source.model.network.named_parameters())
    layers = {name for name in learned if not name.startswith(("head", "table"))}
    assert set(same.facts["moved"]) == layers | {"head.weight", "head.bias"}
    assert set(other.facts["moved"]) == layers
    heads = ("head.weight", "head.bias")
    new = dict(other.model.network.named_parameters())
    assert other.trained_parameters == sum(new[name].numel() for name in heads)  # all else stays
    for name, each in other.model.network.named_parameters():
        if name in layers:
            assert torch.equal(each, learned[name])
    texts = make_rows().texts
    assert np.allclose(predict(same.model, texts), predict(source.model, texts), atol=1e-3)


def test_auto_keeps_the_words_that_a_source_moved_on_few_rows_and_trains_them_on_many():
    config = config_class("cnn")()
    few, many = (settled(config, rows, has_source=True) for rows in (FEW_ROWS - 1, FEW_ROWS))
    assert (few.embeddings, many.embeddings) == ("frozen", "trained")
    assert settled(config, 10, has_source=False).embeddings == "trained"
    chosen = replace(config, embeddings="slow")
    assert settled(chosen, 10, has_source=True) == chosen


def test_moved_layers_are_trained_after_the_frozen_epochs(settings: Settings, tmp_path: Path):
    source, _ = fit(settings, "cnn", epochs=2)
    start = from_source(save(source, tmp_path / "source"))
    layer = source.model.network.sentence.weight
    for frozen, stays in ((2, True), (1, False)):
        target, _ = fit(
            settings, "cnn", words=start, epochs=2, keep_layers_frozen_epochs=frozen, moves="everything"
        )
        assert torch.equal(target.model.network.sentence.weight, layer) is stays


def test_words_that_rest_in_every_epoch_are_not_learned(settings: Settings, tmp_path: Path):
    source, _ = fit(settings, "mean", embeddings="frozen")
    start = from_source(save(source, tmp_path / "source"))
    for frozen in (3, 2):
        target, _ = fit(
            settings, "mean", words=start, epochs=3, keep_layers_frozen_epochs=frozen, embeddings="trained"
        )
        assert read_source(save(target, tmp_path / f"{frozen}")).learned.any() == (frozen == 2)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_stopped_training_goes_on_where_it_stood(settings: Settings, tmp_path: Path, kind: str):
    config = small_config(kind, dropout=0.3, word_dropout=0.3)
    whole, _ = fit(settings, kind, validation=make_rows(10, 1), dropout=0.3, word_dropout=0.3)
    asked = iter([False] * 5 + [True])
    half = TrainingContext(
        settings,
        0,
        words=WordStart(tiny_vectors()),
        control=LoopControl(tmp_path / "c", 0.0, lambda: next(asked)),
    )
    given = FitInput(half, CLASSES, make_rows(), make_rows(10, 1), config)
    with pytest.raises(Stopped):
        drain(fit_words(given))
    again = TrainingContext(settings, 0, words=WordStart(tiny_vectors()), control=LoopControl(tmp_path / "c"))
    resumed = drain(fit_words(replace(given, context=again)))
    texts = make_rows().texts
    assert np.allclose(predict(whole.model, texts), predict(resumed.model, texts), atol=1e-6)


def test_a_source_of_another_kind_gives_its_words_and_says_so(settings: Settings, tmp_path: Path):
    source, _ = fit(settings, "mean")
    start = from_source(save(source, tmp_path / "s"))
    target, events = fit(settings, "recurrent", words=start, classes=("a", "b"), moves="everything")
    assert any("only its word vectors" in each.text for each in events if isinstance(each, Note))
    assert target.facts["moved"] == []
    assert target.facts["updated"] == {"words": 8, "of": 8}


def test_the_sources_width_wins(settings: Settings, tmp_path: Path):
    source, _ = fit(settings, "mean")
    start = from_source(save(source, tmp_path / "source"), tiny_vectors(width=5))
    target, events = fit(settings, "cnn", words=start)
    assert target.facts["width"] == 8
    assert any("8 wide" in each.text for each in events if isinstance(each, Note))


def test_a_target_stands_alone_when_its_source_is_gone(settings: Settings, tmp_path: Path):
    place = save(fit(settings, "cnn")[0], tmp_path / "source")
    target, _ = fit(settings, "cnn", words=from_source(place))
    folder = save(target, tmp_path / "target")
    shutil.rmtree(place)
    before = predict(target.model, STRANGE)
    assert np.allclose(before, predict(load_word_classifier(folder, settings, CPU), STRANGE), atol=1e-5)


def test_without_pretrained_vectors_words_begin_at_random(settings: Settings):
    fitted, events = fit(settings, "mean", words=WordStart(), width=12)
    assert fitted.facts["width"] == 12
    assert "coverage" not in fitted.facts
    assert any("no pretrained" in each.text for each in events if isinstance(each, Note))


def _texts(folder: Path, name: str, change) -> None:
    values = json.loads((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(json.dumps(change(values)), encoding="utf-8")


BREAKS = {
    "no marker": lambda at: (at / "words.json").unlink(),
    "marker is no JSON": lambda at: (at / "words.json").write_text("{", encoding="utf-8"),
    "marker is a list": lambda at: (at / "words.json").write_text("[]", encoding="utf-8"),
    "unknown kind": lambda at: _texts(at, "words.json", lambda v: {**v, "kind": "../x"}),
    "kind is a list": lambda at: _texts(at, "words.json", lambda v: {**v, "kind": []}),
    "wrong kind": lambda at: _texts(at, "words.json", lambda v: {**v, "kind": "recurrent"}),
    "unknown setting": lambda at: _texts(at, "words.json", lambda v: {**v, "config": {"evil": 1}}),
    "setting out of range": lambda at: _texts(
        at, "words.json", lambda v: {**v, "config": {**v["config"], "sentence_filters": 10**12}}
    ),
    "config is no object": lambda at: _texts(at, "words.json", lambda v: {**v, "config": 3}),
    "another splitter": lambda at: _texts(at, "words.json", lambda v: {**v, "splitter": "os.system"}),
    "too many classes": lambda at: _texts(at, "words.json", lambda v: {**v, "classes": ["a"] * 9}),
    "classes are no texts": lambda at: _texts(at, "words.json", lambda v: {**v, "classes": [1, 2, 3]}),
    "no words": lambda at: (at / "vocabulary.json").unlink(),
    "words are no texts": lambda at: (at / "vocabulary.json").write_text("[1]", encoding="utf-8"),
    "a word lost": lambda at: _texts(at, "vocabulary.json", lambda v: v[1:]),
    "a word twice": lambda at: _texts(at, "vocabulary.json", lambda v: [v[1], *v[1:]]),
    "no weights": lambda at: (at / "model.safetensors").unlink(),
    "weights are broken": lambda at: (at / "model.safetensors").write_bytes(b"broken"),
}


@pytest.mark.parametrize("how", list(BREAKS))
def test_a_broken_folder_says_so(settings: Settings, tmp_path: Path, how: str):
    folder = save(fit(settings, "cnn", epochs=1)[0], tmp_path / "saved")
    BREAKS[how](folder)
    with pytest.raises(ModelError):
        load_word_classifier(folder, settings, CPU)


@pytest.mark.parametrize("how", ["no marker", "a word lost", "no weights", "weights are broken"])
def test_a_broken_source_says_so(settings: Settings, tmp_path: Path, how: str):
    folder = save(fit(settings, "mean", epochs=1)[0], tmp_path / "saved")
    BREAKS[how](folder)
    with pytest.raises(ModelError):
        fit(settings, "mean", words=from_source(folder))


@pytest.mark.parametrize("change", ["lose", "shape", "numbers"])
def test_tensors_that_do_not_fit_are_refused(settings: Settings, tmp_path: Path, change: str):
    from safetensors.torch import load_file, save_file

    folder = save(fit(settings, "mean", epochs=1)[0], tmp_path / "saved")
    tensors = load_file(folder / "model.safetensors")
    if change == "lose":
        del tensors["head.bias"]
    if change == "shape":
        tensors["table.trained"] = tensors["table.trained"][:, :3].contiguous()
    if change == "numbers":
        tensors["table.trained"][2] = float("nan")
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(ModelError, match="whole"):
        load_word_classifier(folder, settings, CPU)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", list(KINDS))
def test_word_classifiers_train_and_predict_on_a_gpu(settings: Settings, tmp_path: Path, kind: str):
    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    fitted, _ = fit(settings, kind, precision="auto", least_count=12)
    assert next(fitted.model.network.parameters()).is_cuda
    on_gpu = predict(fitted.model, STRANGE)
    loaded = load_word_classifier(save(fitted, tmp_path / "saved"), settings, CPU)
    assert np.allclose(on_gpu, predict(loaded, STRANGE), atol=1e-3)
