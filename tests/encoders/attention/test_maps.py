"""Attention maps of every family, attention under our eyes, and one head step by step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.encoders.attention.subjects import WATCHABLE_TYPES
from tests.encoders.tiny import HEADS, LAYERS, TINY_TYPES, write_tiny_encoder
from tl_core.encoders.attention.maps import attention_maps, plain_attention
from tl_core.encoders.attention.steps import head_steps
from tl_core.encoders.attention.subject import Subject, targets, tensors
from tl_core.encoders.attention.watched import can_be_watched, watched
from tl_core.encoders.load import find_encoder, load_encoder
from tl_core.errors import ConfigError, ModelError
from tl_core.settings import Settings

TEXT = "the queen saw a good film"
WATCHED = list(WATCHABLE_TYPES)


def bare(tmp_path: Path, model_type: str) -> Subject:
    settings = Settings(home=tmp_path, threads=1, offline=True)
    encoder = load_encoder(
        find_encoder(str(write_tiny_encoder(tmp_path / model_type, model_type)), settings), settings
    )
    return Subject("tiny", "Tiny", "bare", encoder, encoder.max_tokens)


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_every_family_tells_one_matrix_a_layer_with_rows_that_sum_to_one(
    tmp_path: Path, model_type: str
) -> None:
    subject = bare(tmp_path, model_type)
    shown = subject.inputs(TEXT)[0]
    before = subject.encoder.model.config._attn_implementation
    maps = attention_maps(subject, shown)
    assert maps.shape == (LAYERS, HEADS, len(shown), len(shown))
    assert maps.sum(-1) == pytest.approx(np.ones(maps.shape[:3]), abs=1e-4)
    assert subject.encoder.model.config._attn_implementation == before
    assert (subject.layers, subject.heads) == (LAYERS, HEADS)
    looks_ahead = np.triu(np.ones(maps.shape[2:]), 1).astype(bool)
    assert bool((maps[..., looks_ahead] > 0).any()) == (model_type != "gpt2")


def test_an_encoder_that_tells_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = bare(tmp_path, "bert")
    monkeypatch.setattr(
        "tl_core.encoders.attention.maps.plain_attention", lambda encoder: plain_attention(encoder, "sdpa")
    )
    with pytest.raises(ModelError, match="attention of 0 of its 2 layers"):
        attention_maps(subject, subject.inputs(TEXT)[0])


@pytest.mark.parametrize("model_type", WATCHED)
def test_watched_with_no_head_off_changes_nothing(tmp_path: Path, model_type: str) -> None:
    subject = bare(tmp_path, model_type)
    inputs = tensors(subject, [subject.inputs(TEXT)[0], subject.inputs("a bad day")[0]])
    with torch.inference_mode():
        plain = subject.encoder.model(**inputs).last_hidden_state
        with watched(subject.encoder):
            seen = subject.encoder.model(**inputs).last_hidden_state
        again = subject.encoder.model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].bool()
    assert torch.allclose(plain[mask], seen[mask], atol=1e-5)
    assert torch.equal(plain, again)


@pytest.mark.parametrize("model_type", WATCHED)
@pytest.mark.parametrize("layer", range(LAYERS))
def test_the_steps_of_a_head_lead_to_its_map(tmp_path: Path, model_type: str, layer: int) -> None:
    subject = bare(tmp_path, model_type)
    shown = subject.inputs(TEXT)[0]
    maps = attention_maps(subject, shown)
    steps = head_steps(subject, shown, layer, 2)
    assert steps.weights == pytest.approx(maps[layer, 2], abs=1e-5)
    assert steps.products == pytest.approx(steps.query @ steps.key.T, abs=1e-4)
    assert steps.scores == pytest.approx(steps.products * steps.scaling, abs=1e-4)
    assert steps.scaling == pytest.approx(steps.query.shape[1] ** -0.5)
    hidden = np.where(steps.visible, steps.scores, -np.inf)
    shares = np.exp(hidden - hidden.max(-1, keepdims=True))
    assert steps.weights == pytest.approx(shares / shares.sum(-1, keepdims=True), abs=1e-5)
    assert steps.mixed == pytest.approx(steps.weights @ steps.value, abs=1e-5)
    wanted = np.tri(len(shown), dtype=bool) if model_type == "gpt2" else np.ones_like(steps.visible)
    if model_type == "modernbert" and layer == 1:  # only its every second layer looks everywhere
        places = np.arange(len(shown))
        wanted = np.abs(places[:, None] - places) <= 8
    assert (steps.visible == wanted).all()


def test_a_head_that_is_off_adds_nothing(tmp_path: Path) -> None:
    subject = bare(tmp_path, "bert")
    inputs = tensors(subject, [subject.inputs(TEXT)[0]])
    dense = subject.encoder.model.encoder.layer[1].attention.output.dense  # type: ignore[union-attr, index]
    width = 32 // HEADS

    def cut(module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        told = given[0].clone()
        told[..., 3 * width : 4 * width] = 0
        return (told, *given[1:])

    with torch.inference_mode():
        handle = dense.register_forward_pre_hook(cut)  # type: ignore[union-attr]
        wanted = subject.encoder.model(**inputs).last_hidden_state
        handle.remove()
        with watched(subject.encoder, off=[(1, 3)]):
            found = subject.encoder.model(**inputs).last_hidden_state
        plain = subject.encoder.model(**inputs).last_hidden_state
    assert torch.allclose(found, wanted, atol=1e-6)
    assert not torch.allclose(found, plain, atol=1e-4)


def test_a_family_with_attention_of_its_own_says_so(tmp_path: Path) -> None:
    subject = bare(tmp_path, "xlnet")
    assert not can_be_watched(subject.encoder)
    with pytest.raises(ModelError, match="XLNet computes attention in a way of its own"):
        head_steps(subject, subject.inputs(TEXT)[0], 0, 0)


@pytest.mark.parametrize(("layer", "head"), [(2, 0), (0, 4), (-1, 0)])
def test_a_head_that_is_not_there_is_refused(tmp_path: Path, layer: int, head: int) -> None:
    subject = bare(tmp_path, "bert")
    with pytest.raises(ConfigError, match="2 layers of 4 heads"):
        head_steps(subject, subject.inputs(TEXT)[0], layer, head)
    with (
        pytest.raises(ConfigError, match="2 layers of 4 heads"),
        watched(subject.encoder, off=[(layer, head)]),
    ):
        pass


def test_a_bare_encoder_predicts_nothing(tmp_path: Path) -> None:
    subject = bare(tmp_path, "bert")
    with pytest.raises(ModelError, match="predicts nothing"):
        targets(subject, subject.inputs(TEXT)[0])
