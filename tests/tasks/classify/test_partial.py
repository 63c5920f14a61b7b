"""Top layers alone, and layer after layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import LAYERS
from tests.tasks.classify.test_contract import FAMILIES, make_bench, make_rows
from tests.tasks.classify.test_encoder_strategies import fit
from tl_core.encoders.adapted import load_trainable
from tl_core.encoders.load import Encoder
from tl_core.encoders.tuning import GradualConfig
from tl_core.errors import ConfigError
from tl_core.settings import Settings
from tl_core.tasks.classify.encoder import partial
from tl_core.tasks.classify.encoder.partial import gradual_rates
from tl_core.tasks.classify.saved import predict
from tl_core.training.events import Note, Progress
from tl_core.training.loop import LoopConfig


@pytest.mark.parametrize("family", FAMILIES)
def test_kept_lower_layers_change_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    context, rows = make_bench(settings, tmp_path, family), make_rows(10)
    kept, told = fit(context, "top layers", rows)
    monkeypatch.setattr(partial, "kept_type", lambda *_: None)
    anew, _ = fit(context, "top layers", rows)
    texts = make_rows().texts
    assert np.allclose(predict(kept.model, texts), predict(anew.model, texts), atol=1e-4)
    first = next(each for each in told if isinstance(each, Progress))
    shared = family == "albert"
    assert (first.done, first.total) == (34 + 8 if shared else 24, 3 * 24 + 34)
    assert any(isinstance(each, Note) and "share" in each.text for each in told) == shared


@pytest.mark.parametrize("family", FAMILIES)
def test_only_the_top_layers_change(settings: Settings, tmp_path: Path, family: str) -> None:
    context = make_bench(settings, tmp_path, family)
    before = dict(load_trainable(context.starting_point, settings).model.named_parameters())
    fitted, _ = fit(context, "top layers", encoder_dropout=0.1)
    after = dict(fitted.model.encoder.model.named_parameters())
    changed = {name for name, each in after.items() if not each.equal(before[name])}
    assert changed
    top = {
        "distilbert": "transformer.layer.1.",
        "albert": "encoder.albert_layer_groups.",
        "xlnet": "layer.1.",
        "modernbert": "layers.1.",
    }
    start = top.get(family, "h.1." if family == "gpt2" else "encoder.layer.1.")
    assert all(name.startswith((start, "ln_f.", "final_norm.")) for name in changed)
    assert fitted.trained_parameters == sum(
        each.numel() for name, each in after.items() if name.startswith((start, "ln_f.", "final_norm."))
    ) + sum(each.numel() for each in fitted.model.network.head.parameters())


def test_more_top_layers_than_there_are_names_the_range(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="between 1 and 2"):
        fit(make_bench(settings, tmp_path), "top layers", layers=3)


def test_all_layers_may_be_the_top_ones(settings: Settings, tmp_path: Path) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "top layers", layers=LAYERS)
    names = {name for name, each in fitted.model.network.named_parameters() if each.requires_grad}
    assert not [name for name in names if "embeddings" in name]


def rates(encoder: Encoder, epochs: int, **changes: object) -> dict[str, list[float]]:
    """Ten times the rate of every parameter in every epoch."""
    config = GradualConfig(learning_rate=0.1, head_learning_rate=0.05, rate_decay=2.0, **changes)  # type: ignore[arg-type]
    loop = LoopConfig(epochs=epochs, batch_size=8, learning_rate=1.0, head_learning_rate=0.5)
    rate_of = gradual_rates(encoder, config, loop)
    names = ["head.weight", *(f"encoder.{name}" for name, _ in encoder.model.named_parameters())]
    return {name: [round(10 * rate_of(name, epoch), 9) for epoch in range(epochs)] for name in names}


def test_layers_are_released_from_the_top_with_smaller_rates_below(
    settings: Settings, tmp_path: Path
) -> None:
    encoder = load_trainable(make_bench(settings, tmp_path).starting_point, settings)
    found = rates(encoder, 5)
    assert found["head.weight"] == [0.5] * 5
    assert found["encoder.encoder.layer.1.output.dense.weight"] == [0, 1, 1, 1, 1]
    assert found["encoder.encoder.layer.0.output.dense.weight"] == [0, 0, 0.5, 0.5, 0.5]
    assert found["encoder.embeddings.word_embeddings.weight"] == [0, 0, 0, 0.25, 0.25]
    assert found["encoder.embeddings.LayerNorm.bias"] == [0, 0, 0, 0.25, 0.25]
    assert rates(encoder, 3)["encoder.embeddings.LayerNorm.bias"] == [0, 0, 0.25]
    assert rates(encoder, 2)["encoder.embeddings.LayerNorm.bias"] == [0, 0.25]
    assert rates(encoder, 1)["encoder.embeddings.LayerNorm.bias"] == [0.25]
    assert rates(encoder, 3, layers_an_epoch=1)["encoder.embeddings.LayerNorm.bias"] == [0, 0, 0]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_head_is_trained_first_and_all_in_the_end(
    settings: Settings, tmp_path: Path, family: str
) -> None:
    context = make_bench(settings, tmp_path, family)
    before = dict(load_trainable(context.starting_point, settings).model.named_parameters())
    found = rates(load_trainable(context.starting_point, settings), 3)
    assert all((each[0] > 0) == name.startswith("head.") for name, each in found.items())
    assert all(each[2] > 0 for each in found.values())
    fitted, _ = fit(replace(context, seed=1), "gradual")
    after = dict(fitted.model.encoder.model.named_parameters())
    same = {name for name, each in after.items() if each.equal(before[name])}
    assert same <= {"mask_emb"} | {name for name in same if "seg_embed" in name}
    if family in ("albert", "gpt2"):
        name = "encoder.ln_f.weight" if family == "gpt2" else "encoder.encoder.albert_layer_groups.0"
        assert {tuple(each) for key, each in found.items() if key.startswith(name)} == {(0.0, 1.0, 1.0)}


@pytest.mark.parametrize("epochs", [1, 2])
def test_few_epochs_suffice_for_gradual_unfreezing(settings: Settings, tmp_path: Path, epochs: int) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "gradual", epochs=epochs)
    assert fitted.facts["epochs"] == epochs
