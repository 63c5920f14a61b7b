"""Attention as it is shown: between words or between tokens, of one head or of several.

A word receives the sum of what its tokens receive and gives the mean of what they give (Clark et al. 2019,
arXiv 1906.04341, section 4.1). U counts the units, which are the words or tokens that are shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.maps import Maps
from tl_core.errors import ConfigError, DataError
from tl_core.text.inputs import SPECIAL, ModelInput

Matrix = NDArray[np.float32]
Mixing = Literal["mean", "max"]
Direction = Literal["all", "first to second", "second to first", "within"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One place that is shown: characters `start` to `end` of a text, or a special token.

    Side 0 is the first text, 1 its pair, -1 a special token, which has no characters.
    """

    text: str
    side: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The U units of an input in the order of its tokens; `groups` (U, T) is 1 where a token belongs to one."""

    units: tuple[Unit, ...]
    groups: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class UnitMaps:
    """Attention between U units, (L, H, U, U); a row sums to one, or is all zeros if nothing of it is shown.

    `hidden` (L, H) is the share of the units' attention that goes to tokens that are not shown, the mean
    over units, 0 to 1.
    """

    units: tuple[Unit, ...]
    maps: Maps
    hidden: Matrix


def units_of(shown: ModelInput, *, pieces: bool = False, special: bool = False) -> Units:
    """The words of an input; with `pieces` every token of its texts, with `special` the special tokens too.

    A token is shown as the characters it stands for, or as the tokenizer spells it if it stands for none,
    for white space, or for more than its own word. DataError if nothing is left to show.
    """
    alone = (shown.sides != SPECIAL) if pieces else np.zeros(len(shown), dtype=bool)
    if special:
        alone = alone | (shown.sides == SPECIAL)
    units: list[Unit] = []
    unit_of = np.full(len(shown), -1, dtype=np.int64)
    word_units: dict[int, int] = {}
    for token, word in enumerate(shown.word_of.tolist()):
        if alone[token]:
            unit_of[token] = len(units)
            units.append(_token_unit(shown, token))
        elif word >= 0 and not pieces:
            if word not in word_units:
                word_units[word] = len(units)
                own = shown.words[word]
                units.append(Unit(own.text, own.side, own.start, own.end))
            unit_of[token] = word_units[word]
    if not units:
        raise DataError("The text has no words that could be shown. Type some words, or show tokens.")
    groups: Matrix = (unit_of == np.arange(len(units))[:, None]).astype(np.float32)
    return Units(tuple(units), groups)


def _token_unit(shown: ModelInput, token: int) -> Unit:
    start, end = shown.offsets[token].tolist()
    side, word_number, spelling = int(shown.sides[token]), int(shown.word_of[token]), shown.tokens[token]
    if side == SPECIAL:
        return Unit(spelling, SPECIAL, 0, 0)
    if word_number < 0:
        return Unit(spelling, side, start, end)
    word = shown.words[word_number]
    start = max(start, word.start) if end > word.start else start  # a token may begin with a blank
    inside = word.start <= start < end <= word.end
    text = word.text[start - word.start : end - word.start] if inside else spelling
    return Unit(text, side, start, end)


def unit_maps(maps: Maps, shown: ModelInput, *, pieces: bool = False, special: bool = False) -> UnitMaps:
    """Attention between the units of `units_of`, from maps of its T tokens, (L, H, T, T).

    What goes to tokens that are not shown is left out, and the rows are made to sum to one again.
    """
    made = units_of(shown, pieces=pieces, special=special)
    count = len(made.units)
    giving = made.groups / made.groups.sum(1, keepdims=True)
    receiving = made.groups.T
    between = np.empty((*maps.shape[:2], count, count), dtype=np.float32)
    hidden = np.empty(maps.shape[:2], dtype=np.float32)
    for layer, attention in enumerate(maps):
        given = giving @ attention @ receiving  # (H, U, U)
        total = given.sum(-1, keepdims=True)
        np.divide(given, total, out=given, where=total > 0)
        between[layer] = given
        hidden[layer] = np.clip(1 - total.mean((-2, -1)), 0, 1)
    return UnitMaps(made.units, between, hidden)


def mixed(maps: UnitMaps, heads: Sequence[tuple[int, int]], how: Mixing = "mean") -> Matrix:
    """One matrix of several heads, each a layer and a head from 0: (U, U), their mean or their largest value.

    A head that is named twice counts once. Rows of the mean sum to one, those of the largest to one or more.
    ConfigError for no head, one that is not there, or another way of mixing.
    """
    if how not in get_args(Mixing):
        raise ConfigError(
            "Heads are mixed by {directions}; got {how!r}.", directions=" or ".join(get_args(Mixing)), how=how
        )
    if not heads:
        raise ConfigError("No head is chosen. Choose at least one.")
    layers, width = maps.maps.shape[:2]
    for layer, head in heads:
        if not (0 <= layer < layers and 0 <= head < width):
            raise ConfigError(
                "There is no head {head} in layer {layer}: this encoder has {layers} layers of {width} heads.",
                head=head + 1,
                layer=layer + 1,
                layers=layers,
                width=width,
            )
    (first, *rest) = dict.fromkeys(heads)
    together: Matrix = maps.maps[first].copy()
    for place in rest:
        if how == "max":
            np.maximum(together, maps.maps[place], out=together)
        else:
            together += maps.maps[place]
    return together if how == "max" else together / np.float32(1 + len(rest))


def filtered(matrix: Matrix, units: Sequence[Unit], direction: Direction) -> Matrix:
    """A (U, U) matrix with NaN in the cells outside a direction, rows giving and columns receiving.

    `within` keeps what stays in the same text. Special tokens belong to neither text, so that only `all`
    keeps them. ConfigError for another direction.
    """
    if direction not in get_args(Direction):
        raise ConfigError(
            "A direction is one of {directions}; got {direction!r}.",
            directions=", ".join(get_args(Direction)),
            direction=direction,
        )
    sides = np.array([unit.side for unit in units], dtype=np.int64)
    giving, receiving = sides[:, None], sides[None, :]
    if direction == "all":
        return matrix.copy()
    if direction == "within":
        kept = (giving == receiving) & (giving != SPECIAL)
    else:
        first = 0 if direction == "first to second" else 1
        kept = (giving == first) & (receiving == 1 - first)
    return np.where(kept, matrix, np.float32(np.nan))
