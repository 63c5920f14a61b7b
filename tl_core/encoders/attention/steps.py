"""Self-attention of one head step by step: queries, keys, scaled scores, softmax, weighted sum of values.

Scaled dot-product attention of Vaswani et al. 2017, section 3.2.1. Letters: T tokens, d width of a head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.subject import Subject, tensors
from tl_core.encoders.attention.watched import watched
from tl_core.errors import ConfigError
from tl_core.text.inputs import ModelInput

Numbers = NDArray[np.float32]
HIDDEN = -1e4  # a mask adds less than this where a token may not look


@dataclass(frozen=True, slots=True, eq=False)
class HeadSteps:
    """Everything one head computes: `query`, `key`, `value`, `mixed` (T, d); `products`, `scores`, `weights` (T, T).

    `scores` are `products` times `scaling`, as a rule 1 / sqrt(d). `visible` (T, T) says which token may look
    at which; where it may not, the weight is zero. `weights` is the softmax of each row of `scores`, `mixed` is
    `weights @ value`.
    """

    query: Numbers
    key: Numbers
    value: Numbers
    products: Numbers
    scaling: float
    scores: Numbers
    visible: NDArray[np.bool_]
    weights: Numbers
    mixed: Numbers


def head_steps(subject: Subject, shown: ModelInput, layer: int, head: int) -> HeadSteps:
    """The steps of one head, both numbers from 0, in one pass through the encoder.

    ConfigError for a head that is not there; ModelError for a family that computes attention otherwise.
    """
    import torch

    if not (0 <= layer < subject.layers and 0 <= head < subject.heads):
        raise ConfigError(
            "There is no head {head} in layer {layer}: {encoder} has {layers} layers of {heads} heads.",
            head=head + 1,
            layer=layer + 1,
            encoder=subject.encoder.name,
            layers=subject.layers,
            heads=subject.heads,
        )
    with subject.lock, torch.inference_mode(), watched(subject.encoder, layer=layer) as watch:
        subject.encoder.model(**tensors(subject, [shown]))
    record = watch.told
    assert record is not None
    count = len(shown)
    visible = np.ones((count, count), dtype=np.bool_)
    if record.mask is not None:
        visible = np.array((record.mask[0, 0] > HIDDEN).expand(count, count).cpu())

    def numbers(tensor: torch.Tensor) -> Numbers:
        return tensor[0, head].float().cpu().numpy()

    scores = numbers(record.scores)
    return HeadSteps(
        query=numbers(record.query),
        key=numbers(record.key),
        value=numbers(record.value),
        products=scores / record.scaling,
        scaling=record.scaling,
        scores=scores,
        visible=visible,
        weights=numbers(record.weights),
        mixed=numbers(record.mixed),
    )
