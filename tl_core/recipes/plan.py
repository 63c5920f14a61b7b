"""The plan of a comparison: which trainings it takes, on which rows, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tl_core.data.examples import Examples
from tl_core.data.split import sample_per_class, split
from tl_core.errors import ConfigError, DataError
from tl_core.knobs import check_knobs, from_values, knob, knobs_of, to_values
from tl_core.tasks.classify.config import AnyConfig
from tl_core.tasks.classify.fitting import LabelledTexts
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

ROWS_FOR_VALIDATION = 200  # below, holding rows back costs more than it tells
FIELDS = ("strategies", "encoder", "source_run", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """Settings of one comparison: strategies side by side, several seeds, one starting point."""

    strategies: tuple[str, ...] = ("tfidf", "frozen", "lora")
    encoder: str = "minilm"
    source_run: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seeds: int = knob(
        1, "Trainings of every strategy; each draws its own rows and new weights.", low=1, high=10
    )
    per_class: int = knob(
        0, "Training rows of each class; 0 takes all.", low=0, high=1_000_000, label="Rows per class (0: all)"
    )
    test_share: float = knob(
        0.2,
        "Share of the rows held back for the test, if no test file is given.",
        low=0.05,
        high=0.9,
        advanced=True,
    )
    validation_share: float = knob(
        0.15, "Share of the training rows that chooses the best epoch.", low=0.05, high=0.5, advanced=True
    )
    split_seed: int = knob(
        0, "Seed of the split into training and test rows.", low=0, high=10**6, advanced=True
    )

    def __post_init__(self) -> None:
        check_knobs(self)
        if not self.strategies:
            raise ConfigError("Choose at least one strategy.")
        for name in (*self.strategies, *self.settings):
            strategy(name)
        for name in self.strategies:
            self.config_of(name)

    @property
    def needs_encoder(self) -> bool:
        return any(strategy(name).needs_encoder for name in self.strategies)

    def config_of(self, name: str) -> AnyConfig:
        """The settings of one strategy; those not given have their defaults."""
        return from_values(strategy(name).config, self.settings.get(name, {}))

    def to_json(self) -> dict[str, Any]:
        """The whole config as plain JSON, every setting spelt out."""
        chosen = {name: to_values(self.config_of(name)) for name in self.strategies}
        return {
            "strategies": list(self.strategies),
            "encoder": self.encoder,
            "source_run": self.source_run,
            **to_values(self),
            "settings": chosen,
        }


def config_from_json(values: object) -> CompareConfig:
    """The config that `to_json` wrote; ConfigError, naming the setting, for anything else."""
    if not isinstance(values, dict):
        raise ConfigError(
            f"A config is a JSON object with strategies, encoder and settings; got {type(values).__name__}."
        )
    unknown = sorted(set(values) - {*FIELDS, *(each.name for each in knobs_of(CompareConfig))})
    if unknown:
        raise ConfigError(
            f"A config has no setting {', '.join(unknown)}. Download one from the page to see what it has."
        )
    ready = dict(values)
    if "strategies" in ready:
        ready["strategies"] = _texts(ready["strategies"], "strategies")
    for name in ("encoder", "source_run"):
        if not isinstance(ready.get(name, ""), str):
            raise ConfigError(f"{name} must be text; got {ready[name]!r}.")
    settings = ready.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(each, dict) for each in settings.values()):
        raise ConfigError("settings must be an object with one object for each strategy.")
    return CompareConfig(**ready)


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ConfigError(f"{name} must be a list of names; got {value!r}.")
    return tuple(value)


@dataclass(frozen=True, slots=True)
class Task:
    """The data of one comparison: target rows, a test file if there is one, a source task if there is one."""

    target: Examples
    test: Examples | None = None
    source: Examples | None = None
    title: str = "Comparison"


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a comparison: a strategy with a seed, on the target or the source task."""

    strategy: str
    seed: int
    role: str = "target"

    @property
    def suffix(self) -> str:
        """The end of the run's id, after the job's."""
        return f"source-{self.strategy}" if self.role == "source" else f"{self.strategy}-{self.seed + 1}"


def cells(config: CompareConfig, *, with_source: bool) -> list[Cell]:
    """The trainings in their order: source task first, then cheap strategies before dear ones."""
    order = [each.name for each in STRATEGIES if each.name in config.strategies]
    source = sorted({source_strategy(name) for name in order} - {""}) if with_source else []
    planned = [Cell(name, 0, "source") for name in source]
    return planned + [Cell(name, seed) for name in order for seed in range(config.seeds)]


def source_strategy(name: str) -> str:
    """How the source task is trained for a target strategy: full for full, LoRA for frozen and LoRA."""
    row = strategy(name)
    if not row.needs_encoder:
        return ""
    return "full" if name == "full" else "lora"


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one training: for learning, and for choosing the best epoch."""

    train: LabelledTexts
    validation: LabelledTexts


def test_split(config: CompareConfig, examples: Examples, test: Examples | None) -> tuple[Examples, Examples]:
    """(rows to learn from, test rows): the given test file, or a stratified share of the rows."""
    if test is not None:
        return examples, test
    return split(examples, share=config.test_share, seed=config.split_seed)


def rows_of_seed(config: CompareConfig, pool: Examples, seed: int, classes: tuple[str, ...]) -> Rows:
    """What a seed trains on: every strategy gets the same rows for the same seed."""
    chosen = sample_per_class(pool, config.per_class, seed) if config.per_class else pool
    if len(chosen) < ROWS_FOR_VALIDATION:
        return Rows(labelled(chosen, classes), labelled(chosen.take([]), classes))
    try:
        train, validation = split(chosen, share=config.validation_share, seed=seed)
    except DataError:  # a class with a single text: it is needed for learning
        train, validation = chosen, chosen.take([])
    return Rows(labelled(train, classes), labelled(validation, classes))


def labelled(examples: Examples, classes: tuple[str, ...]) -> LabelledTexts:
    """Texts with their class indices."""
    index = {label: at for at, label in enumerate(classes)}
    targets = np.array([index[label] for label in examples.labels], dtype=np.int64)
    return LabelledTexts(examples.texts, targets)
