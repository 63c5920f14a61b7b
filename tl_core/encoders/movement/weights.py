"""Distance that training moved the weights of an encoder, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.load import Encoder
from tl_core.errors import ModelError
from tl_core.training.precision import as_float64

if TYPE_CHECKING:
    import torch

EMBEDDINGS = "embeddings"
AFTER = "after the layers"  # a last norm
SHARED = "shared by the layers"  # relative positions of MPNet and DeBERTa
Named = tuple[str, "torch.nn.Parameter"]


@dataclass(frozen=True, slots=True, eq=False)
class MovedWeights:
    """The relative change of each part of an encoder, in the order of the forward pass.

    `names` are `embeddings`, `layer 1` to `layer L` (one row for layers that share their weights), and
    `shared by the layers` and `after the layers` where something stands there. `values` is (len(names),): 0 is unmoved, 0.01 a
    hundredth of the length of the weights before. `notes` say what was not compared.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    notes: tuple[str, ...] = ()


def moved_weights(before: Encoder, after: Encoder) -> MovedWeights:
    """The relative change ||W_after - W_before|| / ||W_before|| of each layer, all its parameters as one vector.

    The norm is Frobenius's. An adapter must have been merged (`load_merged`). ModelError if the two are not
    states of the same encoder. A quantised word table, which no training changes, is left out.
    """
    from tl_core.encoders.adapted import has_frozen_words

    theirs, ours = dict(_parameters(before)), dict(_parameters(after))
    if {name: parameter.shape for name, parameter in theirs.items()} != {
        name: parameter.shape for name, parameter in ours.items()
    }:
        raise ModelError(
            "{before} and {after} do not have the same parameters. Compare two states of one encoder.",
            before=before.name,
            after=after.name,
        )
    names, values = [], []
    for part, parameters in _parts(before):
        names.append(part)
        values.append(_relative_change([(theirs[name], ours[name]) for name in parameters]))
    notes = ("The word table is quantised and stays as it is; it is not counted.",)
    return MovedWeights(tuple(names), np.array(values), notes if has_frozen_words(before) else ())


def _parameters(encoder: Encoder) -> list[Named]:
    parameters = list(encoder.model.named_parameters())
    if any("lora_" in name for name, _ in parameters):
        raise ModelError(
            "{encoder} stands under an adapter. Merge the adapter into its weights first.",
            encoder=encoder.name,
        )
    return parameters


def _parts(encoder: Encoder) -> Iterator[tuple[str, list[str]]]:
    """Names of parameters part by part: what is declared before the blocks, each block, what comes after."""
    path = encoder.family.blocks
    blocks = len(encoder.model.get_submodule(path))  # type: ignore[arg-type]
    names = [name for name, _ in _parameters(encoder)]
    inside = [name.startswith(f"{path}.") for name in names]
    first, last = inside.index(True), len(inside) - inside[::-1].index(True)
    if first:
        yield EMBEDDINGS, names[:first]
    for block in range(blocks):
        title = f"layer {block + 1}" if blocks == encoder.layers else _shared(block, blocks, encoder.layers)
        yield title, [name for name in names if name.startswith(f"{path}.{block}.")]
    norm = f"{encoder.family.final_norm}." if encoder.family.final_norm else ""
    after = [name for name in names[last:] if norm and name.startswith(norm)]
    if shared := [name for name in names[last:] if name not in after]:
        yield SHARED, shared
    if after:
        yield AFTER, after


def _shared(block: int, blocks: int, layers: int) -> str:
    """The title of an ALBERT group, which serves several layers: `layers 1-12`."""
    layers_each = -(-layers // blocks)
    return f"layers {block * layers_each + 1}-{min(layers, (block + 1) * layers_each)}"


def _relative_change(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """||after - before|| / ||before|| over all tensors; 0 where both are zero, infinite from zero on."""
    moved = total = 0.0
    for before, after in pairs:
        base = as_float64(before)
        moved += float(np.linalg.norm(as_float64(after) - base)) ** 2
        total += float(np.linalg.norm(base)) ** 2
    if not total:
        return math.inf if moved else 0.0
    return math.sqrt(moved / total)
