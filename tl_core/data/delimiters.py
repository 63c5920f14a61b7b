"""Which character parts the cells, and whether quotes are quotes: chosen by how even the records come out."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from tl_core.data.decoding import Source
from tl_core.data.headers import could_be_header
from tl_core.data.names import is_known
from tl_core.data.records import NO_DELIMITER, Record, UnclosedQuote, allow_long_cells, csv_records

DELIMITERS = (",", "\t", ";", "|")  # of equals, the first wins
RECORDS_LOOKED_AT = 200
EVEN_ENOUGH = 0.5  # share of records with the usual number of cells, above which a delimiter counts


def guess_delimiter(head: Sequence[str]) -> str:
    """The delimiter that cuts the first records most evenly; NO_DELIMITER if none does (one column)."""
    best, highest = NO_DELIMITER, EVEN_ENOUGH
    for delimiter in DELIMITERS:
        score = _evenness(head, delimiter)
        if score > highest:
            best, highest = delimiter, score
    return best


def _evenness(head: Sequence[str], delimiter: str) -> float:
    """Share of the first records that have the usual number of cells, plus 1 below a clear header."""
    allow_long_cells()
    reader = csv.reader(head, delimiter=delimiter)
    records = list(islice((cells for cells in reader if any(cells)), RECORDS_LOOKED_AT))
    if not records or len(records[0]) < 2:
        return 0.0
    first, widths = records[0], Counter(map(len, records))
    if could_be_header(first) and any(map(is_known, first)):
        return 1 + widths[len(first)] / len(records)
    width, count = widths.most_common(1)[0]
    return count / len(records) if width > 1 else 0.0


def read_delimited(source: Source, delimiter: str, limit: int) -> list[Record]:
    """The first `limit` records of a delimited file.

    Files parted by tabs, and files of one column, are often written without any quoting: a
    quote is part of the text there if more records come out that way. Elsewhere quotes are
    always quotes. Raises UnclosedQuote.
    """

    def read(quoted: bool) -> list[Record]:
        return list(islice(csv_records(source.lines(), delimiter, source.name, quoted=quoted), limit))

    if delimiter not in ("\t", NO_DELIMITER):
        return read(quoted=True)
    try:
        records = read(quoted=True)
    except UnclosedQuote:
        return read(quoted=False)
    troubled = any(record.problem for record in records)
    if troubled or (delimiter == "\t" and b'"' in source.plain):
        literal = read(quoted=False)
        return literal if usual_width(literal)[1] > usual_width(records)[1] else records
    return records


def usual_width(records: Sequence[Record]) -> tuple[int, int]:
    """The most frequent number of cells and how many records have it; (0, 0) without a usable record."""
    widths = Counter(len(record.cells) for record in records if not record.problem)
    return widths.most_common(1)[0] if widths else (0, 0)
