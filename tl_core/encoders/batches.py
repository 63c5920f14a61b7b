"""From tokens to the tensors that a model takes. Knows no model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tl_core.text.tokens import Encoded

if TYPE_CHECKING:
    from torch import Tensor


def pad(
    encoded: Sequence[Encoded], pad_id: int, *, type_ids: bool, pad_left: bool = False
) -> dict[str, Tensor]:
    """The keyword arguments of a model's forward, padded to the longest: int64 tensors (B, T).

    `input_ids`, `attention_mask` (1 on real tokens) and, with `type_ids`, `token_type_ids`.
    A text without tokens (GPT-2 adds none) stands as one padding token that counts as real:
    attention over nothing would be NaN.
    """
    import torch

    ids = [text.ids or [pad_id] for text in encoded]
    length = max(map(len, ids), default=1)
    rows = {
        "input_ids": [_fill(row, length, pad_id, pad_left) for row in ids],
        "attention_mask": [_fill([1] * len(row), length, 0, pad_left) for row in ids],
    }
    if type_ids:
        rows["token_type_ids"] = [_fill(text.type_ids, length, 0, pad_left) for text in encoded]
    return {name: torch.tensor(row, dtype=torch.long).reshape(-1, length) for name, row in rows.items()}


def _fill(values: list[int], length: int, filler: int, pad_left: bool) -> list[int]:
    padding = [filler] * (length - len(values))
    return padding + values if pad_left else values + padding
