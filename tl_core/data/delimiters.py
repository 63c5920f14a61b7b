"""Character that parts the cells, and whether quotes are quotes: chosen by how even the records come out."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from tl_core.data.decoding import Source
from tl_core.data.headers import could_be_header
from tl_core.data.names import MAIN_NAMES, is_known
from tl_core.data.records import NO_DELIMITER, Record, UnclosedQuote, allow_long_cells, csv_records

DELIMITERS = (",", "\t", ";", "|")  # of equals, the first wins
OFTEN_UNQUOTED = ("\t", NO_DELIMITER)
RECORDS_LOOKED_AT = 200
EVEN_ENOUGH = 0.5  # share of records with the usual number of cells, above which a delimiter counts


def guess_delimiter(head: Sequence[str], *, quoted: bool = True) -> str:
    """The delimiter that cuts the first records most evenly; NO_DELIMITER if none does (one column).

    `quoted=False` takes quotes literally, so that one that is never closed hides no delimiter.
    """
    best, highest = NO_DELIMITER, EVEN_ENOUGH
    for delimiter in DELIMITERS:
        score = _evenness(head, delimiter, quoted)
        if score > highest:
            best, highest = delimiter, score
    return best


def _evenness(head: Sequence[str], delimiter: str, quoted: bool) -> float:
    """Share of the first records that have the usual number of cells, plus 1 below a clear header."""
    allow_long_cells()
    reader = csv.reader(head, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    records = list(islice((cells for cells in reader if any(cells)), RECORDS_LOOKED_AT))
    if not records or len(records[0]) < 2:
        return 0.0
    first, widths = records[0], Counter(map(len, records))
    if could_be_header(first) and any(is_known(cell, MAIN_NAMES) for cell in first):
        return 1 + widths[len(first)] / len(records)
    width, count = widths.most_common(1)[0]
    return count / len(records) if width > 1 else 0.0


def read_delimited(source: Source, limit: int) -> tuple[str, list[Record]]:
    """The delimiter of a file, NO_DELIMITER for one column, and its first `limit` records.

    Files parted by tabs, and files of one column, are often written without any quoting: a
    quote is part of the text there if more records come out that way. Elsewhere quotes are
    always quotes. Raises UnclosedQuote.
    """

    head = source.head()
    delimiter = guess_delimiter(head)
    try:
        return delimiter, _read(source, delimiter, limit)
    except UnclosedQuote:
        if delimiter == NO_DELIMITER:
            delimiter = guess_delimiter(head, quoted=False)
        if delimiter not in OFTEN_UNQUOTED:
            raise
        return delimiter, _records(source, delimiter, limit, quoted=False)


def _read(source: Source, delimiter: str, limit: int) -> list[Record]:
    """The records, with quotes taken as quotes or as text, whichever gives more of the usual width."""
    records = _records(source, delimiter, limit, quoted=True)
    troubled = any(record.problem for record in records)
    if delimiter in OFTEN_UNQUOTED and (troubled or (delimiter == "\t" and b'"' in source.plain)):
        literal = _records(source, delimiter, limit, quoted=False)
        return literal if usual_width(literal)[1] > usual_width(records)[1] else records
    return records


def _records(source: Source, delimiter: str, limit: int, *, quoted: bool) -> list[Record]:
    return list(islice(csv_records(source.lines(), delimiter, source.name, quoted=quoted), limit))


def usual_width(records: Sequence[Record]) -> tuple[int, int]:
    """The most frequent number of cells and how many records have it; (0, 0) without a usable record."""
    widths = Counter(len(record.cells) for record in records if not record.problem)
    return widths.most_common(1)[0] if widths else (0, 0)
