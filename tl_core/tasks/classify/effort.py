"""Effort of a strategy's trainings: by rule of thumb, and in seconds once a probe has measured this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAINING_SHARE = 0.85  # of a training's time; the rest is scoring

Lengths = Callable[[Sequence[str], int], NDArray[np.int64]]
Passes = Callable[[Any, int], int]  # settings, training rows -> how often a training goes over them, at most


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates that the probe measured of one strategy: seconds, and bytes at the largest batch.

    `train` and `predict` are seconds a padded token of an encoder, or a character without one; `load` is the loading
    of an encoder, or the fixed part of a training without one; `start` is that of a worker.
    """

    train: float
    predict: float
    load: float
    start: float
    memory: float


@dataclass(frozen=True, slots=True)
class Workload:
    """The texts of `trainings` trainings of one strategy: each learns and scores as many.

    `lengths(texts, most)` counts the tokens of N texts, (N,), cut to `most`; None where no encoder is needed.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    trainings: int
    lengths: Lengths | None


@dataclass(frozen=True, slots=True)
class Effort:
    """Effort of the trainings of a strategy; several strategies may share one.

    `in_loop` says whether the one training loop trains it, so that several processes share the work. `cost(config,
    rows, seed, test_rows)` is what a training and its scoring cost in forward passes of an encoder over a text, by
    rule of thumb; the first seed is 0. `seconds(config, work, rates)` is how long all trainings of a workload take, at
    most. `training_share` is the training's part of a run's progress, 0 for one that tells nothing of it. With
    `whole_table` the probe measures a training on all rows, as one whose time does not grow evenly with them.
    """

    in_loop: bool
    cost: Callable[[Any, int, int, int], float]
    seconds: Callable[[Any, Workload, Rates], float]
    training_share: float = TRAINING_SHARE
    whole_table: bool = False


def light_effort(
    weight: float,
    passes: Passes,
    *,
    in_loop: bool = True,
    training_share: float = TRAINING_SHARE,
    whole_table: bool = False,
) -> Effort:
    """The effort of a strategy without an encoder: a row costs `weight` forward passes of one, time goes by characters."""

    def cost(config: Any, rows: int, seed: int, test_rows: int) -> float:
        return weight * (rows * passes(config, rows) + test_rows) + 1.0

    def seconds(config: Any, work: Workload, rates: Rates) -> float:
        learned = _characters(work.train) * passes(config, len(work.train))
        scored = _characters(work.validation) + _characters(work.test)
        return work.trainings * (rates.load + rates.train * learned + rates.predict * scored)

    return Effort(in_loop, cost, seconds, training_share, whole_table)


def _characters(texts: Sequence[str]) -> int:
    return sum(map(len, texts))
