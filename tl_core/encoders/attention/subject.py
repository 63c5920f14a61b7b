"""Subjects to look into: an encoder, and the trained network on top of it, if there is one.

Knows no task: whoever opens a subject says how an output of its network is read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tl_core.encoders.batches import pad
from tl_core.encoders.load import Encoder
from tl_core.errors import ModelError
from tl_core.text.inputs import ModelInput, ModelInputs

if TYPE_CHECKING:
    import torch

Kind = Literal["bare", "classes", "span"]
MOST_TOKENS = 512  # what is looked into at once: attention grows with the square of it


@dataclass(frozen=True, slots=True)
class Target:
    """One number of a network's output: the logit of a class, or the score of a span.

    `value` takes the logits of B inputs, (B, ...), to (B,) and can be differentiated. `name` is the class or
    the answer's text; `probability` is that of a class.
    """

    name: str
    value: Callable[[torch.Tensor], torch.Tensor]
    score: float
    probability: float | None = None


ReadTargets = Callable[["torch.Tensor", ModelInput], list[Target]]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An encoder of L layers and H heads, safe to share between threads that hold `lock`.

    `network` takes the encoder's arguments as a dict of (B, T) tensors to logits: (B, C) of `kind`
    classes, (B, T, 2) of `kind` span; a bare encoder has none. `read_targets` takes the logits of one input,
    (C,) or (T, 2), to its targets, the predicted one first.
    """

    name: str
    title: str
    kind: Kind
    encoder: Encoder
    max_tokens: int
    network: torch.nn.Module | None = None
    classes: tuple[str, ...] = ()
    read_targets: ReadTargets | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def layers(self) -> int:
        return self.encoder.layers

    @property
    def heads(self) -> int:
        return int(getattr(self.encoder.model.config, "num_attention_heads"))  # noqa: B009  # a torch module to mypy

    def pooled(self, shown: ModelInput) -> tuple[int, ...]:
        """The tokens of whose last states the text's one vector is made: all, the first, or a decoder's last one."""
        count = len(shown)
        alone = {"first": 0, "last": count - 1}.get(self.encoder.family.pooling)
        return tuple(range(count)) if alone is None else (alone,)

    def inputs(self, text: str, pair: str = "") -> ModelInputs:
        """The text, or the pair, as this subject reads it; errors as in `ModelInputs`."""
        return ModelInputs(self.encoder.tokenizer, text, pair, max_tokens=self.max_tokens)


def tensors(subject: Subject, shown: Sequence[ModelInput]) -> dict[str, torch.Tensor]:
    """B inputs as the arguments of the model, padded to the longest: (B, T) each, on the model's device."""
    encoder, family = subject.encoder, subject.encoder.family
    made = pad(
        [model_input.encoded for model_input in shown],
        encoder.pad_id,
        type_ids=family.type_ids,
        pad_left=family.pad_left,
    )
    device = next(encoder.model.parameters()).device
    return {name: tensor.to(device) for name, tensor in made.items()}


def targets(subject: Subject, shown: ModelInput) -> list[Target]:
    """The network's outputs on an input, the prediction first; ModelError for a bare encoder."""
    import torch

    network, read_targets = network_of(subject), subject.read_targets
    assert read_targets is not None
    with subject.lock, torch.inference_mode():
        logits = network(tensors(subject, [shown]))[0].float().cpu()
    return read_targets(logits, shown)


def network_of(subject: Subject) -> torch.nn.Module:
    """The trained network; ModelError for a bare encoder, which predicts nothing."""
    if subject.network is None or subject.read_targets is None:
        raise ModelError(
            "{subject} is an encoder without a head: it predicts nothing that could be explained. Choose a "
            "fine-tuned run or a reader.",
            subject=subject.title,
        )
    return subject.network
