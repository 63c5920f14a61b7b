"""The attention of every layer and head, from plain attention, which alone tells it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import base_model
from tl_core.encoders.attention.subject import Subject, tensors
from tl_core.encoders.load import Encoder
from tl_core.errors import ModelError
from tl_core.text.inputs import ModelInput

Maps = NDArray[np.float32]
SUM_TOLERANCE = 1e-4


def attention_maps(subject: Subject, shown: ModelInput) -> Maps:
    """Attention of every token to every other: (L, H, T, T), the rows of which sum to one.

    Row i says how token i mixes the values of all tokens. Nothing is padded. ModelError if the model does
    not tell one matrix a layer, or tells something else than attention.
    """
    import torch

    encoder = subject.encoder
    with subject.lock, torch.inference_mode(), plain_attention(encoder):
        attentions = encoder.model(**tensors(subject, [shown]), output_attentions=True).attentions
    layers = [attention for attention in attentions or () if attention is not None]
    if len(layers) != encoder.layers:
        raise ModelError(
            "{encoder} told the attention of {layers} of its {wanted_layers} layers, so it cannot be "
            "shown. Choose another encoder.",
            encoder=encoder.name,
            layers=len(layers),
            wanted_layers=encoder.layers,
        )
    maps: Maps = np.stack([layer[0].float().cpu().numpy() for layer in layers])
    count = len(shown)
    if maps.shape[2:] != (count, count) or np.abs(maps.sum(-1) - 1).max() > SUM_TOLERANCE:
        raise ModelError(
            "What {encoder} tells is no attention over {count} tokens: its shape is {shape}, or its rows "
            "do not sum to one.",
            encoder=encoder.name,
            count=count,
            shape=maps.shape,
        )
    return maps


@contextmanager
def plain_attention(encoder: Encoder, form: str = "eager") -> Iterator[None]:
    """Attention as plain matrix products, then as it was; hold the encoder's lock around it."""
    model = base_model(encoder)
    before = model.config._attn_implementation
    model.set_attn_implementation(form)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
