"""Layout of a file, and its records: fastText or delimited, with or without a header."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from tl_core.data.decoding import Source
from tl_core.data.delimiters import read_delimited, usual_width
from tl_core.data.headers import column_names, looks_like_header, numbered_columns
from tl_core.data.records import NO_DELIMITER, Record, fasttext_records, is_fasttext
from tl_core.errors import DataError


class Layout(NamedTuple):
    """The records below the header, usable or not, and how the file is laid out."""

    records: Sequence[Record]
    columns: tuple[str, ...]
    delimiter: str
    has_header: bool
    form: str


def read_layout(source: Source, has_header: bool | None, *, max_rows: int, max_columns: int) -> Layout:
    """The layout of a file; `has_header=None` guesses.

    DataError without rows, with too many rows or columns, or with a quote that is never closed.
    """
    if is_fasttext(source.head()):
        records = list(islice(fasttext_records(source.lines()), max_rows + 1))
        layout = Layout(records, ("label", "text"), " ", False, "fasttext")
    else:
        delimiter, records = read_delimited(source, max_rows + 2)
        _check_start(source.name, records, max_columns)
        layout = _csv_layout(source.name, delimiter, records, has_header)
    if not layout.records:
        raise DataError("{source} has a header but no rows. Add a row for each text.", source=source.name)
    if len(layout.records) > max_rows:
        raise DataError(
            "{source} has more than {max_rows:,} rows. Upload a part of it.",
            source=source.name,
            max_rows=max_rows,
        )
    return layout


def _csv_layout(name: str, delimiter: str, records: Sequence[Record], has_header: bool | None) -> Layout:
    named = _has_header(records) if has_header is None else has_header
    if named and records[0].problem:
        raise DataError(
            "{name}: the header cannot be read. It has {problem}", name=name, problem=records[0].problem
        )
    columns = column_names(records[0].cells) if named else numbered_columns(usual_width(records)[0])
    shown_delimiter = "," if delimiter == NO_DELIMITER else delimiter
    return Layout(records[1:] if named else records, columns, shown_delimiter, named, "csv")


def _has_header(records: Sequence[Record]) -> bool:
    first = records[0]
    return not first.problem and looks_like_header(first.cells, [record.cells for record in records[1:]])


def _check_start(name: str, records: Sequence[Record], max_columns: int) -> None:
    if not records:
        raise DataError(
            "{name} holds no text, only white space. Upload a table with a column of texts.", name=name
        )
    widest = max(len(records[0].cells), usual_width(records)[0])
    if widest > max_columns:
        raise DataError(
            "{name} has {widest:,} columns; at most {max_columns} are read. "
            "Leave only the columns with the text and the label.",
            name=name,
            widest=widest,
            max_columns=max_columns,
        )
