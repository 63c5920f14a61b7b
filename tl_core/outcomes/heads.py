"""Which heads of a classifier are worth something, beyond what chance among so many heads would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_core.encoders.attention.importance import Importance
from tl_core.tasks.intervals import Interval, difference_of
from tl_core.tasks.significance import judge_all


@dataclass(frozen=True, slots=True)
class HeadWorth:
    """What is lost without one head, counted from 1 as in 'layer.head': `lost` of the accuracy, in shares.

    `interval` and `adjusted_p` are paired on the same rows and corrected for all heads of the model (McNemar, Holm);
    `larger_than_chance` says that the interval leaves out 0.
    """

    layer: int
    head: int
    lost: float
    interval: Interval
    adjusted_p: float
    larger_than_chance: bool

    @property
    def name(self) -> str:
        return f"{self.layer}.{self.head}"


def judged_heads(importance: Importance) -> tuple[HeadWorth, ...]:
    """Every head of a model, the most costly to lose first; equal ones keep their order."""
    layers, heads, _ = importance.right_without.shape
    places = [(layer, head) for layer in range(layers) for head in range(heads)]
    judged = judge_all(
        [difference_of(importance.right[None], importance.right_without[place][None]) for place in places]
    )
    worths = [
        HeadWorth(layer + 1, head + 1, each.value, each.interval, each.adjusted_p, each.larger_than_chance)
        for (layer, head), each in zip(places, judged, strict=True)
    ]
    order = np.argsort([-worth.lost for worth in worths], kind="stable")
    return tuple(worths[at] for at in order)


def in_words(worths: tuple[HeadWorth, ...], rows: int, shown: int = 6) -> str:
    """What can be said of single heads: those larger than chance with their intervals, or that none is."""
    clear = [worth for worth in worths if worth.larger_than_chance]
    if not clear:
        return (
            f"Of {len(worths)} heads none can be told from one that costs nothing: {rows:,} rows are too few for single "
            "heads, each corrected for all of them."
        )
    named = [
        f"{worth.name} {100 * worth.lost:+.1f} [{100 * worth.interval.low:.1f}, {100 * worth.interval.high:.1f}]"
        for worth in clear[:shown]
    ]
    more = f", and {len(clear) - shown} more" if len(clear) > shown else ""
    return (
        f"Larger than chance, in points of accuracy lost, corrected for all {len(worths)} heads: {', '.join(named)}{more}. "
        "Any other may cost nothing."
    )
