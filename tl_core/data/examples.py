"""Labelled texts: from a table's columns, and to and from JSON Lines on disk."""

from __future__ import annotations

import html
import json
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tl_core.data.columns import Columns
from tl_core.data.tables import Refused, Table
from tl_core.errors import DataError
from tl_core.whole_files import written_aside

TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")  # of HTML


@dataclass(frozen=True, slots=True)
class Examples:
    """N texts with their labels and the numbers of their rows in the file they came from.

    `groups` are the names of the groups that they belong to, '' for none; without a group column it is empty.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[int, ...]
    groups: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def counts(self) -> dict[str, int]:
        """Number of texts of each label, in the order of the labels' names."""
        return dict(sorted(Counter(self.labels).items()))

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.labels)))

    def take(self, indices: Iterable[int]) -> Examples:
        """The examples at these positions, in this order."""
        chosen = [int(index) for index in indices]
        return Examples(
            tuple(self.texts[at] for at in chosen),
            tuple(self.labels[at] for at in chosen),
            tuple(self.rows[at] for at in chosen),
            tuple(self.groups[at] for at in chosen) if self.groups else (),
        )


@dataclass(frozen=True, slots=True)
class Labelled:
    """The examples of a table and every row that is not among them, by row number."""

    examples: Examples
    refused: tuple[Refused, ...]


def to_examples(table: Table, columns: Columns, *, merge_labels: bool = False) -> Labelled:
    """The labelled texts of a table; rows without text or label are refused.

    Several text columns are joined by a line end. Texts and labels lose the white space around
    them and are otherwise left as they are; `merge_labels` gives labels that differ only by case
    or white space their most frequent spelling. DataError for a column that is not there.
    """
    if columns.label is None:
        raise DataError(
            "{table}: no label column is chosen. Choose one of {columns}.",
            table=table.name,
            columns=", ".join(table.columns),
        )
    if columns.label in columns.text:
        raise DataError(
            "Column '{label}' cannot be both text and label. Choose another for either.", label=columns.label
        )
    if columns.group in (*columns.text, columns.label):
        raise DataError(
            "Column '{group}' cannot be the group as well as text or label. Choose another, or no group.",
            group=columns.group,
        )
    label_at = _position(table, columns.label)
    texts, labels = texts_of(table, columns.text), [row[label_at].strip() for row in table.rows]
    if merge_labels:
        labels = _merged(labels)
    kept = [at for at, (text, label) in enumerate(zip(texts, labels)) if text and label]
    refused = list(table.refused)
    for row, text, label in zip(table.row_numbers, texts, labels):
        if not text or not label:
            refused.append(Refused(row, "empty label" if text else "empty text"))
    examples = Examples(tuple(texts), tuple(labels), tuple(table.row_numbers), _groups(table, columns)).take(
        kept
    )
    return Labelled(examples, tuple(sorted(refused, key=lambda refusal: refusal.row)))


def _groups(table: Table, columns: Columns) -> tuple[str, ...]:
    if columns.group is None:
        return ()
    at = _position(table, columns.group)
    return tuple(row[at].strip() for row in table.rows)


def texts_of(table: Table, text_columns: Sequence[str]) -> list[str]:
    """The text of every row, in order and also where it is empty; several columns become lines."""
    if not text_columns:
        raise DataError(
            "{table}: no text column is chosen. Choose from {columns}.",
            table=table.name,
            columns=", ".join(table.columns),
        )
    at = [_position(table, name) for name in text_columns]
    if len(at) == 1:
        return [row[at[0]].strip() for row in table.rows]
    return ["\n".join(filter(None, (row[column].strip() for column in at))) for row in table.rows]


def text_key(text: str) -> str:
    """The key that near-equal texts share.

    They differ only by case, white space, Unicode's form (NFKC), characters without a glyph, HTML's tags and entities, or
    punctuation. A text of punctuation alone keeps it.
    """
    plain = html.unescape(text) if "&" in text else text
    plain = TAG.sub(" ", plain) if "<" in plain else plain
    plain = _visible(plain).casefold()
    return " ".join(plain.translate(_punctuation()).split()) or " ".join(plain.split())


def label_key(label: str) -> str:
    """The key that labels share which differ only by case, white space, Unicode's form, or characters without a glyph."""
    return " ".join(_visible(label).casefold().split())


def _visible(text: str) -> str:
    """The text in Unicode's form NFKC, without format characters such as zero-width spaces."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", text).translate(_formats())


@lru_cache(maxsize=1)
def _punctuation() -> dict[int, str]:
    return {code: " " for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == "P"}


@lru_cache(maxsize=1)
def _formats() -> dict[int, None]:
    return {code: None for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"}


def write_examples(path: Path, examples: Examples) -> None:
    """Write the examples as JSON Lines; the file is whole or not there."""
    with written_aside(path) as aside, aside.open("w", encoding="utf-8", newline="\n") as stream:
        groups = examples.groups or (None,) * len(examples)
        for text, label, row, group in zip(examples.texts, examples.labels, examples.rows, groups):
            record = {"text": text, "label": label, "row": row} | ({} if group is None else {"group": group})
            stream.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_examples(path: Path) -> Examples:
    """The examples that `write_examples` wrote; DataError, with the line, if one is broken."""
    texts: list[str] = []
    labels: list[str] = []
    rows: list[int] = []
    groups: list[str] = []
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            "{path} cannot be opened ({reason}). Prepare the data anew.",
            path=path.name,
            reason=error.strerror,
        ) from None
    for number, line in enumerate(content.removesuffix(b"\n").split(b"\n") if content else (), start=1):
        text, label, row, group = _example(line, path.name, number)
        texts.append(text)
        labels.append(label)
        rows.append(row)
        if group is not None:
            groups.append(group)
    if len(groups) not in (0, len(texts)):
        raise DataError(
            "{name} has a group in some of its lines only. Prepare the data anew.", name=path.name
        )
    return Examples(tuple(texts), tuple(labels), tuple(rows), tuple(groups))


def _example(line: bytes, name: str, number: int) -> tuple[str, str, int, str | None]:
    try:
        record = json.loads(line)
        text, label, row, group = record["text"], record["label"], record["row"], record.get("group")
    except (ValueError, KeyError, TypeError, RecursionError):
        text = label = row = group = None
    if (
        isinstance(text, str)
        and isinstance(label, str)
        and type(row) is int
        and isinstance(group, str | None)
    ):
        return text, label, row, group
    raise DataError(
        '{name}, line {number}: not an example of the form {{"text": ..., "label": ..., "row": 1}}. '
        "Prepare the data anew.",
        name=name,
        number=number,
    )


def _position(table: Table, column: str) -> int:
    if column not in table.columns:
        raise DataError(
            "{table} has no column '{column}'. It has: {columns}.",
            table=table.name,
            column=column,
            columns=", ".join(table.columns),
        )
    return table.columns.index(column)


def _merged(labels: Sequence[str]) -> list[str]:
    """Each label in the most frequent spelling of its kind; of equals, the one seen first."""
    spelling: dict[str, str] = {}
    for label, _ in Counter(labels).most_common():
        spelling.setdefault(label_key(label), label)
    return [spelling[label_key(label)] for label in labels]
