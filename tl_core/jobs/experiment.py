"""An experiment, whatever its task: arms x sizes x seeds, checked and planned once; each trial becomes a run.

An arm is one way to train, with settings and a beginning of its own, so that the same strategy may stand
in several. A task adds its own settings of an experiment, and gives rows, fit and score.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from tl_core.errors import ConfigError
from tl_core.knobs import check_knobs, from_values, knob, knobs_of, to_values

TARGET, SOURCE, ZERO_SHOT = "target", "source", "zero_shot"  # roles, as they stand in records
NO_SOURCE = "none"  # of an arm that takes nothing from the experiment's source
MOST_ARMS, MOST_SIZES = 30, 20
LONGEST_NAME, LONGEST_KEY = 60, 24


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train: a strategy with its settings, where it begins, and what it takes over.

    `name` is what the person calls it, '' for the strategy's own title. `start` is an encoder, word vectors or a
    reader, '' for the experiment's; `source` is a run or a shipped source, 'none', or '' for the experiment's.
    """

    strategy: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    start: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One training of an experiment; `name` ends its run's id, `arm` is the key of its arm.

    `role`: `target`; `source`, the source task; or `zero_shot`, the source's model scored on the target. `from_source`
    says whether a target training begins with what the source learned. `seed` counts from 0. `size` is how much is
    learned from, in what the task counts, 0 for all; None in an experiment without sizes.
    """

    name: str
    arm: str
    seed: int = 0
    role: str = TARGET
    from_source: bool = False
    size: int | None = None


class Countable(Protocol):
    def __len__(self) -> int: ...


Data = TypeVar("Data", bound=Countable, covariant=True)


@dataclass(frozen=True, slots=True)
class Parts(Generic[Data]):
    """Parts of the data that one trial learns from, chooses its best epoch by (may be empty), and is scored on."""

    train: Data
    validation: Data
    test: Data


@dataclass(frozen=True, kw_only=True)
class ExperimentConfig(ABC):
    """Config of every task's experiment. Raises ConfigError, naming the setting, for what cannot be.

    With `sizes`, numbers of what is learned from (0: all), every arm is trained on each of them. A subclass says what
    its strategies are, and adds what is its task's own.
    """

    unit: ClassVar[str]  # one thing that is learned from
    plain: ClassVar[tuple[str, ...]] = ()  # fields of its own that are no knobs: names, as text

    arms: tuple[Arm, ...]
    sizes: tuple[int, ...] = ()
    seeds: int = knob(1, "Trainings of every arm; each draws its own rows and new weights.", low=1, high=10)
    test_share: float = knob(
        0.2,
        "Share of the rows held back for the test, if no test file is given.",
        low=0.05,
        high=0.9,
        advanced=True,
    )
    validation_share: float = knob(
        0.15, "Share of the training rows that chooses the best epoch.", low=0.02, high=0.5, advanced=True
    )
    validation_rows: int = knob(
        2_000,
        "Most rows that choose the best epoch; from there on more are better used for learning.",
        low=10,
        high=1_000_000,
        advanced=True,
    )
    split_seed: int = knob(
        0, "Seed of the split into training and test rows.", low=0, high=10**6, advanced=True
    )

    def __post_init__(self) -> None:
        check_knobs(self)
        if not 1 <= len(self.arms) <= MOST_ARMS:
            raise ConfigError(
                "Choose at least one strategy, and at most {most_arms}; got {arms}.",
                most_arms=MOST_ARMS,
                arms=len(self.arms),
            )
        for arm in self.arms:
            if len(arm.name) > LONGEST_NAME:
                raise ConfigError(
                    "The name {arm!r}... is longer than {longest_name} characters.",
                    arm=arm.name[:20],
                    longest_name=LONGEST_NAME,
                )
            self.settings_of(arm)
        twice = [title for title, count in Counter(map(self.title_of, self.arms)).items() if count > 1]
        if twice:
            raise ConfigError("{twice!r} stands twice. Give each a name of its own.", twice=twice[0])
        if any(size < 0 for size in self.sizes) or len(set(self.sizes)) < len(self.sizes):
            raise ConfigError(
                "sizes must be different numbers of {unit}s, 0 for all; got {sizes}.",
                unit=self.unit,
                sizes=list(self.sizes),
            )
        if len(self.sizes) > MOST_SIZES:
            raise ConfigError(
                "sizes must be at most {most_sizes}; got {sizes}.",
                most_sizes=MOST_SIZES,
                sizes=len(self.sizes),
            )
        if problem := self.problem():
            raise ConfigError(problem)

    # what a task says of its own

    def problem(self) -> str:
        """The fault that only this task refuses, as a sentence; '' if nothing."""
        return ""

    @abstractmethod
    def settings_class(self, strategy: str) -> type[Any]:
        """The settings of a strategy; ConfigError for an unknown one."""

    @abstractmethod
    def title_of(self, arm: Arm) -> str:
        """Title of an arm on screen."""

    @abstractmethod
    def plain_key(self, at: int) -> str:
        """The key of the arm at this place that has no name of its own."""

    # what every experiment has

    def settings_of(self, arm: Arm) -> Any:
        """An arm's settings; those not given have their defaults."""
        return from_values(self.settings_class(arm.strategy), arm.settings)

    @cached_property
    def by_key(self) -> Mapping[str, Arm]:
        """The arms by their keys, which stand in the names of runs."""
        keys: dict[str, Arm] = {}
        for at, arm in enumerate(self.arms):
            wanted = key_of_name(arm.name) or self.plain_key(at)
            keys[free_name(wanted, keys)] = arm
        return keys

    def arm(self, key: str) -> Arm:
        """The arm of this key; ConfigError if there is none."""
        try:
            return self.by_key[key]
        except KeyError:
            raise ConfigError(
                "This experiment has no arm {key!r}. It has: {by_key}.",
                key=key,
                by_key=", ".join(self.by_key),
            ) from None

    def to_json(self) -> dict[str, Any]:
        """The whole config as plain JSON, every setting spelt out."""
        return {
            "arms": [
                {
                    "name": arm.name,
                    "strategy": arm.strategy,
                    "start": arm.start,
                    "source": arm.source,
                    "settings": to_values(self.settings_of(arm)),
                }
                for arm in self.arms
            ],
            **{name: getattr(self, name) for name in self.plain},
            "sizes": list(self.sizes),
            **to_values(self),
        }


def trials_by_size(config: ExperimentConfig) -> list[Trial]:
    """Every arm on every size with every seed: few first, so that the curve grows from the left."""
    return [
        Trial(f"{key}-{size or 'all'}-{seed + 1}", key, seed, size=size)
        for size in by_size(config.sizes)
        for seed in range(config.seeds)
        for key in config.by_key
    ]


def key_of_name(name: str) -> str:
    """A person's name for an arm as a run's id may hold it: small letters, digits and hyphens; '' if none is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_KEY].strip("-")


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """The name, or the first of name-2, name-3 and so on that is not taken."""
    names = set(taken)
    return next(
        name for name in (wanted, *(f"{wanted}-{n}" for n in range(2, len(names) + 3))) if name not in names
    )


def by_size(sizes: Sequence[int]) -> list[int]:
    """Sizes from few to many; 0, which takes all, is the last."""
    return sorted(sizes, key=lambda size: (size == 0, size))


# JSON


def fields_from_json(config: type[ExperimentConfig], values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a config from what `to_json` wrote, `arms` and `sizes` among them if they are given.

    ConfigError, naming the setting, for anything else.
    """
    known = {"arms", "sizes", *config.plain, *(setting.name for setting in knobs_of(config))}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            "A config has no setting {unknown}. Download one from the page to see what it has.",
            unknown=", ".join(unknown),
        )
    ready = dict(values)
    if "arms" in ready:
        ready["arms"] = arms_from_json(ready["arms"])
    if "sizes" in ready:
        sizes = ready["sizes"]
        if not isinstance(sizes, list) or not all(type(size) is int for size in sizes):
            raise ConfigError("sizes must be a list of whole numbers; got {sizes!r:.80}.", sizes=sizes)
        ready["sizes"] = tuple(sizes)
    for name in config.plain:
        if not isinstance(ready.get(name, ""), str):
            raise ConfigError("{name} must be text; got {ready!r:.80}.", name=name, ready=ready[name])
    return ready


def arms_from_json(values: object) -> tuple[Arm, ...]:
    """Arms as JSON has them: objects with a strategy and, where wanted, name, start, source and settings."""
    if not isinstance(values, list):
        raise ConfigError("arms must be a list of objects; got {values!r:.80}.", values=values)
    return tuple(arm_from_json(value) for value in values)


def arm_from_json(value: object) -> Arm:
    """One arm; ConfigError, naming the field, for anything else."""
    if not isinstance(value, dict) or not isinstance(value.get("strategy"), str):
        raise ConfigError("An arm is an object with a strategy; got {value!r:.80}.", value=value)
    unknown = sorted(set(value) - {"name", "strategy", "start", "source", "settings"})
    if unknown:
        raise ConfigError(
            "An arm has no field {unknown}. It has: name, strategy, start, source, settings.",
            unknown=", ".join(unknown),
        )
    settings = value.get("settings", {})
    if not isinstance(settings, dict):
        raise ConfigError(
            "The settings of an arm must be an object; got {settings!r:.80}.", settings=settings
        )
    texts = {name: value.get(name, "") for name in ("name", "start", "source")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ConfigError("The {name} of an arm must be text; got {text!r:.80}.", name=name, text=text)
    return Arm(
        value["strategy"],
        settings,
        name=" ".join(texts["name"].split()),
        start=texts["start"].strip(),
        source=texts["source"].strip(),
    )
