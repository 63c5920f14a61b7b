"""From the vectors of tokens to one vector a text. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_core.encoders.families import Pooling

if TYPE_CHECKING:
    from torch import Tensor


def pool(hidden: Tensor, mask: Tensor, how: Pooling) -> Tensor:
    """One vector a text: (B, T, D) and a mask (B, T) of ones and zeros give (B, D).

    `mean` averages the real tokens (Reimers & Gurevych 2019, section 3); `last` takes the last
    real token. Padding may stand on either side; a row of padding alone gives zeros as its mean.
    """
    return _mean(hidden, mask) if how == "mean" else _last(hidden, mask)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask.to(hidden.dtype).unsqueeze(-1)  # (B, T, 1)
    total = (hidden * weights).sum(dim=1)  # (B, D)
    return total / weights.sum(dim=1).clamp(min=1.0)


def _last(hidden: Tensor, mask: Tensor) -> Tensor:
    import torch

    count, length = mask.shape
    positions = torch.arange(length, device=mask.device)
    last = (positions * mask).argmax(dim=1)  # (B,)
    return hidden[torch.arange(count, device=hidden.device), last]
