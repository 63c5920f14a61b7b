"""Is the first row a header, and what are the columns called."""

from __future__ import annotations

from collections.abc import Sequence

from tl_core.data.decoding import BROKEN
from tl_core.data.names import is_known, is_number

LONGEST_NAME = 60  # characters; a longer first cell is text, not a name
LONGEST_SHOWN_NAME = 100
FEW_VALUES = 50
FEW_ROWS = 4  # below so many rows a value that comes only once says nothing

Row = Sequence[str]


def could_be_header(first: Row) -> bool:
    """Whether all cells of the first row are short and none is a number."""
    filled = [cell for cell in first if cell.strip()]
    return bool(filled) and all(len(cell) <= LONGEST_NAME and not is_number(cell) for cell in filled)


def looks_like_header(first: Row, body: Sequence[Row]) -> bool:
    """Whether the first row names columns: by a known name, or by differing from the body.

    It differs where a column of numbers begins with a word, or where a column of few distinct
    values begins with a value that never comes again.
    """
    if not could_be_header(first):
        return False
    if all(is_known(cell) for cell in first if cell.strip()):
        return True
    alike = [row for row in body if len(row) == len(first)]
    named = [cell.strip() for cell in first]
    columns = [[row[at].strip() for row in alike] for at in range(len(first))]
    if any(is_known(name) and _is_rare(name, column) for name, column in zip(named, columns)):
        return True
    if len(set(named)) < len(named):
        return False
    return any(name and column and _differs(name, column) for name, column in zip(named, columns))


def _is_rare(name: str, column: Sequence[str]) -> bool:
    return 100 * column.count(name) <= len(column)


def _differs(name: str, column: Sequence[str]) -> bool:
    """Whether `column` clearly holds something else than `name`: numbers, or few values without it."""
    if all(map(is_number, column)):
        return True
    values = set(column)
    few = len(column) >= FEW_ROWS and len(values) <= min(FEW_VALUES, len(column) // 2)
    return few and name not in values


def column_names(first: Row) -> tuple[str, ...]:
    """Unique names from a header: empty ones become `column 3`, the second `text` is `text (2)`."""
    names: list[str] = []
    for number, cell in enumerate(first, start=1):
        name = " ".join(BROKEN.sub("\ufffd", cell.replace("\0", "")).split())[:LONGEST_SHOWN_NAME]
        name = name or f"column {number}"
        unique, copy = name, 2
        while unique in names:
            unique, copy = f"{name} ({copy})", copy + 1
        names.append(unique)
    return tuple(names)


def numbered_columns(count: int) -> tuple[str, ...]:
    """Names for a table without a header: `column 1`, `column 2`, ..."""
    return tuple(f"column {number}" for number in range(1, count + 1))
