"""What is odd about a set of examples: spellings, duplicates, contradictions, rare classes, leaks.

Pure functions; the data report is assembled elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tl_core.data.examples import Examples, label_key, text_key

__all__ = [
    "Conflict",
    "conflicts",
    "duplicates",
    "is_unequal",
    "label_key",
    "label_variants",
    "overlap",
    "small_classes",
    "text_key",
    "without_rows",
]


UNEQUAL = 3  # times as many rows, from which on accuracy says little of the rare classes


@dataclass(frozen=True, slots=True)
class Conflict:
    """One text under several labels: as it is first written, the labels sorted, all its rows."""

    text: str
    labels: tuple[str, ...]
    rows: tuple[int, ...]


def label_variants(labels: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Groups of labels that share their key (see `label_key`), each in the order first seen."""
    groups: dict[str, dict[str, None]] = {}
    for label in dict.fromkeys(labels):
        groups.setdefault(label_key(label), {})[label] = None
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def duplicates(examples: Examples) -> tuple[tuple[int, ...], ...]:
    """Groups of rows with the same text (see `text_key`) and the same label, in the file's order."""
    groups: dict[tuple[str, str], list[int]] = {}
    for text, label, row in zip(examples.texts, examples.labels, examples.rows):
        groups.setdefault((text_key(text), label), []).append(row)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def conflicts(examples: Examples) -> tuple[Conflict, ...]:
    """Texts that stand under several labels (see `text_key`), in the file's order."""
    groups: dict[str, list[int]] = {}
    for at, text in enumerate(examples.texts):
        groups.setdefault(text_key(text), []).append(at)
    conflicting = []
    for group in groups.values():
        labels = {examples.labels[at] for at in group}
        if len(labels) > 1:
            rows = tuple(examples.rows[at] for at in group)
            conflicting.append(Conflict(examples.texts[group[0]], tuple(sorted(labels)), rows))
    return tuple(conflicting)


def small_classes(examples: Examples, at_least: int) -> dict[str, int]:
    """The classes with fewer than `at_least` examples, and how many they have."""
    return {label: count for label, count in examples.counts.items() if count < at_least}


def is_unequal(counts: Iterable[int]) -> bool:
    """Whether the most frequent class has three times as many rows as the rarest, or more."""
    rows = [count for count in counts if count]
    return len(rows) > 1 and max(rows) >= UNEQUAL * min(rows)


def overlap(train: Examples, test: Examples) -> tuple[int, ...]:
    """The rows of `train` whose text (see `text_key`) or whose group stands in `test` too: a leak."""
    tested = set(map(text_key, test.texts))
    groups = set(filter(None, test.groups))
    return tuple(
        row
        for at, (row, text) in enumerate(zip(train.rows, train.texts))
        if text_key(text) in tested or (groups and train.groups and train.groups[at] in groups)
    )


def without_rows(examples: Examples, rows: Iterable[int]) -> Examples:
    """The examples but for those of these rows."""
    dropped = set(rows)
    return examples.take(at for at, row in enumerate(examples.rows) if row not in dropped)
