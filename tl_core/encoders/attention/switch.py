"""Outputs of a network when heads of its encoder are switched off."""

from __future__ import annotations

from collections.abc import Collection

from tl_core.encoders.attention.subject import Subject, Target, network_of, tensors
from tl_core.encoders.attention.watched import Head, watched
from tl_core.text.inputs import ModelInput


def targets_without(subject: Subject, shown: ModelInput, off: Collection[Head]) -> list[Target]:
    """The targets of an input, the prediction first, while these heads add nothing.

    With no head off they are those of plain attention. ModelError for a bare encoder and for a family whose
    heads cannot be switched off, ConfigError for a head that is not there.
    """
    import torch

    network, read_targets = network_of(subject), subject.read_targets
    assert read_targets is not None
    with subject.lock, torch.inference_mode(), watched(subject.encoder, off=off):
        logits = network(tensors(subject, [shown]))[0].float().cpu()
    return read_targets(logits, shown)
