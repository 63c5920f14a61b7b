"""Where parameters stand, and encoders cut above a layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.encoders.tiny import LAYERS, TINY_TYPES, write_tiny_encoder
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.layers import blocks_of, cut_above, depth_of, frozen_below
from tl_core.encoders.load import Encoder, EncoderBase, load_encoder
from tl_core.errors import ConfigError
from tl_core.settings import Settings

TEXTS = ("the movie was great", "", "a", "bad story, but good people in it")


@pytest.fixture(params=TINY_TYPES)
def encoder(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> Encoder:
    return tiny(tmp_path, request.param, settings)


def tiny(folder: Path, family: str, settings: Settings) -> Encoder:
    write_tiny_encoder(folder / family, family)
    return load_encoder(EncoderBase("folder", str(folder / family)), settings)


def test_a_cut_encoder_gives_the_states_of_its_layer_and_computes_no_block_above(encoder: Encoder) -> None:
    import torch

    batch = Batcher(encoder, TEXTS, 32, torch.device("cpu"))(range(len(TEXTS)))
    real = batch["attention_mask"].bool()
    with torch.no_grad():
        states = encoder.model(**batch, output_hidden_states=True).hidden_states
        cut = cut_above(encoder, 1)
        calls = []
        for block in blocks_of(cut):
            block.register_forward_hook(lambda *_: calls.append(1))
        given = cut.model(**batch).last_hidden_state
    assert len(states) == LAYERS + 1
    assert torch.allclose(given[real], states[1][real], atol=1e-6)
    assert (cut.layers, len(calls)) == (1, 1)


@pytest.mark.parametrize("layer", [0, LAYERS])
def test_the_last_layer_stays_as_it_is(encoder: Encoder, layer: int) -> None:
    import torch

    batch = Batcher(encoder, TEXTS, 32, torch.device("cpu"))(range(len(TEXTS)))
    with torch.no_grad():
        before = encoder.model(**batch).last_hidden_state
        assert torch.equal(before, cut_above(encoder, layer).model(**batch).last_hidden_state)


def test_an_albert_of_several_groups_can_be_cut(tmp_path: Path, settings: Settings) -> None:
    import torch
    from transformers import AlbertConfig, AlbertModel

    encoder = tiny(tmp_path, "albert", settings)
    config = AlbertConfig.from_dict(
        {**encoder.model.config.to_dict(), "num_hidden_layers": 4, "num_hidden_groups": 2}
    )
    import dataclasses

    larger = dataclasses.replace(encoder, model=AlbertModel(config, add_pooling_layer=False).eval(), layers=4)
    batch = Batcher(larger, TEXTS, 32, torch.device("cpu"))(range(len(TEXTS)))
    assert [frozen_below(larger, layers) for layers in (1, 2, 3, 4)] == [(1, 2), (1, 2), (0, 0), (0, 0)]
    with torch.no_grad():
        states = larger.model(**batch, output_hidden_states=True).hidden_states
        given = cut_above(larger, 3).model(**batch).last_hidden_state
    assert torch.allclose(given, states[3], atol=1e-6)


def test_pooling_may_be_chosen(encoder: Encoder) -> None:
    own = encoder.family.pooling
    assert cut_above(encoder, 0).family.pooling == own
    assert cut_above(encoder, 0, "first").family.pooling == "first"


@pytest.mark.parametrize("layer", [-1, LAYERS + 1])
def test_a_layer_that_is_not_there_names_the_range(encoder: Encoder, layer: int) -> None:
    with pytest.raises(ConfigError, match=f"between 1 and {LAYERS}, or 0.*got {layer}"):
        cut_above(encoder, layer)


def test_an_unknown_pooling_names_what_may_be(encoder: Encoder) -> None:
    with pytest.raises(ConfigError, match="auto, mean, first, last, max; got 'sum'"):
        cut_above(encoder, 0, "sum")


def test_every_parameter_has_its_depth(encoder: Encoder) -> None:
    depths = {name: depth_of(encoder, name) for name, _ in encoder.model.named_parameters()}
    top = 1 if encoder.family.model_type == "albert" else LAYERS
    assert set(depths.values()) == set(range(top + 1))
    assert depths[f"{encoder.family.word_table}.weight"] == 0
    for name, depth in depths.items():
        inside = [at for at in range(top) if name.startswith(f"{encoder.family.blocks}.{at}.")]
        assert depth == (inside[0] + 1 if inside else top if name.startswith(("ln_f", "final_norm")) else 0)


def test_what_stays_frozen_below_the_top_layers(encoder: Encoder) -> None:
    shared = encoder.family.model_type == "albert"
    assert frozen_below(encoder, 1) == ((0, 0) if shared else (1, 1))
    assert frozen_below(encoder, LAYERS) == (0, 0)
    with pytest.raises(ConfigError, match=f"between 1 and {LAYERS}.*got {LAYERS + 1}"):
        frozen_below(encoder, LAYERS + 1)
