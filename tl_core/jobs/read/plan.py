"""The plan of a reader's fine-tuning: from which starts, on how many questions, with which seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.data.reading import ReadingSet, split_by_article
from tl_core.errors import ConfigError, DataError
from tl_core.knobs import check_knobs, from_values, knob, knobs_of, to_values
from tl_core.tasks.read.config import ReadConfig

QUESTIONS_FOR_VALIDATION = 200  # below, holding questions back costs more than it tells
MOST_STARTS, MOST_SIZES = 6, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReaderConfig:
    """Settings of one job: every start is trained on every number of questions, with every seed.

    A start is a reader (en, ko, a run's id) or a bare encoder; a size of 0 takes all questions.
    """

    starts: tuple[str, ...] = ("en",)
    sizes: tuple[int, ...] = (0,)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = knob(1, "Trainings of every start and size; each draws its own questions.", low=1, high=10)
    test_share: float = knob(
        0.2,
        "Share of the questions held back for the test, whole articles, if no test file is given.",
        low=0.05,
        high=0.9,
        advanced=True,
    )
    validation_share: float = knob(
        0.1,
        "Share of the training questions that chooses the best epoch, from 200 questions on.",
        low=0.02,
        high=0.5,
        advanced=True,
    )
    validation_questions: int = knob(
        2_000,
        "Most questions that choose the best epoch, up to whole articles.",
        low=10,
        high=1_000_000,
        advanced=True,
    )
    split_seed: int = knob(0, "Seed of the split into training and test.", low=0, high=10**6, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)
        self.read_config()
        if not 1 <= len(self.starts) <= MOST_STARTS or len(set(self.starts)) < len(self.starts):
            raise ConfigError(f"Choose 1 to {MOST_STARTS} different starts; got {list(self.starts)}.")
        good = all(isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in self.sizes)
        if not good or not 1 <= len(self.sizes) <= MOST_SIZES or len(set(self.sizes)) < len(self.sizes):
            raise ConfigError(
                f"sizes must be 1 to {MOST_SIZES} different numbers of questions, 0 for all; got {list(self.sizes)}."
            )

    def read_config(self) -> ReadConfig:
        """The settings of the training itself; those not given have their defaults."""
        return from_values(ReadConfig, self.settings)

    def to_json(self) -> dict[str, Any]:
        """The whole config as plain JSON, every setting spelt out."""
        return {
            "starts": list(self.starts),
            "sizes": list(self.sizes),
            **to_values(self),
            "settings": to_values(self.read_config()),
        }


def train_reader_config(values: object) -> TrainReaderConfig:
    """The config that `to_json` wrote; ConfigError, naming the setting, for anything else."""
    if not isinstance(values, dict):
        raise ConfigError(f"A config is a JSON object with starts, sizes and settings; got {values!r:.80}.")
    known = {"starts", "sizes", "settings", *(each.name for each in knobs_of(TrainReaderConfig))}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(f"A reader's config has no setting {', '.join(unknown)}. It has: {sorted(known)}.")
    ready = dict(values)
    for name in ("starts", "sizes"):
        if name in ready:
            if not isinstance(ready[name], list):
                raise ConfigError(f"{name} must be a list; got {ready[name]!r:.80}.")
            ready[name] = tuple(ready[name])
    if not all(isinstance(each, str) for each in ready.get("starts", ())):
        raise ConfigError(f"starts must be names; got {ready['starts']!r:.80}.")
    if not isinstance(ready.get("settings", {}), dict):
        raise ConfigError("settings must be an object.")
    return TrainReaderConfig(**ready)


@dataclass(frozen=True, slots=True)
class ReadCell:
    """One training: start number `start`, on `size` questions (0: all), with a seed from 0."""

    start: int
    size: int
    seed: int

    @property
    def suffix(self) -> str:
        """The end of the run's id, after the job's."""
        return f"start{self.start + 1}-{self.size or 'all'}-{self.seed + 1}"


def read_cells(config: TrainReaderConfig) -> list[ReadCell]:
    """The trainings in their order: few questions first, so that the curve grows from the left."""
    sizes = sorted(config.sizes, key=lambda size: (size == 0, size))
    return [
        ReadCell(start, size, seed)
        for size in sizes
        for seed in range(config.seeds)
        for start in range(len(config.starts))
    ]


def check_questions(config: TrainReaderConfig, pool: ReadingSet, test: ReadingSet) -> None:
    """DataError if there is nothing to learn from or to measure on, or a size asks for more than there is."""
    if not pool.answerable:
        raise DataError(f"{pool.name} leaves no answerable question to learn from.")
    if not len(test):
        raise DataError(
            f"{pool.name} holds a single passage, so that none can be held back. Give a test file, or more "
            "passages."
        )
    if max(config.sizes) > len(pool):
        raise DataError(
            f"{max(config.sizes)} questions are asked for, but after holding back the test {len(pool)} are left."
        )


def read_split(
    config: TrainReaderConfig, data: ReadingSet, test: ReadingSet | None
) -> tuple[ReadingSet, ReadingSet]:
    """(questions to learn from, test questions): the given test file, or whole articles held back.

    A passage that the test asks about is never learned from.
    """
    if test is None:
        return split_by_article(data, config.test_share, config.split_seed)
    known = {test.passage_of(each) for each in test.questions}
    kept = [at for at, each in enumerate(data.questions) if data.passage_of(each) not in known]
    return data.take(kept), test


def questions_of_cell(
    config: TrainReaderConfig, pool: ReadingSet, cell: ReadCell
) -> tuple[ReadingSet, ReadingSet | None]:
    """(training, validation) of a cell: every start gets the same questions for the same size and seed."""
    chosen = pool
    if cell.size:
        order = np.random.default_rng([cell.seed, 43]).permutation(len(pool))[: cell.size]
        chosen = pool.take(sorted(order.tolist()))
    if len(chosen) < QUESTIONS_FOR_VALIDATION:
        return chosen, None
    share = min(config.validation_share, config.validation_questions / len(chosen))
    return split_by_article(chosen, share, cell.seed)
