"""Running text to learn words from or to count them in: a plain text file, or one column of a table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tl_core.data import decoding
from tl_core.data.columns import guess_columns
from tl_core.data.decoding import BROKEN, decode
from tl_core.data.tables import MAX_FILE_BYTES as MAX_TABLE_BYTES
from tl_core.data.tables import Table, read_table, shown_name
from tl_core.data.unpacking import foreign_kind, inflate
from tl_core.errors import DataError

MAX_FILE_BYTES = 200 * 2**20
MAX_PLAIN_BYTES = 500 * 2**20
TABLE_ENDINGS = (".csv", ".tsv")
PACKED_ENDINGS = (".gz", ".bz2")
SAVE = "Save it as plain text in UTF-8 and upload that file."


@dataclass(frozen=True, slots=True)
class Corpus:
    """N texts, none of them blank, and the name of the file they came from."""

    name: str
    texts: tuple[str, ...]

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))


def is_table(name: str) -> bool:
    """Whether a file of this name is read as a table, of which a column is taken."""
    plain = name.lower()
    for ending in PACKED_ENDINGS:
        plain = plain.removesuffix(ending)
    return plain.endswith(TABLE_ENDINGS)


def read_corpus(content: bytes, name: str, column: str = "") -> Corpus:
    """The texts of an upload: a table's column (guessed if not named), or each line of a plain text.

    Either may be packed with gzip or bzip2. DataError for a file that is too large, of another kind,
    or without any text.
    """
    if is_table(name):
        return corpus_of(read_table(content, name), column)
    shown = shown_name(name)
    if len(content) > MAX_FILE_BYTES:
        raise DataError(
            "{shown} has {content:,.0f} MB; at most {max_file_bytes} MB are read. "
            "Pack it with gzip, or give a part of it.",
            shown=shown,
            content=len(content) / 2**20,
            max_file_bytes=MAX_FILE_BYTES >> 20,
        )
    plain = inflate(content, shown, MAX_PLAIN_BYTES)
    if kind := foreign_kind(plain):
        raise DataError("{shown} is {kind}, not plain text. {save}", shown=shown, kind=kind, save=SAVE)
    try:
        lines = decode(plain, shown).lines()
        texts = tuple(_checked(line.strip(), at, shown) for at, line in enumerate(lines, 1) if line.strip())
    except DataError as error:
        raise DataError(str(error).replace(decoding.SAVE, SAVE)) from None
    if not texts:
        raise DataError("{shown} is empty. Give a file with text in it.", shown=shown)
    return Corpus(shown, texts)


def read_corpus_file(path: Path, column: str = "") -> Corpus:
    """The texts of the file at `path`; DataError as in `read_corpus`, or if it cannot be opened."""
    try:
        with path.open("rb") as file:
            content = file.read(max(MAX_FILE_BYTES, MAX_TABLE_BYTES) + 1)
    except OSError as error:
        raise DataError(
            "{path} cannot be opened ({reason}). Check the path.", path=path, reason=error.strerror
        ) from None
    return read_corpus(content, path.name, column)


def corpus_of(table: Table, column: str = "") -> Corpus:
    """The texts of a table's column, blank ones left out; the column is guessed if it is not named."""
    guessed = guess_columns(table).text
    column = column or (guessed[0] if guessed else table.columns[0])
    if column not in table.columns:
        raise DataError(
            "{table} has no column '{column}'. It has: {columns}.",
            table=table.name,
            column=column,
            columns=", ".join(table.columns),
        )
    at = table.columns.index(column)
    texts = tuple(row[at] for row in table.rows if row[at].strip())
    if not texts:
        raise DataError(
            "{table} holds no text in the column '{column}'. Choose another column.",
            table=table.name,
            column=column,
        )
    return Corpus(table.name, texts)


def _checked(line: str, number: int, name: str) -> str:
    if not line.isascii() and BROKEN.search(line):
        raise DataError(
            "{name}, line {number}: bytes that are not UTF-8. {save}", name=name, number=number, save=SAVE
        )
    return line
