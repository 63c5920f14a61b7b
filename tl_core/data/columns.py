"""Columns that hold the text and the label: guessed by name, then by content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tl_core.data.names import (
    EXACT,
    ID_NAMES,
    LABEL_NAMES,
    LAST_WORD,
    OTHER_NAMES,
    TEXT_NAMES,
    TITLE_NAMES,
    WEAK_LABEL_NAMES,
    is_number,
    name_rank,
)
from tl_core.data.tables import Table

ROWS_LOOKED_AT = 2_000
LONGEST_LABEL = 50  # characters, on average
MOST_CLASSES = 200
FEW_ROWS = 20  # so few rows may well have as many labels
WORDS_OF_A_TEXT = 4  # on average, from which a nameless column counts as prose

Rank = float | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the text columns, which are read as one text, of the label column and of the group column, if any.

    Rows of one group, such as a customer or a document, never stand on both sides of a split.
    """

    text: tuple[str, ...]
    label: str | None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class _Profile:
    """The facts that a column's name and content give; lengths are means over its filled cells."""

    name: str
    filled: int
    distinct: int
    characters: float
    words: float
    is_numeric: bool

    @property
    def is_id(self) -> bool:
        """Whether this counts or names the rows: by its name, or all different and without a blank."""
        if name_rank(self.name, ID_NAMES) == EXACT:
            return True
        is_coded = self.is_numeric or (self.words == 1.0 and not self.text_rank)
        return is_coded and not self.label_rank and self.filled > 2 and self.distinct == self.filled

    @property
    def text_rank(self) -> int:
        return 0 if self.is_numeric else name_rank(self.name, TEXT_NAMES)

    @property
    def title_rank(self) -> int:
        return 0 if self.is_numeric else name_rank(self.name, TITLE_NAMES)

    @property
    def label_rank(self) -> int:
        """The fit as a label by the name: 6, 4, 2 for a plain label name, 5, 3, 1 for a weak one."""
        return max(name_rank(self.name, LABEL_NAMES) * 2, name_rank(self.name, WEAK_LABEL_NAMES) * 2 - 1, 0)

    @property
    def has_few_values(self) -> bool:
        most = min(MOST_CLASSES, max(2, self.filled // 2))
        return 0 < self.distinct <= most and self.characters <= LONGEST_LABEL

    @property
    def may_be_label(self) -> bool:
        """Whether the content allows what the name says: a plain label name needs little support."""
        if self.has_few_values:
            return True
        repeats = self.distinct < self.filled or self.filled <= FEW_ROWS
        return self.label_rank % 2 == 0 and repeats and self.characters <= LONGEST_LABEL


def guess_columns(table: Table) -> Columns:
    """The likely text columns and label column of `table`; `label` is None if none qualifies.

    At least one text column is always named. A title beside a body gives both, the title first.
    A column of ids is taken only where there is nothing else.
    """
    profiles = _profiles(table)
    usable = [profile for profile in profiles if not profile.is_id]
    label = _label_by_name(usable)
    text = _text_by_name(usable, label)
    if label is None:
        label = _label_by_content(usable, text)
    if not text:
        text = _text_by_content(usable, label) or (_longest(profiles, label),)
    return Columns(tuple(profile.name for profile in text), label.name if label else None)


def _label_by_name(usable: Sequence[_Profile]) -> _Profile | None:
    """The column with the best label name, if it has few values and no better text name."""
    fitting = [profile for profile in usable if profile.label_rank and profile.may_be_label]
    fitting = [
        profile for profile in fitting if profile.label_rank >= 2 * profile.text_rank - 1 and len(usable) > 1
    ]
    return _best(fitting, lambda profile: profile.label_rank)


def _text_by_name(usable: Sequence[_Profile], label: _Profile | None) -> tuple[_Profile, ...]:
    """The column with the best text name, and a title beside it; none if no name says text."""
    others = [profile for profile in usable if profile is not label]
    bodies = [other for other in others if other.text_rank]
    body = _best(bodies, lambda profile: (profile.text_rank, profile.characters))
    titles = [other for other in others if other is not body and other.title_rank >= LAST_WORD]
    title = _best(titles, lambda profile: profile.title_rank)
    return tuple(profile for profile in (title, body) if profile)


def _label_by_content(usable: Sequence[_Profile], text: Sequence[_Profile]) -> _Profile | None:
    """The column of fewest distinct short values, two at least; the longest column stays for the text."""
    others = [
        profile for profile in usable if profile not in text and not name_rank(profile.name, OTHER_NAMES)
    ]
    if not text and others:
        longest = max(usable, key=lambda profile: profile.characters)
        others = [other for other in others if other is not longest]
    fitting = [other for other in others if other.has_few_values and other.distinct > 1]
    return _best(fitting, lambda profile: -profile.distinct)


def _text_by_content(usable: Sequence[_Profile], label: _Profile | None) -> tuple[_Profile, ...]:
    """All columns of prose in the table's order; else the longest that is left."""
    others = [profile for profile in usable if profile is not label and not profile.is_numeric]
    prose = [
        other for other in others if other.words >= WORDS_OF_A_TEXT and 2 * other.distinct > other.filled
    ]
    longest = _best(others, lambda profile: profile.characters)
    return tuple(prose) or ((longest,) if longest else ())


def _longest(profiles: Sequence[_Profile], label: _Profile | None) -> _Profile:
    """The last resort, where all columns are ids or numbers."""
    others = [profile for profile in profiles if profile is not label] or list(profiles)
    return max(others, key=lambda profile: (not profile.is_numeric, profile.characters))


def _best(profiles: Sequence[_Profile], rank: Callable[[_Profile], Rank]) -> _Profile | None:
    """The first of the profiles with the highest rank; None of none."""
    return max(profiles, key=rank, default=None)


def _profiles(table: Table) -> list[_Profile]:
    step = max(1, len(table.rows) // ROWS_LOOKED_AT)  # spread over the file, which may be sorted by class
    rows = table.rows[::step]
    return [_profile(name, [row[at].strip() for row in rows]) for at, name in enumerate(table.columns)]


def _profile(name: str, cells: Sequence[str]) -> _Profile:
    filled = [cell for cell in cells if cell]
    count = max(1, len(filled))
    return _Profile(
        name=name,
        filled=len(filled),
        distinct=len(set(filled)),
        characters=sum(map(len, filled)) / count,
        words=sum(len(cell.split()) for cell in filled) / count,
        is_numeric=bool(filled) and all(map(is_number, filled)),
    )
