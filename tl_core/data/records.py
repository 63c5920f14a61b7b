"""Lines in, records out: RFC 4180 cells or fastText lines, each with the line it begins on.

A record that cannot be read says why in `problem` and the reading goes on; only a quote that is
never closed, and would swallow the rest of the file, ends it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tl_core.errors import DataError

MAX_QUOTED_LINES = 200
MAX_CELLS = 10_000_000  # of a file: short cells cost far more memory than their bytes
MAX_RECORD_LINES = 2_000  # of several quoted cells together
MAX_RECORD_CHARACTERS = 10_000_000  # above every legal record: 200 columns of 50,000
NO_DELIMITER = "\x1f"  # for files of one column: the unit separator stands in no text
FASTTEXT_LABEL = re.compile(r"(?<!\S)__label__(\S*)")


class Record(NamedTuple):
    """The cells of one record and the 1-based number of its first line; `problem` if it is unusable."""

    row: int
    cells: tuple[str, ...]
    problem: str = ""


def allow_long_cells() -> None:
    """Let the csv module read any cell that `_Lines` lets pass.

    Its limit is the whole process's, so it is only ever raised: no other reader loses by that.
    """
    if csv.field_size_limit() <= MAX_RECORD_CHARACTERS:
        csv.field_size_limit(MAX_RECORD_CHARACTERS + 1)


class UnclosedQuote(DataError):
    """A quote that is open at the end of the file, or over too many lines."""


def csv_records(lines: Iterable[str], delimiter: str, name: str, *, quoted: bool = True) -> Iterator[Record]:
    """The records of a delimited file; blank lines are skipped. `quoted=False` takes quotes literally.

    Raises UnclosedQuote, naming the line where the quote was opened.
    """
    allow_long_cells()
    watched = _Lines(lines, name)
    reader = csv.reader(
        watched, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE, strict=True
    )
    cell_count = 0
    while True:
        row = watched.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(row, (), _quote_problem(row, watched.number))
            continue
        cell_count += len(cells)
        if cell_count > MAX_CELLS:
            raise DataError(
                "{name} has more than {max_cells:,} cells. Leave out columns, or upload a part.",
                name=name,
                max_cells=MAX_CELLS,
            )
        if cells and not (len(cells) == 1 and cells[0].isspace()):
            yield Record(row, tuple(cells))


def fasttext_records(lines: Iterable[str]) -> Iterator[Record]:
    """The (label, text) of each `__label__x text` line; blank lines are skipped."""
    for row, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        labels = list(FASTTEXT_LABEL.finditer(line))
        if len(labels) == 1:
            label = labels[0]
            text = f"{line[: label.start()].rstrip()} {line[label.end() :].lstrip()}"
            yield Record(row, (label.group(1), text.strip()))
        else:
            yield Record(row, (), "several labels; one is allowed" if labels else "no label")


def is_fasttext(head: Iterable[str]) -> bool:
    """Whether most of these lines begin with `__label__x `."""
    filled = [line for line in head if line.strip()]
    marked = sum(re.match(r"__label__[^\s,;|]*[ \t]", line) is not None for line in filled)
    return 2 * marked > len(filled)


class _Lines:
    """Lines for the csv reader, counted, and watched for a quote that is never closed."""

    def __init__(self, lines: Iterable[str], name: str) -> None:
        self.number = 0
        self._lines = iter(lines)
        self._name = name
        self.begin_record()

    def begin_record(self) -> int:
        """Forget the last record; the number of the line on which the next one begins."""
        self._first = self._opened = self.number + 1
        self._inside = False
        self._characters = 0
        return self._first

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            if self.number >= self._first:  # inside a record the reader asks for more only within quotes
                raise self._unclosed("is not closed before the file ends")
            raise StopIteration
        self.number += 1
        self._characters += len(line)
        quotes = line.replace('""', "").count('"')  # a doubled quote neither opens nor closes
        if quotes:
            self._inside ^= quotes % 2 == 1
            self._opened = self.number if self._inside else self._opened
        self._check_extent()
        return line

    def _check_extent(self) -> None:
        lines = self.number - self._first
        if self.number - self._opened >= MAX_QUOTED_LINES or lines >= MAX_RECORD_LINES:
            raise self._unclosed(f"is not closed within {MAX_QUOTED_LINES} lines")
        if self._characters > MAX_RECORD_CHARACTERS:
            raise DataError(
                "{name}, line {number}: a record of more than {max_record_characters:,} "
                "characters. Put each record on a line of its own and close every quote.",
                name=self._name,
                number=self.number,
                max_record_characters=MAX_RECORD_CHARACTERS,
            )

    def _unclosed(self, what: str) -> UnclosedQuote:
        return UnclosedQuote(
            "{name}, line {opened}: the quote that is opened here {what}. "
            'Close it with ", or write "" for a quote inside a text.',
            name=self._name,
            opened=self._opened,
            what=what,
        )


def _quote_problem(row: int, last: int) -> str:
    where = f" (lines {row} to {last})" if last > row else ""
    return f'a quote inside a quoted cell{where}. Write "" for a quote inside a text, and close every quote.'
