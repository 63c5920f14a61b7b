"""Tables for spreadsheets: CSV that Excel opens with its letters intact and its formulas asleep.

A text such as `=HYPERLINK(...)` from an upload must not run on the machine of whoever downloads
the results (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)(e[+-]?\d+)?%?", re.IGNORECASE | re.ASCII)
SKIPPED = re.compile(r"[\s\x00-\x20\x7f\u200b-\u200f\u2060\ufeff]*")  # what a spreadsheet may read over
BYTE_ORDER_MARK = "\ufeff"  # without it Excel takes UTF-8 for the local code page


def neutralise(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would run it as a formula.

    That is so after `=`, `+`, `-`, `@`, also full-width or behind white space, and after a
    leading tab or line end. Plain numbers such as -3.5 stay.
    """
    if NUMBER.fullmatch(cell.strip()):
        return cell
    start = SKIPPED.sub("", cell, count=1)[:1]
    runs = unicodedata.normalize("NFKC", start) in ("=", "+", "-", "@")
    return "'" + cell if runs or cell.startswith(("\t", "\r", "\n")) else cell


def write_csv(
    target: Path | str | IO[bytes] | IO[str], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a header and rows as CSV in UTF-8 with a byte order mark, every cell neutralised.

    `target` is a path, or an open stream of bytes or text, which stays open. None is an empty cell.
    """
    if isinstance(target, (str, Path)):
        with open(target, "w", encoding="utf-8", newline="") as stream:
            _write(stream, columns, rows)
    elif isinstance(target, io.TextIOBase):
        _write(target, columns, rows)
    else:
        wrapped = io.TextIOWrapper(target, encoding="utf-8", newline="")  # type: ignore[type-var]
        _write(wrapped, columns, rows)
        wrapped.detach()


def _write(stream: IO[str] | io.TextIOBase, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    stream.write(BYTE_ORDER_MARK)
    writer = csv.writer(stream)
    writer.writerow([neutralise(name) for name in columns])
    for row in rows:
        writer.writerow(["" if cell is None else neutralise(str(cell)) for cell in row])
