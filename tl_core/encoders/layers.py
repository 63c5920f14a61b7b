"""The layers of an encoder one by one, whatever its family: where a parameter stands, and encoders cut above a layer."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from tl_core.encoders.adapted import base_model
from tl_core.encoders.load import Encoder
from tl_core.encoders.pool import POOLINGS
from tl_core.errors import ConfigError


def cut_above(encoder: Encoder, layer: int, pooling: str = "auto") -> Encoder:
    """The encoder whose last states are those after block `layer` (from 1), pooled as `pooling` says.

    Layer 0 and the last layer leave all blocks, and what a family does after them, in place. Else the blocks
    above are dropped from the model itself, so that they are not computed; a norm after the last block is not
    for the states of a lower one. `pooling` is one of POOLINGS; `auto` is the family's. ConfigError, with the
    range, for a layer that the encoder does not have.
    """
    if not 0 <= layer <= encoder.layers:
        raise ConfigError(
            "layer must be between 1 and {layers}, or 0 for the last one: {encoder} has "
            "{layers} layers; got {layer}.",
            layers=encoder.layers,
            encoder=encoder.name,
            layer=layer,
        )
    if pooling not in POOLINGS:
        raise ConfigError(
            "pooling must be one of {poolings}; got {pooling!r}.",
            poolings=", ".join(POOLINGS),
            pooling=pooling,
        )
    if 0 < layer < encoder.layers:
        _cut(encoder, layer)
        encoder = dataclasses.replace(encoder, layers=layer)
    if pooling != "auto":
        family = dataclasses.replace(encoder.family, pooling=pooling)  # type: ignore[arg-type]
        encoder = dataclasses.replace(encoder, family=family)
    return encoder


def _cut(encoder: Encoder, layer: int) -> None:
    import torch

    model = base_model(encoder)
    present = blocks_of(encoder)
    if len(present) == encoder.layers:
        kept = present[:layer]
    elif len(present) == 1:  # ALBERT: one block that is called once a layer
        kept = present
    else:  # an ALBERT of several groups: one block a layer from here on
        kept = [copy.deepcopy(present[at * len(present) // encoder.layers]) for at in range(layer)]
        model.config.num_hidden_groups = layer
    parent, _, name = encoder.family.blocks.rpartition(".")
    setattr(model.get_submodule(parent), name, torch.nn.ModuleList(kept))
    model.config.num_hidden_layers = layer
    if encoder.family.final_norm:
        setattr(model, encoder.family.final_norm, torch.nn.Identity())


def blocks_of(encoder: Encoder) -> list[Any]:
    """The encoder's blocks from below: L of them, but one for each group that shares its weights in ALBERT."""
    return list(base_model(encoder).get_submodule(encoder.family.blocks))


def depth_of(encoder: Encoder, parameter: str) -> int:
    """Depth of a parameter of the base model: 0 in the embeddings, n in the n-th block from below.

    What comes after the last block (GPT-2's norm) counts to the last block.
    """
    path = f"{encoder.family.blocks}."
    if parameter.startswith(path):
        return int(parameter[len(path) :].partition(".")[0]) + 1
    norm = encoder.family.final_norm
    return len(blocks_of(encoder)) if norm and parameter.startswith(f"{norm}.") else 0


def frozen_below(encoder: Encoder, layers: int) -> tuple[int, int]:
    """The part that stays as it is when the top `layers` layers are trained: how many blocks, and how many layers, from below.

    They differ in ALBERT, where a block that is trained for the top may be that of lower layers too.
    ConfigError, with the range, for more layers than there are.
    """
    if not 1 <= layers <= encoder.layers:
        raise ConfigError(
            "layers must be between 1 and {layers}: {encoder} has {layers} layers; got {most_layers}.",
            layers=encoder.layers,
            encoder=encoder.name,
            most_layers=layers,
        )
    count = len(blocks_of(encoder))
    block_of = [at * count // encoder.layers for at in range(encoder.layers)]
    first = block_of[encoder.layers - layers]
    return first, block_of.index(first)
