"""The plan of a comparison: which trainings it takes, on which rows, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tl_core.data.examples import Examples
from tl_core.data.findings import overlap, without_rows
from tl_core.data.split import sample_per_class, split
from tl_core.errors import ConfigError, DataError
from tl_core.knobs import check_knobs, from_values, knob, knobs_of, to_values
from tl_core.tasks.classify.config import AnyConfig
from tl_core.tasks.classify.fitting import LabelledTexts
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

ROWS_FOR_VALIDATION = 200  # below, holding rows back costs more than it tells
FIELDS = ("strategies", "encoder", "vectors", "source_run", "sizes", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareConfig:
    """Settings of one comparison: strategies side by side, several seeds, one starting point.

    `vectors` names the word vectors that classifiers on words begin with; `source_run` is a finished run's id
    or a shipped source's name. With `sizes`, rows per class (0: all), it is a grid: every strategy is trained
    on each of them.
    """

    strategies: tuple[str, ...] = ("tfidf", "frozen", "lora")
    encoder: str = "minilm"
    vectors: str = "glove"
    source_run: str = ""
    sizes: tuple[int, ...] = ()
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
    test_rows: int = knob(
        0,
        "Test rows that are scored, drawn once in the classes' shares; 0 takes all.",
        low=0,
        high=1_000_000,
        advanced=True,
        label="Test rows (0: all)",
    )
    zero_target: bool = knob(
        True,
        "Where a source has the same labels, score its own model on the test rows as it is.",
        advanced=True,
    )

    def __post_init__(self) -> None:
        check_knobs(self)
        if not self.strategies:
            raise ConfigError("Choose at least one strategy.")
        for name in (*self.strategies, *self.settings):
            strategy(name)
        if any(size < 0 for size in self.sizes) or len(set(self.sizes)) < len(self.sizes):
            raise ConfigError(
                f"sizes must be different numbers of rows per class, 0 for all; got {list(self.sizes)}."
            )
        for name in self.strategies:
            self.config_of(name)

    @property
    def needs_encoder(self) -> bool:
        return any(strategy(name).needs_encoder for name in self.strategies)

    @property
    def needs_vectors(self) -> bool:
        """Whether a strategy begins with pretrained word vectors."""
        return any(strategy(name).needs_vectors(self.config_of(name)) for name in self.strategies)

    def at(self, per_class: int) -> CompareConfig:
        """The same for one size."""
        return replace(self, per_class=per_class, sizes=())

    def config_of(self, name: str) -> AnyConfig:
        """The settings of one strategy; those not given have their defaults."""
        return from_values(strategy(name).config, self.settings.get(name, {}))

    def to_json(self) -> dict[str, Any]:
        """The whole config as plain JSON, every setting spelt out."""
        chosen = {name: to_values(self.config_of(name)) for name in self.strategies}
        return {
            "strategies": list(self.strategies),
            "encoder": self.encoder,
            "vectors": self.vectors,
            "source_run": self.source_run,
            "sizes": list(self.sizes),
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
    if "sizes" in ready:
        ready["sizes"] = _sizes(ready["sizes"])
    for name in ("encoder", "vectors", "source_run"):
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


def size_of(text: str) -> int:
    """Rows of each class as a person writes them: a whole number, or 'all' (0)."""
    if text.strip().lower() == "all":
        return 0
    if not text.strip().isdecimal() or int(text) < 1:
        raise ConfigError(f"Rows of each class must be whole numbers from 1, or all; got {text[:40]!r}.")
    return int(text)


def _sizes(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(each) is int for each in value):
        raise ConfigError(f"sizes must be a list of whole numbers; got {value!r}.")
    return tuple(value)


@dataclass(frozen=True, slots=True)
class Task:
    """The data of one comparison: target rows, a test file if there is one, a source task if there is one."""

    target: Examples
    test: Examples | None = None
    source: Examples | None = None
    title: str = "Comparison"

    def pool(self) -> Examples:
        """The target's rows without those of the test file; DataError if that leaves none."""
        if self.test is None:
            return self.target
        pool = without_rows(self.target, overlap(self.target, self.test))
        if len(self.target) and not len(pool):
            raise DataError(
                f"All {len(self.target):,} training rows stand in the test file too, so none is left to learn from. "
                "Give a test file with other rows, or none."
            )
        return pool


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What a source is to a comparison.

    `task`: it is trained first, in this job. `families` of strategies that it gives something to. `zero`:
    strategies whose source model is also scored on the target as it is, since the labels are the same.
    """

    task: bool = False
    families: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()

    def gives_to(self, name: str) -> bool:
        """Whether the strategy of this name begins with something of the source."""
        return strategy(name).family.name in self.families

    def to_json(self) -> dict[str, Any]:
        return {"task": self.task, "families": list(self.families), "zero": list(self.zero)}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> SourcePlan:
        return SourcePlan(bool(values["task"]), tuple(values["families"]), tuple(values["zero"]))


NO_SOURCE = SourcePlan()


@dataclass(frozen=True, slots=True)
class Cell:
    """One training of a comparison.

    `role`: `target`; `source`, the source task; or `zero`, the source's model scored on the target.
    `from_source` says whether a target training begins with what the source learned. `size` is its rows per
    class in a grid, 0 for all; None outside one.
    """

    strategy: str
    seed: int
    role: str = "target"
    from_source: bool = False
    size: int | None = None

    @property
    def suffix(self) -> str:
        """The end of the run's id, after the job's."""
        if self.role != "target":
            return f"{self.role}-{self.strategy}"
        if self.size is None:
            return f"{self.strategy}-{self.seed + 1}"
        start = "source" if self.from_source else "plain"
        return f"{self.strategy}-{start}-{self.size or 'all'}-{self.seed + 1}"


def cells(config: CompareConfig, source: SourcePlan = NO_SOURCE) -> list[Cell]:
    """The trainings in their order: source task first, then cheap strategies before dear ones, few rows first."""
    order = [each.name for each in STRATEGIES if each.name in config.strategies]
    planned = []
    if source.task:
        named = {source_strategy(name) for name in order if source.gives_to(name)} - {""}
        planned = [Cell(each.name, 0, "source") for each in STRATEGIES if each.name in named]
    planned += [Cell(name, 0, "zero") for name in source.zero]
    by_size: list[int | None] = [*sorted(config.sizes, key=lambda size: size or 10**9)] or [None]
    for name in order:
        for size in by_size:
            for from_source in _starts(config, name, source):
                planned += [
                    Cell(name, seed, from_source=from_source, size=size) for seed in range(config.seeds)
                ]
    return planned


def _starts(config: CompareConfig, name: str, source: SourcePlan) -> tuple[bool, ...]:
    """Whether a strategy begins with the source; a grid trains each one without it as well."""
    if not source.gives_to(name):
        return (False,)
    return (False, True) if config.sizes else (True,)


def source_strategy(name: str) -> str:
    """How the source task is trained for a target strategy; '' for one that takes nothing from a source."""
    return strategy(name).source


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one training: for learning, and for choosing the best epoch."""

    train: LabelledTexts
    validation: LabelledTexts


def test_split(config: CompareConfig, examples: Examples, test: Examples | None) -> tuple[Examples, Examples]:
    """(rows to learn from, test rows): the given test file, or a stratified share of the rows; at most
    the config's `test_rows` of either, drawn once."""
    if test is None:
        examples, test = split(examples, share=config.test_share, seed=config.split_seed)
    if 0 < config.test_rows < len(test):
        test = _drawn(test, config.test_rows, config.split_seed)
    return examples, test


def _drawn(test: Examples, rows: int, seed: int) -> Examples:
    """About `rows` test rows in the classes' shares; where a class has a single one, without regard to classes."""
    try:
        return split(test, share=rows / len(test), seed=seed)[1]
    except DataError:
        return test.take(sorted(np.random.default_rng(seed).permutation(len(test))[:rows].tolist()))


def filled(config: CompareConfig, largest: int) -> CompareConfig:
    """The config with the sizes that can be filled where the most frequent class has `largest` rows to learn from.

    A size that no class has more rows than is all of them: 0 stands for it, once.
    """
    sizes = dict.fromkeys(size if size < largest else 0 for size in config.sizes)
    return replace(config, sizes=tuple(sizes))


def largest_class(pool: Examples) -> int:
    """How many rows the most frequent class has."""
    return max(Counter(pool.labels).values())


def rows_of_seed(config: CompareConfig, pool: Examples, seed: int, classes: tuple[str, ...]) -> Rows:
    """What a seed trains on: every strategy gets the same rows for the same seed."""
    chosen = sample_per_class(pool, config.per_class, seed) if config.per_class else pool
    if len(chosen) < ROWS_FOR_VALIDATION:
        return Rows(labelled(chosen, classes), labelled(chosen.take([]), classes))
    share = min(config.validation_share, config.validation_rows / len(chosen))
    try:
        train, validation = split(chosen, share=share, seed=seed)
    except DataError:  # a class with a single text: it is needed for learning
        train, validation = chosen, chosen.take([])
    return Rows(labelled(train, classes), labelled(validation, classes))


def labelled(examples: Examples, classes: tuple[str, ...]) -> LabelledTexts:
    """Texts with their class indices."""
    index = {label: at for at, label in enumerate(classes)}
    targets = np.array([index[label] for label in examples.labels], dtype=np.int64)
    return LabelledTexts(examples.texts, targets)
