"""From the vectors of tokens to one vector a text. Knows no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from tl_core.encoders.families import Pooling

if TYPE_CHECKING:
    from torch import Tensor

POOLINGS = ("auto", *get_args(Pooling))  # auto: the family's own


def pool(hidden: Tensor, mask: Tensor, how: str) -> Tensor:
    """One vector a text: (B, T, D) and a mask (B, T) of ones and zeros give (B, D).

    `mean` averages the real tokens, `max` takes the largest value of each number over them (both
    Reimers & Gurevych 2019, section 3); `first` and `last` take the first or last real token (BERT's
    [CLS] stands first, XLNet's <cls> last). Padding may stand on either side; a row of padding alone
    gives zeros as its mean and maximum.
    """
    if how == "mean":
        return _mean(hidden, mask)
    if how == "max":
        return _max(hidden, mask)
    if how in ("first", "last"):
        return _one(hidden, mask, last=how == "last")
    raise ValueError(f"pooling must be one of {', '.join(POOLINGS[1:])}; got {how!r}")


def unit_length(vectors: Tensor) -> Tensor:
    """The vectors (B, D), each divided by its own length; zeros stay zeros."""
    from torch.nn.functional import normalize

    return normalize(vectors.float(), dim=-1)


def _mean(hidden: Tensor, mask: Tensor) -> Tensor:
    weights = mask.to(hidden.dtype).unsqueeze(-1)  # (B, T, 1)
    total = (hidden * weights).sum(dim=1)  # (B, D)
    return total / weights.sum(dim=1).clamp(min=1.0)


def _max(hidden: Tensor, mask: Tensor) -> Tensor:
    real = mask.bool().unsqueeze(-1)  # (B, T, 1)
    largest = hidden.masked_fill(~real, -float("inf")).amax(dim=1)
    return largest.masked_fill(~real.any(dim=1), 0.0)


def _one(hidden: Tensor, mask: Tensor, *, last: bool) -> Tensor:
    import torch

    count, length = mask.shape
    places = torch.arange(length, device=mask.device)
    places = places if last else places.flip(0)  # the largest where the token is wanted
    chosen = (places * mask + mask).argmax(dim=1)  # (B,); a place of 0 still differs from padding
    return hidden[torch.arange(count, device=hidden.device), chosen]
