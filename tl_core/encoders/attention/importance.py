"""Importance of heads: the loss of a classifier when one head alone is switched off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.replay import recorded, replayed
from tl_core.encoders.attention.subject import Subject, network_of, tensors
from tl_core.encoders.attention.watched import check_watchable, watched
from tl_core.errors import DataError, ModelError
from tl_core.text.inputs import ModelInput
from tl_core.text.places import Numbers
from tl_core.training.batches import token_batches
from tl_core.training.events import Progress, Training
from tl_core.training.precision import as_float64

if TYPE_CHECKING:
    import torch

BATCH_TOKENS = 1024
Batch = dict[str, "torch.Tensor"]


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """A classifier's accuracy over `rows` inputs, and what goes with each head of each layer, (L, H).

    `lost` is how much accuracy falls, in shares (0.02 is two points; below 0 it rises), and `loss_rise` how
    much the mean cross-entropy rises, in nats, when that head alone is off (Michel et al. 2019, section 3.2).
    """

    accuracy: float
    rows: int
    lost: Numbers
    loss_rise: Numbers


def head_importance(
    subject: Subject,
    inputs: Sequence[ModelInput],
    wanted: Sequence[int],
    *,
    batch_tokens: int = BATCH_TOKENS,
) -> Training[Importance]:
    """The importance of every head over N inputs whose right classes, by number, are `wanted`.

    Yields Progress after every layer of every batch, in layers computed. The lock is held only in between,
    so others may use the subject meanwhile. ModelError for what is no classifier and for a family whose
    heads cannot be switched off; DataError without inputs, or with classes that do not belong to them.
    """
    _check(subject, inputs, wanted)
    layers, heads = subject.layers, subject.heads
    lengths = np.array([len(model_input) for model_input in inputs], dtype=np.int64)
    classes = np.asarray(wanted, dtype=np.int64)
    right, loss = 0.0, 0.0
    right_without, loss_without = np.zeros((layers, heads)), np.zeros((layers, heads))
    done, total = 0, len(inputs) * heads * layers * (layers + 1) // 2
    for rows in token_batches(lengths, batch_tokens):
        batch = tensors(subject, [inputs[row] for row in rows])
        logits, outputs = _whole(subject, batch)
        score = _score(logits, classes[rows])
        right, loss = right + float(score[0][0]), loss + float(score[1][0])
        for layer in range(layers):
            score = _score(_without_each(subject, batch, layer, outputs[:layer]), classes[rows])
            right_without[layer] += score[0]
            loss_without[layer] += score[1]
            done += len(rows) * heads * (layers - layer)
            yield Progress(done, total)
    count = len(inputs)
    return Importance(right / count, count, (right - right_without) / count, (loss_without - loss) / count)


def _check(subject: Subject, inputs: Sequence[ModelInput], wanted: Sequence[int]) -> None:
    network_of(subject)
    if subject.kind != "classes":
        raise ModelError(
            "{subject} finds answers in a text; the importance of heads is measured for classifiers. Choose "
            "a fine-tuned classifier.",
            subject=subject.title,
        )
    check_watchable(subject.encoder)
    if not inputs or len(inputs) != len(wanted):
        raise DataError(
            "Every text needs its class, and one text is the least; got {inputs:,} texts and {wanted:,} classes.",
            inputs=len(inputs),
            wanted=len(wanted),
        )
    count = len(subject.classes)
    strange = [number for number in wanted if not 0 <= number < count]
    if strange:
        raise DataError(
            "A class must be a number from 0 to {count}; got {strange}.", count=count - 1, strange=strange[0]
        )


def _whole(subject: Subject, batch: Batch) -> tuple[Numbers, list[Any]]:
    """The logits of B inputs with all heads, (1, B, C), and what each layer gave."""
    import torch

    network, encoder = network_of(subject), subject.encoder
    with subject.lock, torch.inference_mode(), watched(encoder), recorded(encoder) as outputs:
        logits = as_float64(network(batch))
    return logits[None], outputs


def _without_each(subject: Subject, batch: Batch, layer: int, below: Sequence[Any]) -> Numbers:
    """The logits of B inputs with each head of a layer off, (H, B, C); `below` is what the layers under it gave."""
    import torch

    network, encoder = network_of(subject), subject.encoder
    logits = []
    with subject.lock, torch.inference_mode(), watched(encoder) as watch, replayed(encoder, below):
        for head in range(subject.heads):
            watch.off, watch.calls = {layer: [head]}, layer  # the layers below are not called
            logits.append(as_float64(network(batch)))
    return np.stack(logits)


def _score(logits: Numbers, wanted: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """The number of B rows that are right, and the sum of their cross-entropies, of logits (K, B, C): (K,) each."""
    from scipy.special import logsumexp

    own = logits[:, np.arange(len(wanted)), wanted]  # (K, B)
    right: Numbers = (logits.argmax(-1) == wanted).sum(-1).astype(np.float64)
    loss: Numbers = (logsumexp(logits, axis=-1) - own).sum(-1)
    return right, loss
