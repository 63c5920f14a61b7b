"""Tiny encoders before and after a made-up training, for the tests of movement."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

from tests.encoders.tiny import write_tiny_encoder
from tl_core.encoders.load import Encoder, EncoderBase, load_encoder
from tl_core.settings import Settings

TEXTS = (
    "the cat saw a good film",
    "bad",
    "she love the new house and the dog",
    "",
    "one man and a woman from the old city read a long story this year",
    "king queen boy girl",
)


def tiny_encoder(folder: Path, settings: Settings, family: str, seed: int = 0) -> Encoder:
    base = EncoderBase("folder", str(write_tiny_encoder(folder / f"{family}{seed}", family, seed)))
    return load_encoder(base, settings)


def changed(encoder: Encoder, moves: Callable[[str], bool], share: float = 0.1) -> Encoder:
    """A copy in which every parameter whose name `moves` has grown by `share` of itself."""
    import torch

    model = copy.deepcopy(encoder.model)
    with torch.no_grad():
        for name, each in model.named_parameters():
            if moves(name):
                each.mul_(1 + share)
    return encoder.with_model(model)
