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
Answers = NDArray[np.bool_]
Batch = dict[str, "torch.Tensor"]


@dataclass(frozen=True, slots=True, eq=False)
class Importance:
    """How a classifier answers N inputs with all heads, and without each head of each layer (Michel et al. 2019, 3.2).

    `right` (N,) and `right_without` (L, H, N) say which inputs are answered rightly; `loss_rises` (L, H, N) how much the
    cross-entropy of each rises, in nats, when that head alone is off.
    """

    right: Answers
    right_without: Answers
    loss_rises: NDArray[np.float32]

    @property
    def rows(self) -> int:
        return len(self.right)

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    @property
    def lost(self) -> Numbers:
        """How much accuracy falls without each head, in shares (0.02 is two points; below 0 it rises): (L, H)."""
        return np.asarray(self.right.mean() - self.right_without.mean(-1))

    @property
    def loss_rise(self) -> Numbers:
        """How much the mean cross-entropy rises without each head, in nats: (L, H)."""
        return np.asarray(self.loss_rises.mean(-1, dtype=np.float64))


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
    right = np.zeros(len(inputs), dtype=bool)
    right_without = np.zeros((layers, heads, len(inputs)), dtype=bool)
    loss_rises = np.zeros((layers, heads, len(inputs)), dtype=np.float32)
    done, total = 0, len(inputs) * heads * layers * (layers + 1) // 2
    for rows in token_batches(lengths, batch_tokens):
        batch = tensors(subject, [inputs[row] for row in rows])
        logits, outputs = _whole(subject, batch)
        (right[rows],), (loss,) = _score(logits, classes[rows])
        for layer in range(layers):
            without = _score(_without_each(subject, batch, layer, outputs[:layer]), classes[rows])
            right_without[layer][:, rows] = without[0]
            loss_rises[layer][:, rows] = without[1] - loss
            done += len(rows) * heads * (layers - layer)
            yield Progress(done, total)
    return Importance(right, right_without, loss_rises)


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


def _score(logits: Numbers, wanted: NDArray[np.int64]) -> tuple[Answers, Numbers]:
    """Which of B rows are right, and their cross-entropies, of logits (K, B, C): (K, B) each."""
    from scipy.special import logsumexp

    own = logits[:, np.arange(len(wanted)), wanted]  # (K, B)
    right: Answers = logits.argmax(-1) == wanted
    loss: Numbers = logsumexp(logits, axis=-1) - own
    return right, loss
