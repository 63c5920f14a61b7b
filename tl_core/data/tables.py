"""Hostile uploads in, a checked table of strings out.

A file may be any size, any encoding, cut off, binary or a bomb. What can be read becomes rows;
a row that cannot be read is refused with its number and a reason; a file that cannot be read at
all raises DataError. Nothing here knows what the columns mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tl_core.data.decoding import BROKEN, Source, decode
from tl_core.data.layouts import Layout, read_layout
from tl_core.data.unpacking import unpack
from tl_core.errors import DataError

MAX_FILE_BYTES = 50 * 2**20
MAX_PLAIN_BYTES = 200 * 2**20
MAX_ROWS = 500_000
MAX_LINE_ENDS = 10_000_000  # blank lines cost time too
MAX_CELL_CHARACTERS = 50_000
MAX_COLUMNS = 200
DELIMITER_NAMES = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar", " ": "space"}


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was left out, and why.

    `row` is the number of the record's first line in the file, from 1 and with the header
    counted, as an editor or a spreadsheet shows it.
    """

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of strings, as wide as `columns`; `row_numbers` are counted like `Refused.row`.

    `form` is 'csv' or 'fasttext'; `name` is the last part of the file's name, for sentences only.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    row_numbers: list[int]
    refused: tuple[Refused, ...]
    encoding: str
    delimiter: str
    has_header: bool
    form: str

    @property
    def delimiter_name(self) -> str:
        return DELIMITER_NAMES[self.delimiter]


def read_table_file(path: Path, *, has_header: bool | None = None) -> Table:
    """The table in the file at `path`; DataError if there is none or it cannot be read."""
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        shown = shown_name(path.name)
        raise DataError(
            "{shown} cannot be opened ({reason}). Check the path.", shown=shown, reason=error.strerror
        ) from None
    return read_table(content, path.name, has_header=has_header)


def read_table(content: bytes, name: str, *, has_header: bool | None = None) -> Table:
    """The table in an upload; `name` is only shown, `has_header=None` guesses.

    Read are delimited files (comma, tab, semicolon, vertical bar) and fastText lines, in UTF-8,
    UTF-16, cp949 or cp1252, plain or compressed (gzip, bzip2). Raises DataError.
    """
    shown = shown_name(name)
    plain = unpack(content, shown, MAX_FILE_BYTES, MAX_PLAIN_BYTES)
    if plain.count(b"\n") + plain.count(b"\r") > MAX_LINE_ENDS:
        raise DataError(
            "{shown} has more than {max_line_ends:,} line ends. Upload a part of it.",
            shown=shown,
            max_line_ends=MAX_LINE_ENDS,
        )
    source = decode(plain, shown)
    layout = read_layout(source, has_header, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS)
    return _table(source, layout)


def shown_name(name: str) -> str:
    """The last part of a file's name, printable and short, for sentences."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:100] or "The file"


def _table(source: Source, layout: Layout) -> Table:
    """The table of the usable records; DataError if there is none."""
    _, columns, delimiter, has_header, form = layout
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    refused: list[Refused] = []
    for record in layout.records:
        problem = record.problem or _cell_problem(record.cells) or _width_problem(len(record.cells), layout)
        if problem:
            refused.append(Refused(record.row, problem))
        else:
            rows.append(record.cells)
            numbers.append(record.row)
    if not rows:
        first = refused[0]
        raise DataError(
            "{source}: no row can be read. Row {row}: {reason}.",
            source=source.name,
            row=first.row,
            reason=first.reason.rstrip("."),
        )
    return Table(
        source.name, columns, rows, numbers, tuple(refused), source.encoding, delimiter, has_header, form
    )


def _cell_problem(cells: Sequence[str]) -> str:
    """The reason why a row with these cells is refused; empty if it is not."""
    for cell in cells:
        if len(cell) > MAX_CELL_CHARACTERS:
            return f"a cell of {len(cell):,} characters; at most {MAX_CELL_CHARACTERS:,} are read"
        if "\0" in cell:
            return "a NUL character, which no text holds"
        if not cell.isascii() and BROKEN.search(cell):
            return "bytes that are not UTF-8"
    return ""


def _width_problem(width: int, layout: Layout) -> str:
    """The reason why a row of `width` cells is refused; empty if it is as wide as the table."""
    wanted = len(layout.columns)
    if width == wanted:
        return ""
    hint = "Fill in what is missing."
    if width > wanted:
        hint = f"Put the text in quotes if it holds a {DELIMITER_NAMES[layout.delimiter]}."
    measure = "the header has" if layout.has_header else "most rows have"
    return f"{_count(width, 'cell')}, but {measure} {_count(wanted, 'column')}. {hint}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
