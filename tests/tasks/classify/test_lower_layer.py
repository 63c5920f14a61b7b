"""A frozen encoder whose layer and pooling are chosen."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.jobs import jobs
from tests.tasks.classify.test_contract import FAMILIES, STRANGE, make_bench
from tests.tasks.classify.test_encoder_strategies import SMALL, fit, saved
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.load import load_encoder
from tl_core.errors import ConfigError, ModelError
from tl_core.exchange.zips import export_run
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.config import FrozenConfig
from tl_core.tasks.classify.encoder.frozen import cached_features, fit_head
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.training.events import drain


@pytest.mark.parametrize("pooling", ["mean", "first", "last", "max"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_prediction_is_the_head_on_the_pooled_states_of_the_layer(
    settings: Settings, tmp_path: Path, family: str, pooling: str
) -> None:
    import torch

    context = make_bench(settings, tmp_path, family)
    fitted, _ = fit(context, "lower layer", pooling=pooling)
    whole = load_encoder(context.starting_point.base, settings)
    head = fitted.model.network.head
    text = STRANGE[3] + " so good"
    batch = Batcher(whole, [text], 32, torch.device("cpu"))([0])
    with torch.no_grad():
        states = whole.model(**batch, output_hidden_states=True).hidden_states[1][0]
        pooled = {"mean": states.mean(0), "first": states[0], "last": states[-1], "max": states.amax(0)}
        one_long = pooled[pooling] / pooled[pooling].norm()
        wanted = head(one_long).double().softmax(-1).numpy()
    assert np.allclose(predict(fitted.model, [text])[0], wanted, atol=1e-5)


def test_the_shelf_tells_layers_and_poolings_apart_and_knows_what_was_kept_before(
    settings: Settings, tmp_path: Path
) -> None:
    from tl_core.encoders.layers import cut_above

    start = make_bench(settings, tmp_path).starting_point

    def features(**changes: object) -> list[list[float]]:
        config = FrozenConfig(**{**SMALL, **changes})
        encoder = cut_above(load_encoder(start.base, settings), config.layer, config.pooling)
        return drain(cached_features(encoder, start, ("good", "bad a"), config, settings)).tolist()  # type: ignore[no-any-return]

    found = [features(), features(layer=1), features(pooling="max"), features(layer=1, pooling="max")]
    assert all(one != other for at, one in enumerate(found) for other in found[:at])
    assert len(list((settings.cache / "features").iterdir())) == 4
    assert features(pooling="mean") == found[0]  # what the family does anyway
    assert len(list((settings.cache / "features").iterdir())) == 4


def test_a_layer_that_the_encoder_does_not_have_names_the_range(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="between 1 and 2, or 0"):
        fit(make_bench(settings, tmp_path), "lower layer", layer=3)


def test_a_model_saved_without_layer_and_pooling_still_loads(settings: Settings, tmp_path: Path) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "lower layer", layer=0, pooling="auto")
    folder = saved(fitted, tmp_path / "saved")
    facts = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    assert (facts.pop("layer"), facts.pop("pooling")) == (0, "mean")
    (folder / "encoder.json").write_text(json.dumps(facts), encoding="utf-8")
    again = load_classifier(folder, settings, device="cpu")
    assert np.allclose(predict(fitted.model, STRANGE), predict(again, STRANGE), atol=1e-5)


def test_a_model_of_before_is_read_with_its_head_on_vectors_of_any_length(
    settings: Settings, tmp_path: Path
) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "lower layer")
    folder = saved(fitted, tmp_path / "saved")
    facts = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    assert facts.pop("unit_length") is True
    (folder / "encoder.json").write_text(json.dumps(facts), encoding="utf-8")
    again = load_classifier(folder, settings, device="cpu")
    assert again.use.unit_length is False
    assert not np.allclose(predict(fitted.model, STRANGE), predict(again, STRANGE), atol=1e-3)


def test_the_length_of_a_vector_says_nothing_to_the_head() -> None:
    random = np.random.default_rng(0)
    features = random.standard_normal((60, 8)).astype(np.float32)
    targets = (features[:, 0] > 0).astype(np.int64)
    lengths = random.uniform(0.1, 10, (60, 1)).astype(np.float32)
    for one, other in zip(
        fit_head(features, targets, 2, 0.0), fit_head(features * lengths, targets, 2, 0.0), strict=True
    ):
        assert np.allclose(one, other, atol=1e-3)


def test_a_saved_model_whose_layer_is_not_there_is_not_loaded(settings: Settings, tmp_path: Path) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "lower layer")
    folder = saved(fitted, tmp_path / "saved")
    facts = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    (folder / "encoder.json").write_text(json.dumps(facts | {"layer": 9}), encoding="utf-8")
    with pytest.raises(ModelError, match="not a whole classifier"):
        load_classifier(folder, settings, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "pooling", "layer"),
    [
        ("bert", "first", 1),
        ("gpt2", "max", 1),
        ("xlnet", "last", 1),
        ("albert", "mean", 1),
        ("gpt2", "mean", 0),
    ],
)
def test_predict_py_follows_layer_and_pooling(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, pooling: str, layer: int
) -> None:
    store = Store(settings)
    monkeypatch.setitem(jobs.SETTINGS, "frozen", {**jobs.SMALL, "layer": layer, "pooling": pooling})
    job = jobs.finished(store, jobs.small_config(tmp_path, ("frozen",), family))
    [run] = store.runs_of(job.id)
    export_run(store, run.id, tmp_path / "run.zip")
    place = tmp_path / "elsewhere"
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(place)
    texts = ["good fine nice", "bad sad ill poor"]
    ended = subprocess.run(
        [sys.executable, "predict.py", *texts], cwd=place, capture_output=True, encoding="utf-8", check=True
    )
    classifier = load_classifier(run.model, settings, device="cpu")
    for row, line in zip(predict(classifier, texts), ended.stdout.splitlines(), strict=True):
        told = json.loads(line)["probabilities"]
        assert [told[label] for label in classifier.classes] == pytest.approx(row, abs=2e-3)
