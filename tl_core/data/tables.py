"""Hostile uploads in, a checked table of strings out.

A file may be any size, any encoding, cut off, binary or a bomb. What can be read becomes rows;
a row that cannot be read is refused with its number and a reason; a file that cannot be read at
all raises DataError. Nothing here knows what the columns mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tl_core.data.decoding import BROKEN, Source, decode
from tl_core.data.delimiters import guess_delimiter, read_delimited, usual_width
from tl_core.data.headers import column_names, looks_like_header, numbered_columns
from tl_core.data.records import NO_DELIMITER, Record, fasttext_records, is_fasttext
from tl_core.data.unpacking import unpack
from tl_core.errors import DataError

MAX_FILE_BYTES = 50 * 2**20
MAX_PLAIN_BYTES = 200 * 2**20
MAX_ROWS = 500_000
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
        raise DataError(f"{shown_name(path.name)} cannot be opened ({error.strerror}). Check the path.") from None
    return read_table(content, path.name, has_header=has_header)


def read_table(content: bytes, name: str, *, has_header: bool | None = None) -> Table:
    """The table in an upload; `name` is only shown, `has_header=None` guesses.

    Read are delimited files (comma, tab, semicolon, vertical bar) and fastText lines, in UTF-8,
    UTF-16, cp949 or cp1252, plain or compressed (gzip, bzip2). Raises DataError.
    """
    shown = shown_name(name)
    source = decode(unpack(content, shown, MAX_FILE_BYTES, MAX_PLAIN_BYTES), shown)
    head = source.head()
    if is_fasttext(head):
        records = list(islice(fasttext_records(source.lines()), MAX_ROWS + 1))
        return _table(source, records, ("label", "text"), " ", is_header=False, form="fasttext")
    delimiter = guess_delimiter(head)
    records = read_delimited(source, delimiter, MAX_ROWS + 2)
    if not records:
        raise DataError(f"{shown} holds no text, only white space. Upload a table with a text column.")
    is_header = _has_header(records) if has_header is None else has_header
    if is_header and records[0].problem:
        raise DataError(f"{shown}: the header cannot be read. Row {records[0].row}: {records[0].problem}")
    if is_header:
        columns, records = column_names(records[0].cells), records[1:]
    else:
        columns = numbered_columns(usual_width(records)[0])
    shown_delimiter = "," if delimiter == NO_DELIMITER else delimiter
    return _table(source, records, columns, shown_delimiter, is_header=is_header, form="csv")


def shown_name(name: str) -> str:
    """The last part of a file's name, printable and short, for sentences."""
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:100] or "The file"


def _has_header(records: Sequence[Record]) -> bool:
    first = records[0]
    return not first.problem and looks_like_header(first.cells, [record.cells for record in records[1:]])


def _table(
    source: Source, records: Sequence[Record], columns: tuple[str, ...], delimiter: str, *, is_header: bool, form: str
) -> Table:
    """The table of the usable records; DataError if there is none or if there are too many."""
    _check_extent(source.name, records, columns)
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    refused: list[Refused] = []
    measure = "the header has" if is_header else "most rows have"
    for record in records:
        problem = record.problem or _cell_problem(record.cells)
        if not problem and len(record.cells) != len(columns):
            problem = _width_problem(len(record.cells), len(columns), measure, DELIMITER_NAMES[delimiter])
        if problem:
            refused.append(Refused(record.row, problem))
        else:
            rows.append(record.cells)
            numbers.append(record.row)
    if not rows:
        first = refused[0]
        raise DataError(f"{source.name}: no row can be read. Row {first.row}: {first.reason.rstrip('.')}.")
    return Table(source.name, columns, rows, numbers, tuple(refused), source.encoding, delimiter, is_header, form)


def _check_extent(name: str, records: Sequence[Record], columns: Sequence[str]) -> None:
    if not records:
        raise DataError(f"{name} has a header but no rows. Add a row for each text.")
    if len(records) > MAX_ROWS:
        raise DataError(f"{name} has more than {MAX_ROWS:,} rows, which is the most that is read. Upload a part of it.")
    if len(columns) > MAX_COLUMNS:
        raise DataError(
            f"{name} has {len(columns):,} columns; at most {MAX_COLUMNS} are read. "
            "Leave only the columns with the text and the label."
        )


def _cell_problem(cells: Sequence[str]) -> str:
    """Why a row with these cells is refused; empty if it is not."""
    for cell in cells:
        if len(cell) > MAX_CELL_CHARACTERS:
            return f"a cell of {len(cell):,} characters; at most {MAX_CELL_CHARACTERS:,} are read"
        if "\0" in cell:
            return "a NUL character, which no text holds"
        if not cell.isascii() and BROKEN.search(cell):
            return "bytes that are not UTF-8"
    return ""


def _width_problem(found: int, wanted: int, measure: str, delimiter_name: str) -> str:
    plural = "" if found == 1 else "s"
    columns = "1 column" if wanted == 1 else f"{wanted} columns"
    hint = f"Put the text in quotes if it holds a {delimiter_name}." if found > wanted else "Fill in what is missing."
    return f"{found} cell{plural}, but {measure} {columns}. {hint}"
