"""One contract for every strategy and every encoder family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import write_tiny_encoder
from tl_core.encoders.adapted import StartingPoint
from tl_core.encoders.load import EncoderBase
from tl_core.encoders.tuning import TunedConfig
from tl_core.errors import DataError, ModelError
from tl_core.knobs import knobs_of
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts, check_classes
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.tasks.classify.strategies import STRATEGIES, strategy
from tl_core.tasks.fitting import TrainingContext
from tl_core.training.events import Progress, drain

FAMILIES = (
    "bert",
    "distilbert",
    "albert",
    "roberta",
    "mpnet",
    "modernbert",
    "deberta-v2",
    "electra",
    "xlnet",
    "gpt2",
)
TUNED = tuple(each.name for each in STRATEGIES if issubclass(each.config, TunedConfig))
CLASSES = ("bad", "good", "so so")
GOOD, BAD = "good fine nice well", "bad poor sad ill"
STRANGE = (
    "",
    "   ",
    "!!! ... ???",
    "영화가 정말 좋았다",
    "🙂🙂",
    "zzz unseen qqq",
    "a" * 3000,
    "line\nbreak\ttab\x00nul",
)


def make_rows(count: int = 24) -> LabelledTexts:
    random = np.random.default_rng(0)
    targets = np.arange(count) % 2
    texts = tuple(
        " ".join(random.choice((BAD if target == 0 else GOOD).split(), size=int(random.integers(2, 6))))
        for target in targets
    )
    return LabelledTexts(texts, targets.astype(np.int64))


def small_config(name: str, **changes):
    row = strategy(name)
    values: dict[str, object] = {}
    if row.needs_encoder:
        values = {"max_tokens": 32, "precision": "float32"}
    if row.in_loop:
        values |= {"epochs": 2, "batch_size": 8}
    if name in TUNED:
        values |= {"learning_rate": 5e-3}
    if name == "contrastive":
        values |= {"pairs": 40}
    known = {each.name for each in knobs_of(row.config)}
    return row.config(**{key: value for key, value in {**values, **changes}.items() if key in known})


def make_bench(settings: Settings, folder: Path, family: str = "bert", seed: int = 0) -> TrainingContext:
    place = folder / family
    if not place.exists():
        write_tiny_encoder(place, family)
    return TrainingContext(settings, seed, StartingPoint(EncoderBase("folder", str(place))))


def fit(context: TrainingContext, name: str, **changes):
    rows = make_rows()
    none = LabelledTexts((), np.array([], dtype=np.int64))
    training = strategy(name).fit(FitInput(context, CLASSES, rows, none, small_config(name, **changes)))
    events = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


ALL = [
    *((each.name, "bert") for each in STRATEGIES if not each.needs_encoder),
    *((each.name, family) for each in STRATEGIES if each.needs_encoder for family in FAMILIES),
]


@pytest.mark.parametrize(("name", "family"), ALL)
def test_a_classifier_keeps_the_contract(settings: Settings, tmp_path: Path, name: str, family: str):
    fitted, events = fit(make_bench(settings, tmp_path, family), name)
    progress = [each for each in events if isinstance(each, Progress)]
    assert progress[-1].done == progress[-1].total

    texts = (*make_rows().texts, *STRANGE)
    before = predict(fitted.model, texts)
    assert before.shape == (len(texts), 3)
    assert np.isfinite(before).all()
    assert np.allclose(before.sum(1), 1, atol=1e-6)
    assert fitted.trained_parameters > 0

    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.model.save(folder)
    assert not [each for each in folder.rglob("*") if each.suffix in (".pkl", ".bin", ".pt", ".joblib")]
    after = predict(load_classifier(folder, settings, device="cpu"), texts)
    assert np.allclose(before, after, atol=1e-5)
    alone = np.vstack([predict(fitted.model, [text]) for text in texts[-4:]])
    assert np.allclose(before[-4:], alone, atol=1e-5)


@pytest.mark.parametrize("name", [each.name for each in STRATEGIES])
def test_the_same_seed_gives_the_same_model(settings: Settings, tmp_path: Path, name: str):
    first, _ = fit(make_bench(settings, tmp_path), name)
    second, _ = fit(make_bench(settings, tmp_path), name)
    texts = make_rows().texts
    assert np.array_equal(predict(first.model, texts), predict(second.model, texts))


@pytest.mark.parametrize("name", [each.name for each in STRATEGIES])
def test_a_strategy_learns_what_is_plain(settings: Settings, tmp_path: Path, name: str):
    changes = {"epochs": 20} if strategy(name).in_loop and name != "contrastive" else {}
    fitted, _ = fit(make_bench(settings, tmp_path), name, **changes)
    rows = make_rows()
    assert (predict(fitted.model, rows.texts).argmax(1) == rows.targets).mean() > 0.9


def test_a_lora_adapter_changes_nothing_at_birth(settings: Settings, tmp_path: Path):
    import torch

    from tl_core.encoders.adapted import load_merged, load_with_adapter

    start = make_bench(settings, tmp_path).starting_point
    plain = load_merged(start, settings).model
    adapted = load_with_adapter(start, settings, rank=4, alpha=8, dropout=0.0).model.eval()
    ids = torch.arange(10, 30).reshape(2, 10)
    with torch.no_grad():
        assert torch.equal(plain(input_ids=ids).last_hidden_state, adapted(input_ids=ids).last_hidden_state)


@pytest.mark.parametrize("first", ["lora", "full"])
@pytest.mark.parametrize("second", ["frozen", "lora", "full"])
def test_a_model_trained_from_a_source_stands_alone(
    settings: Settings, tmp_path: Path, first: str, second: str
):
    """Source task, then target task with a new head; the source may be deleted after that."""
    import shutil

    context = make_bench(settings, tmp_path)
    source, _ = fit(context, first)
    place = tmp_path / "source"
    place.mkdir()
    source.model.save(place)
    from dataclasses import replace

    from tl_core.encoders.adapted import read_starting_point

    target, _ = fit(replace(context, start=read_starting_point(place)), second)
    folder = tmp_path / "target"
    folder.mkdir()
    target.model.save(folder)
    before = predict(target.model, STRANGE)
    shutil.rmtree(place)
    assert np.allclose(before, predict(load_classifier(folder, settings, device="cpu"), STRANGE), atol=1e-5)


def test_lora_predictions_are_the_same_with_the_adapter_merged(settings: Settings, tmp_path: Path):
    """The head stands outside peft, so that it cannot be lost in its saving."""
    fitted, _ = fit(make_bench(settings, tmp_path), "lora", epochs=10)
    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.model.save(folder)
    assert {each.name for each in folder.iterdir()} >= {
        "adapter",
        "head.safetensors",
        "encoder.json",
        "labels.json",
    }
    texts = make_rows().texts
    loaded = load_classifier(folder, settings, device="cpu")
    assert np.allclose(predict(fitted.model, texts), predict(loaded, texts), atol=1e-5)


def test_one_class_is_refused():
    with pytest.raises(DataError, match="at least two classes.*only 'bad'"):
        check_classes(CLASSES, LabelledTexts(("a", "b"), np.array([0, 0])))


def test_a_skops_file_with_another_kind_of_object_is_not_loaded(settings: Settings, tmp_path: Path):
    import skops.io

    fitted, _ = fit(make_bench(settings, tmp_path), "tfidf")
    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.model.save(folder)
    skops.io.dump({"head": Path("x").joinpath, "idf": {}}, folder / "model.skops")
    with pytest.raises(ModelError, match="not loaded|not a readable"):
        load_classifier(folder, settings)


def test_a_model_that_is_gone_or_broken_says_so(settings: Settings, tmp_path: Path):
    with pytest.raises(ModelError, match="does not exist"):
        load_classifier(tmp_path / "nothing", settings)
    fitted, _ = fit(make_bench(settings, tmp_path), "frozen")
    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.model.save(folder)
    (folder / "head.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError):
        load_classifier(folder, settings)
    (folder / "encoder.json").unlink()
    with pytest.raises(ModelError):
        load_classifier(folder, settings)


@pytest.mark.cuda
def test_training_and_prediction_run_on_a_gpu(settings: Settings, tmp_path: Path):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs an NVIDIA GPU")
    for name in ("frozen", "lora", "full"):
        fitted, _ = fit(make_bench(settings, tmp_path), name, precision="auto")
        assert next(fitted.model.network.parameters()).is_cuda
        on_gpu = predict(fitted.model, STRANGE)
        folder = tmp_path / name
        folder.mkdir()
        fitted.model.save(folder)
        assert np.allclose(
            on_gpu, predict(load_classifier(folder, settings, device="cpu"), STRANGE), atol=0.05
        )


@pytest.mark.parametrize("name", [each.name for each in STRATEGIES])
def test_balanced_classes_let_the_rare_one_count(settings: Settings, tmp_path: Path, name: str) -> None:
    """The same training on 27 rows of one class and 3 of the other, with and without weights."""
    rows = make_rows(60)
    chosen = np.concatenate([np.flatnonzero(rows.targets == 0)[:27], np.flatnonzero(rows.targets == 1)[:3]])
    unequal = LabelledTexts(tuple(rows.texts[at] for at in chosen), rows.targets[chosen])
    none = LabelledTexts((), np.array([], dtype=np.int64))
    context = make_bench(settings, tmp_path)
    shares = []
    for balanced in (False, True):
        given = FitInput(context, CLASSES, unequal, none, small_config(name), balanced)
        classifier = drain(strategy(name).fit(given)).model
        shares.append(predict(classifier, rows.texts)[:, 1].mean())
    assert shares[1] > shares[0] + 0.01
