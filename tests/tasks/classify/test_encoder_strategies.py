"""One contract for the strategies that train an encoder in part or on pairs, and every encoder family."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tasks.classify.test_contract import (
    CLASSES,
    FAMILIES,
    STRANGE,
    make_bench,
    make_rows,
)
from tl_core.encoders.adapted import read_starting_point
from tl_core.encoders.tuning import GradualConfig, LoraConfig, TopLayersConfig
from tl_core.settings import Settings
from tl_core.tasks.classify.config import ContrastiveConfig, FrozenConfig
from tl_core.tasks.classify.encoder.contrastive import fit_contrastive
from tl_core.tasks.classify.encoder.frozen import fit_frozen
from tl_core.tasks.classify.encoder.partial import fit_gradual, fit_top_layers
from tl_core.tasks.classify.encoder.tuned import fit_lora
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.tasks.fitting import Fitted, TrainingContext
from tl_core.training.events import Event, Progress, Stopped
from tl_core.training.loop import LoopControl

SMALL: dict[str, Any] = {"max_tokens": 32, "precision": "float32"}
TRAINED = SMALL | {"epochs": 3, "batch_size": 8, "learning_rate": 5e-3}
PAIRED = SMALL | {"pairs": 96, "batch_size": 16, "learning_rate": 5e-3}
STRATEGIES: dict[str, tuple[Callable[..., Any], type[Any], dict[str, Any]]] = {
    "lower layer": (fit_frozen, FrozenConfig, SMALL | {"layer": 1, "pooling": "max"}),
    "top layers": (fit_top_layers, TopLayersConfig, TRAINED | {"layers": 1}),
    "gradual": (fit_gradual, GradualConfig, TRAINED),
    "contrastive": (fit_contrastive, ContrastiveConfig, PAIRED),
    "lora": (fit_lora, LoraConfig, TRAINED),
}
RESUMED = ("top layers", "gradual", "contrastive")
NONE = LabelledTexts((), np.array([], dtype=np.int64))


def fit(
    context: TrainingContext, name: str, validation: LabelledTexts = NONE, **changes: Any
) -> tuple[Fitted, list[Event]]:
    train, config, values = STRATEGIES[name]
    training = train(FitInput(context, CLASSES, make_rows(), validation, config(**{**values, **changes})))
    events: list[Event] = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


def saved(fitted: Fitted, folder: Path) -> Path:
    folder.mkdir()
    fitted.save(folder)
    return folder


def test_an_adapter_without_a_rate_takes_that_of_the_encoders_depth(
    settings: Settings, tmp_path: Path
) -> None:
    context = make_bench(settings, tmp_path, "bert")
    assert fit(context, "lora", learning_rate=0.0)[0].facts["learning_rate"] == 1e-3
    assert fit(context, "lora", learning_rate=2e-4)[0].facts["learning_rate"] == 2e-4


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", ["lower layer"])  # test_contract.py asks it of the strategies as they are
def test_a_classifier_keeps_the_contract(settings: Settings, tmp_path: Path, name: str, family: str) -> None:
    fitted, events = fit(make_bench(settings, tmp_path, family), name)
    progress = [each for each in events if isinstance(each, Progress)]
    assert progress[-1].done == progress[-1].total
    assert [each.done for each in progress] == sorted(each.done for each in progress)
    assert len({each.total for each in progress}) == 1

    texts = (*make_rows().texts, *STRANGE)
    before = predict(fitted.model, texts)
    assert before.shape == (len(texts), 3)
    assert np.isfinite(before).all()
    assert np.allclose(before.sum(1), 1, atol=1e-6)
    assert fitted.trained_parameters > 0

    folder = saved(fitted, tmp_path / "saved")
    assert not [each for each in folder.rglob("*") if each.suffix in (".pkl", ".bin", ".pt", ".joblib")]
    after = predict(load_classifier(folder, settings, device="cpu"), texts)
    assert np.allclose(before, after, atol=1e-5)
    alone = np.vstack([predict(fitted.model, [text]) for text in texts[-4:]])
    assert np.allclose(before[-4:], alone, atol=1e-5)


@pytest.mark.parametrize("name", ["lower layer"])
def test_the_same_seed_gives_the_same_model(settings: Settings, tmp_path: Path, name: str) -> None:
    first, _ = fit(make_bench(settings, tmp_path), name)
    second, _ = fit(make_bench(settings, tmp_path), name)
    texts = make_rows().texts
    assert np.array_equal(predict(first.model, texts), predict(second.model, texts))


@pytest.mark.parametrize("name", ["lower layer"])
def test_a_strategy_learns_what_is_plain(settings: Settings, tmp_path: Path, name: str) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), name)
    rows = make_rows()
    assert (predict(fitted.model, rows.texts).argmax(1) == rows.targets).mean() > 0.9


@pytest.mark.parametrize("name", RESUMED)
def test_a_stopped_training_resumes_to_the_same_model(settings: Settings, tmp_path: Path, name: str) -> None:
    context, rows = make_bench(settings, tmp_path), make_rows(8)
    whole, _ = fit(context, name, rows)
    for steps in (0, 3, 5):
        asked = itertools.count()
        control = LoopControl(tmp_path / f"checkpoints {steps}", 1e9, lambda: next(asked) >= steps)  # noqa: B023
        with pytest.raises(Stopped):
            fit(replace(context, control=control), name, rows)
        resumed, events = fit(replace(context, control=LoopControl(control.checkpoints, 1e9)), name, rows)
        assert np.allclose(predict(whole.model, STRANGE), predict(resumed.model, STRANGE), atol=1e-6)
        progress = [each for each in events if isinstance(each, Progress)]
        assert progress[-1].done == progress[-1].total


@pytest.mark.parametrize("second", ["lower layer", "top layers", "gradual"])
@pytest.mark.parametrize("first", STRATEGIES)
def test_a_model_trained_from_a_source_stands_alone(
    settings: Settings, tmp_path: Path, first: str, second: str
) -> None:
    context = make_bench(settings, tmp_path)
    source, _ = fit(context, first)
    place = saved(source, tmp_path / "source")
    target, _ = fit(replace(context, start=read_starting_point(place)), second)
    folder = saved(target, tmp_path / "target")
    before = predict(target.model, STRANGE)
    shutil.rmtree(place)
    assert np.allclose(before, predict(load_classifier(folder, settings, device="cpu"), STRANGE), atol=1e-5)
