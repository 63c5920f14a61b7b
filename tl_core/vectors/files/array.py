"""Word vectors as a NumPy array (.npy) with a list of its words, one a line. Never opens a pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.training.events import Training
from tl_core.vectors.files.rows import ReadVectors, RowCollector, check_words, decode_lines
from tl_core.vectors.files.stream import VectorFile, VectorStream, read_progress, unpack_events
from tl_core.vectors.files.text import line_blocks
from tl_core.whole_files import scratch_folder

MAGIC = b"\x93NUMPY"
CHUNK_ROWS = 16_384


def read_array_events(file: VectorFile, words_path: Path | None) -> Training[ReadVectors]:
    """The rows of an array (V, D) and the V words of a list; DataError if they do not fit one another."""
    if words_path is None:
        raise DataError(
            "{file} is a NumPy array, which holds no words. Give the list of its words as well: "
            "UTF-8 text, one word a line, in the order of the rows.",
            file=file.name,
        )
    with scratch_folder() as folder:
        plain = yield from unpack_events(file, folder)
        rows = yield from _collected(file, plain, words_path)
    return rows.result()


def _collected(file: VectorFile, plain: Path, words_path: Path) -> Training[RowCollector]:
    """The rows of a mapped array with their words; what is mapped is let go with this call."""
    table = _map(plain, file.name)
    rows = RowCollector(file, "NumPy array with a word list", table.shape[1], "row", declared=len(table))
    rows.expect(len(table))
    words = _read_list(VectorFile(words_path, words_path.name, None, file.most_bytes), file.name, len(table))
    for begin in range(0, len(table), CHUNK_ROWS):
        for part in rows.parts(min(CHUNK_ROWS, len(table) - begin)):
            place = slice(begin + part.start, begin + part.stop)
            with np.errstate(over="ignore"):  # infinity is refused with its word
                rows.add(words[place], np.asarray(table[place], dtype=np.float32), place.start + 1)
        yield read_progress(file, plain, min(1.0, (begin + CHUNK_ROWS) / len(table)))
        if rows.more:
            break
    return rows


def _map(plain: Path, name: str) -> NDArray[Any]:
    """The array of a file, mapped; DataError unless it is a table of numbers."""
    try:
        with np.errstate(over="ignore"):
            table = np.load(plain, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header makes NumPy raise nearly any kind
        raise DataError(
            "{name} is no NumPy array that can be read without running code from it, or is cut off ({error}). "
            "Save the numbers alone: numpy.save(FILE, array.astype('float32'), allow_pickle=False).",
            name=name,
            error=error,
        ) from None
    if table.ndim != 2 or table.dtype.kind not in "fiu" or not table.size:
        raise DataError(
            "{name} must be a table of numbers, a row for each word; got an array of shape {shape} and type "
            "{dtype}. Save it as numpy.save(FILE, array.astype('float32')).",
            name=name,
            shape=table.shape,
            dtype=table.dtype,
        )
    return np.asarray(table)


def _read_list(listed: VectorFile, array_name: str, count: int) -> list[str]:
    """The V words of a list; DataError if there are more or fewer, or one is not a word."""
    words: list[str] = []
    more = False
    with VectorStream(listed) as stream:
        for first, lines in line_blocks(stream, listed.name, strip=b"\r"):
            block = decode_lines(lines, listed.name, first)
            check_words(block, listed.name, "line", first)
            words += block
            more = len(words) > count
            if more:
                break
    if len(words) != count:
        raise DataError(
            "{listed} has {more}{count:,} words, but "
            "{array_name} has {other_count:,} rows. The list must have one word a line for each row, in their order.",
            listed=listed.name,
            more="more than " if more else "",
            count=count if more else len(words),
            array_name=array_name,
            other_count=count,
        )
    return words
