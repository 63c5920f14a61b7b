"""Passes with vectors of our own: the same network, whatever the order of its axes or the form of its table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models

from tests.encoders.attention.subjects import TEXT, tiny_classifier_subject
from tests.encoders.tiny import TINY_TYPES
from tl_core.encoders.attention.subject import tensors
from tl_core.encoders.attribution.vectors import EmbeddedInput, filler_id, without_texts


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_the_inputs_own_vectors_give_its_logits(model_type: str, tmp_path: Path) -> None:
    subject = tiny_classifier_subject(tmp_path, model_type)
    assert subject.network is not None
    for text in (TEXT, "dog", "a <pad> [PAD] <mask> b"):
        shown = subject.inputs(text)[0]
        with torch.no_grad():
            vectors = EmbeddedInput(subject, shown)
            plain = subject.network(tensors(subject, [shown]))
            for rows in (1, 3, len(shown)):  # as many rows as tokens: no shape tells them apart
                given = vectors.of_input().repeat(rows, 1, 1)
                assert vectors.logits(given).numpy() == pytest.approx(plain.repeat(rows, 1).numpy(), abs=1e-5)


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_rows_of_vectors_do_not_mix(model_type: str, tmp_path: Path) -> None:
    subject = tiny_classifier_subject(tmp_path, model_type)
    shown = subject.inputs(TEXT)[0]
    with torch.no_grad():
        vectors = EmbeddedInput(subject, shown)
        random = torch.Generator().manual_seed(0)
        given = torch.randn(len(shown), *vectors.of_input().shape[1:], generator=random)
        alone = torch.cat([vectors.logits(each[None]) for each in given])
        assert vectors.logits(given).numpy() == pytest.approx(alone.numpy(), abs=1e-4)
        assert alone.std(0).min() > 1e-3


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_the_reference_keeps_special_tokens_and_fills_the_rest(model_type: str, tmp_path: Path) -> None:
    subject = tiny_classifier_subject(tmp_path, model_type)
    shown = subject.inputs(TEXT)[0]
    ids = torch.tensor([shown.encoded.ids])
    found = without_texts(subject.encoder, shown, ids)[0].tolist()
    filler = filler_id(subject.encoder)
    for at, side in enumerate(shown.sides.tolist()):
        assert found[at] == (shown.encoded.ids[at] if side < 0 else filler)
    name = subject.encoder.tokenizer.id_to_token(filler)
    in_angles = model_type in ("roberta", "xlm-roberta", "xlnet", "mpnet")
    assert name == ("<|endoftext|>" if model_type == "gpt2" else "<mask>" if in_angles else "[MASK]")


def test_without_a_mask_the_unknown_token_fills(tmp_path: Path) -> None:
    encoder = tiny_classifier_subject(tmp_path, "bert").encoder
    tokenizer = Tokenizer(models.WordPiece({"[PAD]": 0, "[UNK]": 1, "a": 2}, unk_token="[UNK]"))
    assert filler_id(replace(encoder, tokenizer=tokenizer)) == 1


def test_the_hook_is_gone_after_a_pass_and_after_a_failure(tmp_path: Path) -> None:
    subject = tiny_classifier_subject(tmp_path, "bert")
    vectors = EmbeddedInput(subject, subject.inputs(TEXT)[0])
    table = subject.encoder.model.get_submodule("embeddings.word_embeddings")
    vectors.logits(vectors.of_input())
    assert not table._forward_hooks
    with pytest.raises(RuntimeError):
        vectors.logits(vectors.of_input()[:, :, :5])
    assert not table._forward_hooks
    assert np.isfinite(vectors.logits(vectors.of_input()).detach().numpy()).all()
