"""A set of word vectors in memory or mapped from disk, and its folder.

A folder holds `words.txt` (one word a line, UTF-8), `vectors.npy` (V, D) as they came,
`columns.npy` (D, V), the same at length one, `lengths.npy` (V,) and `record.json`. The arrays are
mapped, so opening a folder reads nothing but the words; the (D, V) layout makes one query one
pass over memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, ModelError
from tl_core.records import read_record, write_record
from tl_core.vectors.vocabulary import Vocabulary
from tl_core.whole_files import folder_aside, patiently, read_whole

RECORD = "record.json"
WORDS = "words.txt"
VECTORS = "vectors.npy"
COLUMNS = "columns.npy"
LENGTHS = "lengths.npy"
CHUNK_ROWS = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """V words with vectors of width D.

    `rows` (V, D) float32 as they came; `columns` (D, V) float32, each word's vector at length one (a
    vector of zeros stays zeros); `lengths` (V,) float32.
    """

    name: str
    vocabulary: Vocabulary
    rows: NDArray[np.float32]
    columns: NDArray[np.float32]
    lengths: NDArray[np.float32]

    @property
    def words(self) -> list[str]:
        return self.vocabulary.words

    @property
    def width(self) -> int:
        return int(self.columns.shape[0])

    def unit(self, word: str) -> NDArray[np.float32]:
        """The word's vector at length one: (D,); UnknownWord if there is none."""
        return self.unit_row(self.vocabulary.row(word))

    def unit_row(self, row: int) -> NDArray[np.float32]:
        """One vector at length one: (D,), taken from the columns, which a query reads anyway."""
        return np.array(self.columns[:, row], dtype=np.float32)

    def unit_rows(self, rows: Sequence[int] | NDArray[np.intp]) -> NDArray[np.float32]:
        """Vectors at length one: (len(rows), D), taken from the raw rows, which lie together."""
        taken = np.asarray(self.rows[np.asarray(rows, dtype=np.intp)], dtype=np.float32)
        lengths = np.asarray(self.lengths[np.asarray(rows, dtype=np.intp)])
        return (taken / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)


def make_vectors(name: str, words: Sequence[str], rows: NDArray[np.float32]) -> WordVectors:
    """Word vectors in memory: (V, D) rows of V different words."""
    table = np.ascontiguousarray(rows, dtype=np.float32)
    _check(words, table)
    columns, lengths = np.empty(table.shape[::-1], dtype=np.float32), np.empty(len(table), dtype=np.float32)
    _fill(table, columns, lengths)
    return WordVectors(name, Vocabulary(words), table, columns, lengths)


def save_vectors(
    folder: Path,
    name: str,
    words: Sequence[str],
    rows: NDArray[np.float32],
    *,
    about: dict[str, Any] | None = None,
    with_rows: bool = True,
) -> None:
    """Write a folder of word vectors, whole or not at all; one that is there already is as good and stays.

    Without rows the vectors as they came are left out, for an array that lies elsewhere.
    """
    try:
        with folder_aside(folder) as aside:
            write_vectors(aside, name, words, rows, about=about, with_rows=with_rows)
    except FileExistsError:
        if not folder.is_dir():
            raise


def write_vectors(
    folder: Path,
    name: str,
    words: Sequence[str],
    rows: NDArray[np.float32],
    *,
    about: dict[str, Any] | None = None,
    with_rows: bool = True,
) -> None:
    """Fill an empty folder with word vectors, as `save_vectors` does."""
    _check(words, rows)
    (folder / WORDS).write_text("\n".join(words), encoding="utf-8", newline="\n")
    if with_rows:
        np.save(folder / VECTORS, np.ascontiguousarray(rows, dtype=np.float32), allow_pickle=False)
    _write_columns(folder, rows)
    record = {**(about or {}), "name": name, "words": len(words), "width": rows.shape[1]}
    write_record(folder / RECORD, record)


def _write_columns(folder: Path, rows: NDArray[np.float32]) -> None:
    """Write lengths and columns; the mapped array is let go, since Windows moves no folder that holds one."""
    columns = np.lib.format.open_memmap(folder / COLUMNS, "w+", np.float32, rows.shape[::-1])
    lengths = np.empty(len(rows), dtype=np.float32)
    _fill(rows, columns, lengths)
    columns.flush()
    np.save(folder / LENGTHS, lengths, allow_pickle=False)


def load_vectors(folder: Path, *, rows_at: Path | None = None) -> WordVectors:
    """The word vectors of a folder, mapped; ModelError if the folder is not one or is not whole.

    `rows_at` is the array (V, D) of a folder that was saved without its rows.
    """
    record = read_vectors_record(folder)
    try:
        words = read_whole(folder / WORDS).decode("utf-8").split("\n")
        rows = mapped(rows_at or folder / VECTORS)
        columns = mapped(folder / COLUMNS)
        lengths = mapped(folder / LENGTHS)
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} is not a whole folder of word vectors: {error}. Load them again.",
            folder=folder,
            error=error,
        ) from error
    count = len(words)
    if rows.shape != columns.shape[::-1] or len(rows) != count or lengths.shape != (count,):
        raise ModelError(
            "{folder}: {count:,} words, but vectors of shape {shape} and columns of shape {columns_shape}. "
            "Delete the folder and load the vectors again.",
            folder=folder,
            count=count,
            shape=rows.shape,
            columns_shape=columns.shape,
        )
    return WordVectors(str(record["name"]), Vocabulary(words), rows, columns, lengths)


def mapped(path: Path) -> NDArray[np.float32]:
    """The array in a .npy file, mapped; a refusal is tried again, then StillInUse. OSError or ValueError if it is none."""
    array: NDArray[np.float32] = patiently(lambda: np.load(path, mmap_mode="r", allow_pickle=False), path)
    return array


def load_if_whole(folder: Path, *, rows_at: Path | None = None) -> WordVectors | None:
    """The result of `load_vectors`; None for a folder that is not whole, of which nothing stays mapped, so that it can go."""
    try:
        return load_vectors(folder, rows_at=rows_at)
    except ModelError:
        return None


def read_vectors_record(folder: Path) -> dict[str, Any]:
    """The record of a folder of vectors (name, words, width and more); ModelError if it says nothing."""
    record = read_record(folder / RECORD)
    if record is None and not (folder / RECORD).exists():
        raise ModelError(
            "{folder} is not a folder of word vectors: it has no {record}.", folder=folder, record=RECORD
        )
    if record is None or not {"name", "words", "width"} <= set(record):
        raise ModelError("{folder} must hold an object with name, words and width.", folder=folder / RECORD)
    return record


def _check(words: Sequence[str], rows: NDArray[np.float32]) -> None:
    if rows.ndim != 2 or not rows.size:
        raise DataError(
            "Word vectors must be a table of at least one row and one column; got {shape}.", shape=rows.shape
        )
    if len(words) != len(rows):
        raise DataError(
            "{words:,} words, but {rows:,} vectors; there must be one vector a word.",
            words=len(words),
            rows=len(rows),
        )


def _fill(rows: NDArray[np.float32], columns: NDArray[np.float32], lengths: NDArray[np.float32]) -> None:
    """Write lengths (V,) and the columns (D, V) at length one, a chunk of words at a time."""
    for begin in range(0, len(rows), CHUNK_ROWS):
        chunk = np.asarray(rows[begin : begin + CHUNK_ROWS], dtype=np.float32)
        length = np.linalg.norm(chunk, axis=1)
        lengths[begin : begin + len(chunk)] = length
        columns[:, begin : begin + len(chunk)] = (chunk / np.where(length > 0, length, 1)[:, None]).T
