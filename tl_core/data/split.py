"""A part held back for testing, and small samples of each class: stratified, seeded, without leaks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, text_key
from tl_core.errors import ConfigError, DataError

ATTEMPTS = 20  # at a division of groups
Places = NDArray[np.integer[Any]]
Group = list[int]  # positions of the examples that share one text


def split(examples: Examples, *, share: float, seed: int) -> tuple[Examples, Examples]:
    """The examples in two parts, (rest, held): about `share` of each class's rows is held.

    Rows with the same text (see `text_key`) go to the same side, under the label of the first of
    them, as do rows of one group; each class has at least one row on each side. The order of the file is kept, and
    the same seed gives the same parts. Raises ConfigError if `share` is not between 0 and 1,
    DataError for a class with fewer than 2 different texts or groups.
    """
    if not 0 < share < 1:
        raise ConfigError("The share that is held back must lie between 0 and 1; got {share!r}.", share=share)
    if any(examples.groups):
        return _split_by_group(examples, share, seed)
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


def _split_by_group(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """The split with whole groups on one side: the first of several folds, stratified as far as groups allow."""
    whole = whole_groups(examples)
    for label in examples.classes:
        own = {group for group, of in zip(whole, examples.labels) if of == label}
        if len(own) < 2:
            raise DataError(
                "All rows of class '{label}' belong to one group (or share a text with it), so the class cannot stand "
                "on both sides of a split. Add rows of other groups, leave the class out, or choose no group column.",
                label=label,
            )
    turned = share > 0.5  # folds are small parts
    folds = max(2, round(1 / (1 - share if turned else share)))
    for attempt in range(ATTEMPTS):
        drawn = int(np.random.default_rng([seed, attempt]).integers(2**31))
        parts = folds_by_group(examples.labels, whole, folds, drawn)
        for large, small in parts:
            rest, held = (small, large) if turned else (large, small)
            sides = examples.take(rest), examples.take(held)
            if all(side.classes == examples.classes for side in sides):
                return sides
    raise DataError(
        "No division was found that keeps groups whole and has every class on both sides: {groups} groups, {classes} "
        "classes. Add rows of other groups, leave rare classes out, or choose no group column.",
        groups=len(set(whole)),
        classes=len(examples.classes),
    )


def folds_by_group(
    labels: Sequence[str] | Places, groups: Sequence[int] | Places, folds: int, seed: int
) -> list[tuple[Places, Places]]:
    """(positions outside, positions inside) of each fold of N rows: stratified as far as whole groups allow."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):  # a class with few rows
        return list(splitter.split(np.zeros(len(labels)), labels, groups))


def whole_groups(examples: Examples) -> list[int]:
    """For each row the number of the rows that it must stay with: those of its group, and those of its text."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    firsts: dict[tuple[str, str], int] = {}
    links = []
    for at, (text, group) in enumerate(zip(examples.texts, examples.groups or ("",) * len(examples))):
        for key in (("text", text_key(text)), ("group", group)):
            if key[1]:
                links.append((at, firsts.setdefault(key, at)))
    ends = np.array(links).T
    graph = coo_array((np.ones(len(links)), (ends[0], ends[1])), shape=(len(examples),) * 2)
    return [int(number) for number in connected_components(graph, directed=False)[1]]


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
