"""Attention computed step by step under our eyes: its queries, keys and values told, heads switched off.

Registered with transformers as one more way of computing attention, so it works the same in every family
that asks for its attention function (all but XLNet).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tl_core.encoders.adapted import base_model
from tl_core.encoders.attention.maps import plain_attention
from tl_core.encoders.load import Encoder
from tl_core.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import torch

FORM = "watched"
Head = tuple[int, int]  # layer and head, from 0


@dataclass(slots=True)
class Told:
    """Inputs and results of one layer's attention, of B inputs with H heads of width d.

    `query`, `key`, `value` (B, H, T, d); `scores` (B, H, T, T) are scaled; `mask` is added to them, minus
    infinity or nearly so where a token may not look, None where it may look everywhere; `weights` their
    softmax; `mixed` (B, H, T, d) the weighted sum of values. `scaling` is what the products were multiplied by.
    """

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    scores: torch.Tensor
    mask: torch.Tensor | None
    weights: torch.Tensor
    mixed: torch.Tensor
    scaling: float


@dataclass(slots=True)
class Watch:
    """One pass through L layers: heads that are off, the layer that is told, what it told."""

    off: dict[int, list[int]]
    layer: int | None
    layers: int
    calls: int = 0
    told: Told | None = field(default=None)


_now: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(encoder: Encoder, *, off: Collection[Head] = (), layer: int | None = None) -> Iterator[Watch]:
    """Passes through the encoder with these heads off, which then add nothing; `layer` is told.

    Hold the encoder's lock around it. With no head off every output is that of plain attention. ModelError
    for a family that computes its attention in a way of its own, ConfigError for a head that is not there.
    """
    check_watchable(encoder)
    heads = int(base_model(encoder).config.num_attention_heads)
    by_layer: dict[int, list[int]] = {}
    for at, head in off:
        if not (0 <= at < encoder.layers and 0 <= head < heads):
            raise ConfigError(
                "There is no head {head} in layer {layer}: {encoder} has {layers} layers of {heads} heads.",
                head=head + 1,
                layer=at + 1,
                encoder=encoder.name,
                layers=encoder.layers,
                heads=heads,
            )
        by_layer.setdefault(at, []).append(head)
    _register()
    watch = Watch(by_layer, layer, encoder.layers)
    token = _now.set(watch)
    try:
        with plain_attention(encoder, FORM):
            yield watch
    finally:
        _now.reset(token)


def can_be_watched(encoder: Encoder) -> bool:
    """Whether heads can be switched off and steps be shown in this family."""
    return bool(base_model(encoder)._can_set_attn_implementation())


def check_watchable(encoder: Encoder) -> None:
    """ModelError for a family that computes its attention in a way of its own."""
    if not can_be_watched(encoder):
        raise ModelError(
            "{family} computes attention in a way of its own: no head of it can be switched off or shown "
            "step by step here. Its maps can be seen; for more choose another encoder.",
            family=encoder.family.title,
        )


def _register() -> None:
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(FORM, _attend)
    AttentionMaskInterface.register(FORM, eager_mask)


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1), (B, H, T, d) each to (B, T, H, d)."""
    import torch

    watch = _now.get()
    assert watch is not None, "attention is computed step by step only inside `watched`"
    layer, watch.calls = watch.calls % watch.layers, watch.calls + 1
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = query @ key.transpose(-1, -2) * scale
    weights = torch.softmax(scores if attention_mask is None else scores + attention_mask, dim=-1)
    if layer in watch.off:
        kept = torch.ones(weights.shape[1], dtype=weights.dtype, device=weights.device)
        kept[watch.off[layer]] = 0.0
        weights = weights * kept[:, None, None]
    mixed = weights @ value
    if layer == watch.layer:
        watch.told = Told(query, key, value, scores, attention_mask, weights, mixed, scale)
    return mixed.transpose(1, 2).contiguous(), weights
