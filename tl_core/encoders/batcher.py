"""Texts of one encoder as padded batches on a device: encoded once, cut into any batches after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.batches import pad
from tl_core.text.tokens import encode
from tl_core.training.devices import to_device

if TYPE_CHECKING:
    import torch

    from tl_core.encoders.load import Encoder


class Batcher:
    """N encoded texts; `lengths` is (N,) in tokens, at most `max_tokens` and what the encoder takes."""

    def __init__(self, encoder: Encoder, texts: Sequence[str], max_tokens: int, device: torch.device) -> None:
        self.encoder, self.device = encoder, device
        self.encoded = encode(encoder.tokenizer, texts, min(max_tokens, encoder.max_tokens))
        self.lengths: NDArray[np.int64] = np.array([len(text.ids) for text in self.encoded], dtype=np.int64)

    def __call__(self, rows: Sequence[int] | NDArray[Any]) -> dict[str, torch.Tensor]:
        """The forward arguments for these texts, padded to the longest of them: (B, T) each."""
        family = self.encoder.family
        batch = pad(
            [self.encoded[row] for row in rows],
            self.encoder.pad_id,
            type_ids=family.type_ids,
            pad_left=family.pad_left,
        )
        return to_device(batch, self.device)
