"""A part held back for testing, and small samples of each class: stratified, seeded, without leaks."""

from __future__ import annotations

import numpy as np

from tl_core.data.examples import Examples, text_key
from tl_core.errors import ConfigError, DataError

Group = list[int]  # positions of the examples that share one text


def split(examples: Examples, *, share: float, seed: int) -> tuple[Examples, Examples]:
    """The examples in two parts, (rest, held): about `share` of each class's rows is held.

    Rows with the same text (see `text_key`) go to the same side, under the label of the first of
    them; each class has at least one row on each side. The order of the file is kept, and the
    same seed gives the same parts. Raises ConfigError if `share` is not between 0 and 1,
    DataError for a class with fewer than 2 different texts.
    """
    if not 0 < share < 1:
        raise ConfigError("The share that is held back must lie between 0 and 1; got {share!r}.", share=share)
    random = np.random.default_rng(seed)
    held: set[int] = set()
    for label, groups in sorted(_groups_by_class(examples).items()):
        if len(groups) < 2:
            raise DataError(_too_few(label, len(groups)))
        shuffled = [groups[at] for at in random.permutation(len(groups))]
        for group in _held_groups(shuffled, share):
            held.update(group)
    everything = range(len(examples))
    return examples.take(at for at in everything if at not in held), examples.take(sorted(held))


def sample_per_class(examples: Examples, per_class: int, seed: int) -> Examples:
    """At most `per_class` examples of each class, in the order of the file.

    Samples of one seed are nested: the smaller one is a part of the larger one.
    """
    if per_class < 1:
        raise ConfigError(
            "A sample needs at least 1 example of each class; got {per_class!r}.", per_class=per_class
        )
    by_class: dict[str, list[int]] = {label: [] for label in examples.classes}
    for at, label in enumerate(examples.labels):
        by_class[label].append(at)
    random = np.random.default_rng(seed)
    chosen: list[int] = []
    for positions in by_class.values():
        chosen += random.permutation(positions)[:per_class].tolist()
    return examples.take(sorted(chosen))


def _groups_by_class(examples: Examples) -> dict[str, list[Group]]:
    """For each class its groups of rows with the same text; a group belongs to its first row's class."""
    groups: dict[str, Group] = {}
    for at, text in enumerate(examples.texts):
        groups.setdefault(text_key(text), []).append(at)
    by_class: dict[str, list[Group]] = {label: [] for label in examples.classes}
    for group in groups.values():
        by_class[examples.labels[group[0]]].append(group)
    return by_class


def _held_groups(groups: list[Group], share: float) -> list[Group]:
    """Groups with together about `share` of the rows: one at least, and never all."""
    target = round(share * sum(map(len, groups)))
    held: list[Group] = []
    size = 0
    for group in groups:
        if abs(size + len(group) - target) < abs(size - target) and len(held) < len(groups) - 1:
            held.append(group)
            size += len(group)
    return held or [min(groups, key=len)]


def _too_few(label: str, count: int) -> str:
    found = "has no text of its own" if count == 0 else "has only one text"
    return (
        f"Class '{label}' {found}; every class needs at least 2 different texts, one to learn from and one "
        "to test with (a text under several labels counts for the first). Add rows, or leave the class out."
    )
