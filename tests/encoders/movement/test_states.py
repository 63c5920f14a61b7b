from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.movement.moved import TEXTS, changed, tiny_encoder
from tests.encoders.tiny import LAYERS, TINY_TYPES, WIDTH
from tl_core.encoders.features import feature_events
from tl_core.encoders.movement.similarity import layer_similarity
from tl_core.encoders.movement.states import layer_states_events
from tl_core.errors import DataError
from tl_core.settings import Settings
from tl_core.training.events import drain


@pytest.mark.parametrize("family", TINY_TYPES)
def test_states_are_pooled_at_every_layer_in_the_order_of_the_texts(
    settings: Settings, tmp_path: Path, family: str
):
    encoder = tiny_encoder(tmp_path, settings, family)
    events = list(layer_states_events(encoder, TEXTS, 32, batch_size=2))
    assert [each.done for each in events] == [2, 4, 6]
    assert events[-1].total == 6
    states = drain(layer_states_events(encoder, TEXTS, 32, batch_size=2))
    assert [each.shape for each in states] == [(len(TEXTS), WIDTH)] * (LAYERS + 1)
    alone = [
        np.vstack(each)
        for each in zip(*(drain(layer_states_events(encoder, [text], 32)) for text in TEXTS), strict=True)
    ]
    for together, single in zip(states, alone, strict=True):
        assert np.allclose(together, single, atol=1e-5)


@pytest.mark.parametrize("family", TINY_TYPES)
def test_the_last_layer_is_what_a_classifier_reads(settings: Settings, tmp_path: Path, family: str):
    import torch

    encoder = tiny_encoder(tmp_path, settings, family)
    features = drain(
        feature_events(
            encoder, TEXTS, max_tokens=32, batch_size=3, device=torch.device("cpu"), precision="float32"
        )
    )
    states = drain(layer_states_events(encoder, TEXTS, 32, pooling=encoder.family.pooling))
    assert np.allclose(states[-1], features, atol=1e-5)


@pytest.mark.parametrize("family", TINY_TYPES)
def test_a_block_that_moved_changes_no_state_before_it(settings: Settings, tmp_path: Path, family: str):
    import torch

    encoder = tiny_encoder(tmp_path, settings, family)
    blocks = encoder.model.get_submodule(encoder.family.blocks)
    inside = f"{encoder.family.blocks}.{len(blocks) - 1}."
    after = changed(encoder, lambda name: name.startswith(inside) and name.endswith("weight"), 1.5)
    torch.manual_seed(0)
    before_states, after_states = (
        drain(layer_states_events(each, [text for text in TEXTS if text], 32)) for each in (encoder, after)
    )
    found = layer_similarity(before_states, after_states)
    assert found.shape == (LAYERS + 1,)
    unmoved = 1 if family == "albert" else 2
    assert np.array_equal(before_states[0], after_states[0])
    assert found[:unmoved] == pytest.approx(1, abs=1e-9)
    assert found[-1] < 1 - 1e-4
    assert layer_similarity(before_states, before_states) == pytest.approx(1, abs=1e-9)


def test_long_texts_are_cut_to_the_tokens_asked_for(settings: Settings, tmp_path: Path):
    encoder = tiny_encoder(tmp_path, settings, "bert")
    long, cut = "good film " * 100, "good film " * 3
    [first, second] = drain(layer_states_events(encoder, [long, cut], 8))[1]
    assert np.allclose(first, second, atol=1e-5)


def test_no_texts_are_refused(settings: Settings, tmp_path: Path):
    with pytest.raises(DataError, match="no text"):
        drain(layer_states_events(tiny_encoder(tmp_path, settings, "bert"), [], 32))
