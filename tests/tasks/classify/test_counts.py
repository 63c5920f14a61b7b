from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.tasks.classify.test_contract import CLASSES, STRANGE, make_rows
from tl_core.errors import ConfigError, DataError, ModelError
from tl_core.settings import Settings
from tl_core.tasks.classify.counts.config import BagOfWordsConfig, epochs_for
from tl_core.tasks.classify.counts.saved import BagOfWordsClassifier, load_bag_of_words
from tl_core.tasks.classify.counts.train import fit_bag_of_words
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.saved import predict
from tl_core.tasks.fitting import TrainingContext
from tl_core.training.events import Metric, Note, Progress, Stopped
from tl_core.training.loop import LoopControl

NONE = LabelledTexts((), np.array([], dtype=np.int64))
KOREAN = LabelledTexts(
    ("영화가 정말 좋았다", "정말 좋은 영화", "지루하고 나쁜 영화", "너무 나빴다 지루했다"),
    np.array([1, 1, 0, 0]),
)


def fit(settings: Settings, rows=None, validation=NONE, *, seed=0, control=None, classes=CLASSES, **changes):
    context = TrainingContext(settings, seed, control=control or LoopControl())
    config = BagOfWordsConfig(**changes)
    training = fit_bag_of_words(FitInput(context, classes, rows or make_rows(), validation, config))
    events = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


def saved(settings: Settings, folder: Path, **changes) -> tuple[BagOfWordsClassifier, Path]:
    fitted, _ = fit(settings, **changes)
    place = folder / "saved"
    place.mkdir()
    fitted.save(place)
    return fitted.model, place


@pytest.mark.parametrize("weights", ["counts", "presence"])
@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_a_bag_of_words_keeps_the_contract(settings: Settings, tmp_path: Path, ngrams: int, weights: str):
    fitted, events = fit(settings, ngrams=ngrams, weights=weights, batch_size=7)
    progress = [each for each in events if isinstance(each, Progress)]
    assert progress[-1].done == progress[-1].total
    assert [each.done for each in progress] == sorted(each.done for each in progress)

    rows = make_rows()
    texts = (*rows.texts, *STRANGE)
    before = predict(fitted.model, texts)
    assert before.shape == (len(texts), 3)
    assert np.isfinite(before).all()
    assert np.allclose(before.sum(1), 1, atol=1e-6)
    assert (before[: len(rows)].argmax(1) == rows.targets).mean() > 0.9
    assert (before[:, 2] == 0).all(), "no training row is 'so so'"
    assert fitted.trained_parameters == fitted.facts["n_grams"] * 3 + 3

    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.save(folder)
    kept = {"counts.json", "counts.safetensors", "labels.json", "n_grams.json"}
    assert {each.name for each in folder.iterdir()} == kept
    loaded = load_bag_of_words(folder)
    assert loaded.classes == CLASSES
    assert np.array_equal(before, predict(loaded, texts))
    alone = np.vstack([predict(fitted.model, [text]) for text in texts])
    assert np.allclose(before, alone, atol=1e-6)
    assert predict(loaded, []).shape == (0, 3)


def test_the_logits_are_the_weights_of_the_n_grams_added_up(settings: Settings):
    fitted, _ = fit(settings, ngrams=2)
    network, n_grams = fitted.model.network, fitted.model.bag.n_grams()["words"]
    weight, bias = network.weight.detach().double().numpy(), network.bias.detach().double().numpy()
    assert "fine fine" in n_grams
    stands = ["fine", "fine", "good", "fine fine", "fine good"]  # of "Fine fine, GOOD!"
    logits = bias + sum(weight[n_grams.index(each)] for each in stands if each in n_grams)
    wanted = np.exp(logits) / np.exp(logits).sum()
    assert np.allclose(predict(fitted.model, ["Fine fine, GOOD!"])[0], wanted, atol=1e-6)


def test_presence_adds_a_repeated_word_once(settings: Settings):
    once, _ = fit(settings, weights="presence")
    twice, _ = fit(settings, weights="counts")
    texts = ["good", "good good good"]
    [first, again] = predict(once.model, texts)
    assert np.array_equal(first, again)
    [first, again] = predict(twice.model, texts)
    assert again[1] > first[1]


def test_a_text_without_a_known_n_gram_gets_the_bias(settings: Settings):
    fitted, _ = fit(settings)
    found = predict(fitted.model, ["", "!!!", "zzz", "🙂"])
    bias = fitted.model.network.bias.detach().double()
    assert np.allclose(found, bias.softmax(-1).numpy(), atol=1e-9)


def test_the_loss_comes_to_that_of_logistic_regression(settings: Settings):
    """The same convex problem, almost without a penalty, solved by other means."""
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(1)
    texts = tuple(" ".join(random.choice(list("abcdef"), size=6)) for _ in range(200))
    chances = [1 / (1 + np.exp(-(text.count("a") - text.count("b")))) for text in texts]
    targets = (random.random(200) < chances).astype(np.int64)
    rows = LabelledTexts(texts, targets)
    fitted, _ = fit(
        settings, rows, epochs=200, batch_size=200, weight_decay=0.0, learning_rate=0.05, classes=("0", "1")
    )
    ours = predict(fitted.model, texts)
    counts = CountVectorizer(token_pattern=r"\w+").fit_transform(texts)
    theirs = LogisticRegression(C=1e4, max_iter=5000).fit(counts, targets).predict_proba(counts)
    at = np.arange(200)
    losses = [-np.log(each[at, targets]).mean() for each in (ours, theirs)]
    assert losses[0] == pytest.approx(losses[1], abs=2e-3)
    assert np.abs(ours - theirs).max() < 0.05


def test_the_same_seed_gives_the_same_model_and_another_seed_another_order(settings: Settings):
    texts = make_rows().texts
    options = {"batch_size": 5, "epochs": 3}
    first, second, other = (fit(settings, seed=seed, **options)[0] for seed in (1, 1, 2))
    assert np.array_equal(predict(first.model, texts), predict(second.model, texts))
    assert not np.array_equal(predict(first.model, texts), predict(other.model, texts))


@pytest.mark.parametrize("stop_at", [1, 4, 9])
def test_a_stopped_training_resumes_to_the_same_model(settings: Settings, tmp_path: Path, stop_at: int):
    options = {"batch_size": 7, "epochs": 5, "validation": make_rows(9), "patience": 100}
    whole, _ = fit(settings, **options)
    asked = iter([False] * stop_at + [True])
    with pytest.raises(Stopped):
        fit(settings, control=LoopControl(tmp_path, 1e9, lambda: next(asked)), **options)
    resumed, events = fit(settings, control=LoopControl(tmp_path, 1e9), **options)
    texts = (*make_rows().texts, *STRANGE)
    assert np.array_equal(predict(whole.model, texts), predict(resumed.model, texts))
    assert min(each.step for each in events if isinstance(each, Metric)) == stop_at + 1
    assert whole.facts == resumed.facts


def test_validation_rows_are_held_back_and_can_end_a_training(settings: Settings):
    only = LabelledTexts(("good heldout", "bad heldout"), np.array([1, 0]))
    fitted, events = fit(settings, validation=only, epochs=50, patience=2, batch_size=8, learning_rate=1e-6)
    assert "heldout" not in fitted.model.bag.n_grams()["words"]
    assert {each.name for each in events if isinstance(each, Metric)} > {"validation accuracy"}
    stopped, events = fit(settings, validation=LabelledTexts(("bad",), np.array([1])), epochs=50, patience=2)
    assert stopped.facts["stopped_early"]
    assert [each for each in events if isinstance(each, Progress)][-1].share == 1


def test_korean_texts_are_counted_in_characters_too(settings: Settings, tmp_path: Path):
    fitted, events = fit(settings, KOREAN, batch_size=4)
    assert [each for each in events if isinstance(each, Note)]
    assert fitted.facts["characters"]
    assert "좋았" in fitted.model.bag.n_grams()["characters"]
    assert predict(fitted.model, ["좋았어"])[0].argmax() == 1, "no word of it was seen, but 좋았 was"
    fitted.save(tmp_path)
    loaded = load_bag_of_words(tmp_path)
    assert np.array_equal(predict(fitted.model, STRANGE), predict(loaded, STRANGE))


def test_rare_n_grams_and_a_large_vocabulary_are_cut(settings: Settings):
    fitted, _ = fit(settings, ngrams=2, least_rows=3)
    rows = make_rows()
    for each in fitted.model.bag.n_grams()["words"]:
        assert sum(each in text for text in rows.texts) >= 3
    random = np.random.default_rng(0)
    texts = tuple(f"{'good' if at % 2 else 'bad'} often w{random.integers(10_000)}" for at in range(300))
    rows = LabelledTexts(texts, np.arange(300) % 2)
    fitted, _ = fit(settings, rows, largest_vocabulary=100)
    assert fitted.facts["n_grams"] == 100
    assert {"good", "bad", "often"} < set(fitted.model.bag.n_grams()["words"])


def test_the_n_grams_are_those_that_sklearn_keeps(settings: Settings):
    from sklearn.feature_extraction.text import CountVectorizer

    fitted, _ = fit(settings, ngrams=3, least_rows=2)
    view = CountVectorizer(ngram_range=(1, 3), min_df=2, token_pattern=r"(?u)\b\w+\b").fit(make_rows().texts)
    assert fitted.model.bag.n_grams()["words"] == list(view.get_feature_names_out())


def test_texts_without_words_are_refused(settings: Settings):
    rows = LabelledTexts(("!!!", "???"), np.array([0, 1]))
    with pytest.raises(DataError, match="No n-gram stands in at least 1 of the 2"):
        fit(settings, rows)
    with pytest.raises(DataError, match="No n-gram stands in at least 900"):
        fit(settings, least_rows=900)


def test_settings_out_of_their_bounds_are_refused():
    for bad in (
        {"ngrams": 4},
        {"ngrams": 0},
        {"weights": "tfidf"},
        {"largest_vocabulary": 1},
        {"patience": 0},
    ):
        with pytest.raises(ConfigError, match=f"BagOfWordsConfig.{next(iter(bad))} must be"):
            BagOfWordsConfig(**bad)


def test_few_rows_take_more_epochs():
    config = BagOfWordsConfig(batch_size=100)
    assert [epochs_for(config, rows) for rows in (10, 5_000, 1_000_000)] == [40, 20, 5]
    assert epochs_for(BagOfWordsConfig(epochs=7), 10) == 7


def test_the_settings_load_neither_torch_nor_sklearn():
    told = "import sys, tl_core.tasks.classify.counts.config, tl_core.tasks.classify.counts.train as c; "
    told += "import tl_core.tasks.classify.counts.saved; assert not {'torch', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", told], check=True)


def broken_json(name: str, **changes):
    def change(folder: Path) -> None:
        facts = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps(facts | changes), encoding="utf-8")

    return change


def written(name: str, text: str):
    return lambda folder: (folder / name).write_text(text, encoding="utf-8")


def tensors(change):
    def rewrite(folder: Path) -> None:
        from safetensors.numpy import load_file, save_file

        save_file(change(load_file(folder / "counts.safetensors")), folder / "counts.safetensors")

    return rewrite


BROKEN = {
    "no facts": lambda folder: (folder / "counts.json").unlink(),
    "no n-grams": lambda folder: (folder / "n_grams.json").unlink(),
    "no labels": lambda folder: (folder / "labels.json").unlink(),
    "no layer": lambda folder: (folder / "counts.safetensors").unlink(),
    "no layer at all": written("counts.safetensors", "broken"),
    "no json": written("counts.json", "{"),
    "deep json": written("n_grams.json", "[" * 100_000),
    "a list of facts": written("counts.json", "[]"),
    "another view": broken_json("counts.json", views=["words", "os.system"]),
    "views of no kind": broken_json("counts.json", views=3),
    "too long n-grams": broken_json("counts.json", ngrams=10**9),
    "n-grams of no number": broken_json("counts.json", ngrams=True),
    "other weights": broken_json("counts.json", weights="sizes"),
    "weights of no kind": broken_json("counts.json", weights=["counts"]),
    "a view too many": broken_json("n_grams.json", characters=["ab"]),
    "n-grams that are numbers": broken_json("n_grams.json", words=[1, 2]),
    "no n-gram": broken_json("n_grams.json", words=[]),
    "an n-gram less": broken_json("n_grams.json", words=["good"]),
    "an n-gram twice": broken_json("n_grams.json", words=["good"] * 8),
    "labels of no kind": written("labels.json", "7"),
    "a label less": written("labels.json", '["bad", "good"]'),
    "nothing for labels": written("labels.json", "[null, null, null]"),
    "a weight that is no number": tensors(lambda each: each | {"weight": each["weight"] * np.float32("nan")}),
    "an infinite bias": tensors(lambda each: each | {"bias": each["bias"] - np.float32("inf")}),
    "weights turned": tensors(lambda each: each | {"weight": np.ascontiguousarray(each["weight"].T)}),
    "weights of another kind": tensors(lambda each: each | {"weight": each["weight"].astype(np.int32)}),
    "no bias": tensors(lambda each: {"weight": each["weight"]}),
    "a tensor too many": tensors(lambda each: each | {"more": each["bias"].copy()}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_folder_is_refused(settings: Settings, tmp_path: Path, what: str):
    _, folder = saved(settings, tmp_path)
    load_bag_of_words(folder)
    BROKEN[what](folder)
    with pytest.raises(ModelError):
        load_bag_of_words(folder)


def test_a_folder_that_is_gone_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="counts.json cannot be read"):
        load_bag_of_words(tmp_path / "nothing")


@pytest.mark.cuda
def test_a_bag_of_words_trained_on_a_gpu_predicts_on_the_cpu(settings: Settings):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    fitted, _ = fit(settings, validation=make_rows(9))
    assert not fitted.model.network.weight.is_cuda
    rows = make_rows()
    assert (predict(fitted.model, rows.texts).argmax(1) == rows.targets).mean() > 0.9
