from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.movement.moved import changed, tiny_encoder
from tests.encoders.tiny import TINY_TYPES
from tl_core.encoders.adapted import StartingPoint, load_merged, load_with_adapter, save_adapter, write_facts
from tl_core.encoders.bases import find_encoder
from tl_core.encoders.load import load_encoder
from tl_core.encoders.movement.weights import _parts, moved_weights
from tl_core.errors import ModelError
from tl_core.settings import Settings

AFTER = {
    "gpt2": ("after the layers",),
    "modernbert": ("after the layers",),
    "mpnet": ("shared by the layers",),
    "deberta": ("shared by the layers",),
    "deberta-v2": ("shared by the layers",),
}


def expected_names(family: str) -> tuple[str, ...]:
    blocks = ("layers 1-2",) if family == "albert" else ("layer 1", "layer 2")
    return ("embeddings", *blocks, *AFTER.get(family, ()))


@pytest.mark.parametrize("family", TINY_TYPES)
def test_an_unchanged_encoder_has_moved_nowhere(settings: Settings, tmp_path: Path, family: str):
    encoder = tiny_encoder(tmp_path, settings, family)
    again = tiny_encoder(tmp_path, settings, family)
    found = moved_weights(encoder, again)
    assert found.names == expected_names(family)
    assert (found.values == 0).all()
    assert not found.notes


@pytest.mark.parametrize("family", TINY_TYPES)
def test_every_parameter_counts_in_one_part(settings: Settings, tmp_path: Path, family: str):
    encoder = tiny_encoder(tmp_path, settings, family)
    counted = [name for _, names in _parts(encoder) for name in names]
    assert counted == [name for name, _ in encoder.model.named_parameters()]


@pytest.mark.parametrize("family", TINY_TYPES)
def test_a_block_that_moved_shows_in_its_row_only(settings: Settings, tmp_path: Path, family: str):
    """All of it a quarter longer: the change is a quarter of its length."""
    encoder = tiny_encoder(tmp_path, settings, family)
    last = len(encoder.model.get_submodule(encoder.family.blocks)) - 1
    inside = f"{encoder.family.blocks}.{last}."
    found = moved_weights(encoder, changed(encoder, lambda name: name.startswith(inside), 0.25))
    wanted = [0.25 if name in ("layer 2", "layers 1-2") else 0.0 for name in found.names]
    assert found.values == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("family", TINY_TYPES)
def test_a_word_table_that_moved_shows_in_the_embeddings_only(
    settings: Settings, tmp_path: Path, family: str
):
    encoder = tiny_encoder(tmp_path, settings, family)
    table = encoder.family.word_table
    found = moved_weights(encoder, changed(encoder, lambda name: name == f"{table}.weight"))
    assert 0 < found.values[0] < 0.1 + 1e-6
    assert (found.values[1:] == 0).all()


def test_the_change_is_that_of_all_weights_as_one_vector(settings: Settings, tmp_path: Path):
    import torch

    encoder = tiny_encoder(tmp_path, settings, "bert")
    other = tiny_encoder(tmp_path, settings, "bert", seed=1)
    found = moved_weights(encoder, other)
    before, after = (
        torch.cat(
            [each.detach().flatten() for each in one.model.get_submodule("encoder.layer.1").parameters()]
        ).double()
        for one in (encoder, other)
    )
    assert found.values[2] == pytest.approx(float((after - before).norm() / before.norm()), rel=1e-6)


def test_an_adapter_is_merged_first(settings: Settings, tmp_path: Path):
    import torch

    plain = tiny_encoder(tmp_path, settings, "bert")
    start = StartingPoint(plain.base)
    adapted = load_with_adapter(start, settings, rank=2, alpha=2.0, dropout=0.0)
    with pytest.raises(ModelError, match="Merge the adapter"):
        moved_weights(plain, adapted)
    lora_b = "encoder.layer.1.attention.self.query.lora_B"
    with torch.no_grad():
        for name, each in adapted.model.named_parameters():
            if lora_b in name:
                each.fill_(0.1)
    folder = tmp_path / "trained"
    folder.mkdir()
    save_adapter(adapted, folder, start)
    write_facts(folder, start, {})
    merged = load_merged(StartingPoint(plain.base, folder), settings)
    found = moved_weights(plain, merged)
    assert [value > 0 for value in found.values] == [False, False, True]


def test_two_different_encoders_are_refused(settings: Settings, tmp_path: Path):
    with pytest.raises(ModelError, match="two states of one encoder"):
        moved_weights(tiny_encoder(tmp_path, settings, "bert"), tiny_encoder(tmp_path, settings, "roberta"))


def test_weights_that_begin_at_zero(settings: Settings, tmp_path: Path):
    encoder = tiny_encoder(tmp_path, settings, "bert")
    zero = changed(encoder, lambda name: name.startswith("encoder.layer.0."), -1.0)
    assert moved_weights(zero, zero).values[1] == 0
    assert np.isinf(moved_weights(zero, encoder).values[1])


@pytest.mark.slow
def test_a_quantised_word_table_is_told(settings: Settings):
    base = find_encoder("e5", settings)
    encoder = load_encoder(base, settings)
    found = moved_weights(encoder, encoder)
    assert found.names[:2] == ("embeddings", "layer 1")
    assert len(found.names) == encoder.layers + 1
    assert "quantised" in found.notes[0]
