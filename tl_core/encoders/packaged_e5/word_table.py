"""A word table that stays in 4 bits and is made float row by row, where a text needs it.

The only module of this package that imports torch when it is imported itself: import it late.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tl_core.encoders.packaged_e5.file import BLOCK

CHUNK = 8192  # rows made float at once when the whole table is asked for


class QuantizedEmbedding(nn.Module):
    """A frozen (V, D) table in Q4_0: stands where a model has its `nn.Embedding`.

    It has no `weight`: nothing can train it, and a head that would tie itself to it fails at once
    instead of learning from nothing. Its buffers stay out of the state dict, since they belong to
    the package. `.to(dtype)` changes only what comes out.
    """

    scale_bits: Tensor  # (V, D/32) int16: the f16 scales' bits, which no cast may round
    nibbles: Tensor  # (V, D/2) uint8
    like: Tensor  # empty; its dtype is the one that comes out

    def __init__(self, scales: NDArray[np.float16], nibbles: NDArray[np.uint8], padding_idx: int) -> None:
        super().__init__()
        bits = torch.from_numpy(np.ascontiguousarray(scales).view(np.int16))
        self.register_buffer("scale_bits", bits, persistent=False)
        self.register_buffer("nibbles", torch.from_numpy(nibbles.copy()), persistent=False)
        self.register_buffer("like", torch.empty(0), persistent=False)
        self.padding_idx = padding_idx  # as in nn.Embedding: its row is looked up like any other

    @property
    def scales(self) -> Tensor:
        """The scale of each block of 32 weights: (V, D/32) float16."""
        return self.scale_bits.view(torch.float16)

    @property
    def num_embeddings(self) -> int:
        return self.nibbles.shape[0]

    @property
    def embedding_dim(self) -> int:
        return self.nibbles.shape[1] * 2

    def forward(self, ids: Tensor) -> Tensor:
        """The rows of these ids: (...) gives (..., D)."""
        pairs = self.nibbles[ids].reshape(*ids.shape, -1, BLOCK // 2)  # (..., D/32, 16)
        weights = torch.cat([pairs & 15, pairs >> 4], dim=-1).to(self.like.dtype) - 8.0
        scales = self.scales[ids].to(self.like.dtype).unsqueeze(-1)
        return (weights * scales).flatten(-2)

    def dequantized(self, dtype: torch.dtype) -> Tensor:
        """The whole table: (V, D). For an export; in float32 E5's takes 384 MB."""
        table = torch.empty(self.num_embeddings, self.embedding_dim, dtype=dtype)
        for start in range(0, self.num_embeddings, CHUNK):
            rows = torch.arange(start, min(start + CHUNK, self.num_embeddings), device=self.nibbles.device)
            table[start : start + len(rows)] = self(rows).to(dtype)
        return table

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}, 4 bits"
