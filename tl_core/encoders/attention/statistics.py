"""Behaviour of every head on a sample of texts, in numbers and in a name.

The measures are those of Clark et al. 2019 (arXiv 1906.04341, section 3: neighbours, special tokens,
entropy) and Kovaleva et al. 2019 (arXiv 1908.08593, section 4.1: vertical, diagonal, heterogeneous).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tl_core.encoders.attention.maps import Maps
from tl_core.errors import DataError
from tl_core.text.inputs import SPECIAL, ModelInput
from tl_core.text.places import Numbers

UNIFORM_ENTROPY = 0.95  # from here on a head is "uniform"
BROAD_ENTROPY = 0.75  # from here on a head that is nothing else is "broad"
PATTERN_SHARE = (
    0.5  # of attention that makes a head "previous token", "next token", "same token", "special tokens"
)
LOCAL_SHARE = 0.6  # of attention on a token and its two neighbours that makes a head "local"
BEYOND_CHANCE = (
    0.2  # by how much such a share must exceed that of uniform attention, which is large in short texts
)

_MEASURES = ("entropy", "distance", "previous", "following", "same", "special", "largest")
_CHANCES = ("previous", "following", "same", "special")


@dataclass(frozen=True, slots=True, eq=False)
class HeadStatistics:
    """Means over the `rows` tokens of a sample that are no special tokens, (L, H) each.

    `entropy` of a token's attention, 0 (one token gets all) to 1 (all get the same; it is divided by log T);
    `distance` to where it goes, in tokens; its shares, 0 to 1, that go to the `previous`, the `following` and the
    `same` token and to `special` tokens; `largest` is its largest weight. `patterns` names every head, L x H.
    """

    entropy: Numbers
    distance: Numbers
    previous: Numbers
    following: Numbers
    same: Numbers
    special: Numbers
    largest: Numbers
    rows: int
    patterns: tuple[tuple[str, ...], ...]


class HeadStatisticsSum:
    """Collects the statistics of inputs that come one after another."""

    def __init__(self) -> None:
        self.rows = 0
        self._sums: dict[str, Numbers] = {}
        self._chances = dict.fromkeys(_CHANCES, 0.0)

    def add(self, maps: Maps, shown: ModelInput) -> None:
        """Count one input with its maps, (L, H, T, T); DataError for an encoder of another size."""
        sums = _sums(maps, shown)
        for name, measured in sums.items():
            before = self._sums.setdefault(name, np.zeros_like(measured))
            if before.shape != measured.shape:
                raise DataError(
                    "Attention of {shape} layers and heads cannot be added to that of {other_shape}. Keep to one "
                    "encoder.",
                    shape=measured.shape,
                    other_shape=before.shape,
                )
            self._sums[name] = before + measured
        for name, chance in _chances(shown).items():
            self._chances[name] += chance
        self.rows += int((shown.sides != SPECIAL).sum())

    def result(self) -> HeadStatistics:
        """The means so far, and a name for every head; DataError if there was no input."""
        if not self.rows:
            raise DataError("No text was read. Give at least one.")
        means = {name: measured / self.rows for name, measured in self._sums.items()}
        chances = {name: chance / self.rows for name, chance in self._chances.items()}
        layers, heads = means["entropy"].shape
        patterns = tuple(
            tuple(
                pattern({name: float(mean[layer, head]) for name, mean in means.items()}, chances)
                for head in range(heads)
            )
            for layer in range(layers)
        )
        return HeadStatistics(**means, rows=self.rows, patterns=patterns)


def pattern(means: dict[str, float], chances: dict[str, float]) -> str:
    """The name of a head with these means; `chances` are the shares that uniform attention would have.

    "uniform" is a fact and comes first; then "previous token", "next token", "same token" and "special tokens"
    (PATTERN_SHARE), "local" (LOCAL_SHARE), "broad" (BROAD_ENTROPY), the more specific first; "" for none of these.
    """
    if means["entropy"] >= UNIFORM_ENTROPY:
        return "uniform"
    names = {"previous token": "previous", "next token": "following", "same token": "same"}
    names["special tokens"] = "special"
    for name, measure in names.items():
        if _is_marked(means[measure], PATTERN_SHARE, chances[measure]):
            return name
    near = ("previous", "same", "following")
    if _is_marked(
        sum(means[neighbour] for neighbour in near),
        LOCAL_SHARE,
        sum(chances[neighbour] for neighbour in near),
    ):
        return "local"
    return "broad" if means["entropy"] >= BROAD_ENTROPY else ""


def _is_marked(share: float, threshold: float, chance: float) -> bool:
    return share >= max(threshold, chance + BEYOND_CHANCE)


def _sums(maps: Maps, shown: ModelInput) -> dict[str, Numbers]:
    """Each measure, summed over the tokens of one input that are no special tokens: (L, H)."""
    own = np.flatnonzero(shown.sides != SPECIAL)
    special = np.flatnonzero(shown.sides == SPECIAL)
    count, places = len(shown), np.arange(len(own))
    away = np.abs(own[:, None] - np.arange(count)).astype(np.float64)
    behind, ahead = own > 0, own < count - 1
    sums = {name: np.zeros(maps.shape[:2]) for name in _MEASURES}
    for at in np.ndindex(*maps.shape[:2]):  # head by head: maps may be large
        rows = maps[at][own].astype(np.float64)
        sums["entropy"][at] = _entropy(rows)
        sums["distance"][at] = np.vdot(rows, away)
        sums["previous"][at] = rows[places[behind], own[behind] - 1].sum()
        sums["following"][at] = rows[places[ahead], own[ahead] + 1].sum()
        sums["same"][at] = rows[places, own].sum()
        sums["special"][at] = rows[:, special].sum()
        sums["largest"][at] = rows.max(-1).sum()
    return sums


def _entropy(rows: Numbers) -> float:
    """Entropy of rows over T tokens, summed, in units of log T; of a single token it is 0."""
    if rows.shape[-1] < 2:
        return 0.0
    logarithms = np.log(rows, out=np.zeros_like(rows), where=rows > 0)
    return max(0.0, -float(np.vdot(rows, logarithms)) / math.log(rows.shape[-1]))


def _chances(shown: ModelInput) -> dict[str, float]:
    """The shares of uniform attention, summed over the tokens of one input that are no special tokens."""
    own, count = np.flatnonzero(shown.sides != SPECIAL), len(shown)
    return {
        "previous": float((own > 0).sum()) / count,
        "following": float((own < count - 1).sum()) / count,
        "same": len(own) / count,
        "special": len(own) * (count - len(own)) / count,
    }
