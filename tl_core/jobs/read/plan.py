"""A reading experiment: from which starts, on how many questions, with which seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tl_core.data.reading import ReadingSet, split_by_article
from tl_core.errors import ConfigError, DataError
from tl_core.jobs.experiment import Arm, ExperimentConfig, Trial, fields_from_json
from tl_core.knobs import from_values, knob
from tl_core.tasks.read.config import ReadConfig

QUESTIONS_FOR_VALIDATION = 200  # below, holding questions back costs more than it tells
METHODS = ("lora", "full")


@dataclass(frozen=True, kw_only=True)
class ReadExperiment(ExperimentConfig):
    """Settings of a reading experiment: every arm is trained on every number of questions, with every seed.

    An arm's strategy is a method of `ReadConfig`. It begins with its source, a reader (en, ko, a run's id), or else
    with its start, which may be one too, or a bare encoder. Sizes are questions.
    """

    unit: ClassVar[str] = "question"

    arms: tuple[Arm, ...] = (Arm("lora", start="en"),)
    sizes: tuple[int, ...] = (0,)
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
    validation_rows: int = knob(
        2_000,
        "Most questions that choose the best epoch, up to whole articles.",
        low=10,
        high=1_000_000,
        advanced=True,
        label="Validation questions",
    )

    def problem(self) -> str:
        if not self.sizes:
            return "sizes must name at least one number of questions, 0 for all."
        if not all(map(begins_with, self.arms)):
            return "Every arm of a reader needs a start: a reader, a run or an encoder."
        return ""

    def settings_class(self, strategy: str) -> type[ReadConfig]:
        if strategy not in METHODS:
            raise ConfigError(
                "There is no way {strategy!r} to train a reader. There are: {methods}.",
                strategy=strategy,
                methods=", ".join(METHODS),
            )
        return ReadConfig

    def settings_of(self, arm: Arm) -> ReadConfig:
        given = {**arm.settings, "method": arm.strategy}
        return from_values(self.settings_class(arm.strategy), given)

    def title_of(self, arm: Arm) -> str:
        return arm.name or begins_with(arm)

    def plain_key(self, at: int) -> str:
        return f"start{at + 1}"


def begins_with(arm: Arm) -> str:
    """The name of what an arm begins with."""
    return arm.source or arm.start


def of_starts(
    starts: Sequence[str], settings: Mapping[str, Any] | None = None, **changes: Any
) -> ReadExperiment:
    """An experiment with one arm for each start, all with the same settings of `ReadConfig`."""
    given = dict(settings or {})
    method = str(given.get("method", ReadConfig().method))
    return ReadExperiment(arms=tuple(Arm(method, given, start=start) for start in starts), **changes)


def read_config_from_json(values: object) -> ReadExperiment:
    """The config that `to_json` wrote, also an earlier version's with `starts` and their common `settings`.

    ConfigError, naming the setting, for anything else.
    """
    if not isinstance(values, dict):
        raise ConfigError("A config is a JSON object with arms and sizes; got {values!r:.80}.", values=values)
    return ReadExperiment(**fields_from_json(ReadExperiment, _with_arms(values)))


def _with_arms(values: dict[str, Any]) -> dict[str, Any]:
    """The same with arms for the starts, and its fields as they are called now."""
    if not {"starts", "settings", "validation_questions"} & set(values):
        return values
    if "arms" in values and {"starts", "settings"} & set(values):
        raise ConfigError("A config names either arms, or starts with their settings, not both.")
    starts, settings = values.get("starts", ["en"]), values.get("settings", {})
    if not isinstance(starts, list) or not all(isinstance(start, str) for start in starts):
        raise ConfigError("starts must be a list of names; got {starts!r:.80}.", starts=starts)
    if not isinstance(settings, dict):
        raise ConfigError("settings must be an object.")
    method = settings.get("method", ReadConfig().method)
    arms = [{"strategy": method, "settings": settings, "start": start} for start in starts]
    known = {"validation_questions": "validation_rows"}
    rest = {known.get(name, name): of for name, of in values.items() if name not in ("starts", "settings")}
    return {"arms": arms} | rest


def check_questions(config: ReadExperiment, pool: ReadingSet, test: ReadingSet) -> None:
    """DataError if there is nothing to learn from or to measure on, or a size asks for more than there is."""
    if not pool.answerable:
        raise DataError("{pool} leaves no answerable question to learn from.", pool=pool.name)
    if not len(test):
        raise DataError(
            "{pool} holds a single passage, so that none can be held back. Give a test file, or more "
            "passages.",
            pool=pool.name,
        )
    if max(config.sizes) > len(pool):
        raise DataError(
            "{sizes} questions are asked for, but after holding back the test {pool} are left.",
            sizes=max(config.sizes),
            pool=len(pool),
        )


def read_split(
    config: ReadExperiment, data: ReadingSet, test: ReadingSet | None
) -> tuple[ReadingSet, ReadingSet]:
    """(questions to learn from, test questions): the given test file, or whole articles held back.

    A passage that the test asks about is never learned from.
    """
    if test is None:
        return split_by_article(data, config.test_share, config.split_seed)
    known = {test.passage_of(question) for question in test.questions}
    kept = [at for at, question in enumerate(data.questions) if data.passage_of(question) not in known]
    return data.take(kept), test


def questions_of_trial(
    config: ReadExperiment, pool: ReadingSet, trial: Trial
) -> tuple[ReadingSet, ReadingSet]:
    """(training, validation) of a trial: every arm gets the same questions for the same size and seed."""
    chosen = pool
    if trial.size:
        order = np.random.default_rng([trial.seed, 43]).permutation(len(pool))[: trial.size]
        chosen = pool.take(sorted(order.tolist()))
    if len(chosen) < QUESTIONS_FOR_VALIDATION:
        return chosen, chosen.take([])
    share = min(config.validation_share, config.validation_rows / len(chosen))
    return split_by_article(chosen, share, trial.seed)
