"""A classification experiment: its settings, which trials it takes, on which rows, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from tl_core.data.examples import Examples
from tl_core.data.findings import overlap, without_rows
from tl_core.data.split import sample_per_class, split
from tl_core.errors import ConfigError, DataError
from tl_core.jobs.experiment import (
    NO_SOURCE,
    SOURCE,
    TARGET,
    ZERO_SHOT,
    Arm,
    ExperimentConfig,
    Trial,
    by_size,
    fields_from_json,
    free_name,
)
from tl_core.knobs import from_values, knob, to_values
from tl_core.tasks.classify.config import AnyConfig
from tl_core.tasks.classify.fitting import LabelledTexts
from tl_core.tasks.classify.strategies import place_of_strategy, strategy

ROWS_FOR_VALIDATION = 200  # below, holding rows back costs more than it tells
USUAL = ("tfidf", "frozen", "lora")


@dataclass(frozen=True, kw_only=True)
class ClassifyExperiment(ExperimentConfig):
    """Settings of a classification experiment: strategies side by side, several seeds, one starting point.

    `vectors` names the word vectors that classifiers on words begin with; `source_run` is a finished run's id
    or a shipped source's name. Sizes are rows of each class.
    """

    unit: ClassVar[str] = "row"
    plain: ClassVar[tuple[str, ...]] = ("encoder", "vectors", "source_run")

    arms: tuple[Arm, ...] = tuple(Arm(name) for name in USUAL)
    encoder: str = "minilm"
    vectors: str = "glove"
    source_run: str = ""
    seeds: int = knob(
        0,
        "Trainings of every arm; each draws its own rows and new weights. 0 goes by what one costs: 5 where the longest "
        "takes under 5 seconds, 3 under a minute, else 1.",
        low=0,
        high=10,
        label="Seeds (0: by cost)",
    )
    per_class: int = knob(
        0, "Training rows of each class; 0 takes all.", low=0, high=1_000_000, label="Rows per class (0: all)"
    )
    test_rows: int = knob(
        0,
        "Test rows that are scored, drawn once in the classes' shares; 0 takes all.",
        low=0,
        high=1_000_000,
        advanced=True,
        label="Test rows (0: all)",
    )
    class_weights: str = knob(
        "none",
        "balanced lets every class count alike in what is learned, whatever the number of its rows: for macro-F1 where "
        "classes are unequal. none lets every row count alike: for accuracy.",
        choices=("none", "balanced"),
        advanced=True,
    )
    zero_target: bool = knob(
        True,
        "Where a source has the same labels, score its own model on the test rows as it is.",
        advanced=True,
    )

    def settings_class(self, strategy_name: str) -> type[AnyConfig]:
        return strategy(strategy_name).config

    def title_of(self, arm: Arm) -> str:
        return arm.name or strategy(arm.strategy).title

    def plain_key(self, at: int) -> str:
        return self.arms[at].strategy

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies of the arms, each once."""
        return tuple(dict.fromkeys(arm.strategy for arm in self.arms))

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that arms begin with, each once."""
        starts = (arm.start or self.encoder for arm in self.arms if strategy(arm.strategy).needs_encoder)
        return tuple(dict.fromkeys(starts))

    @property
    def needs_encoder(self) -> bool:
        return bool(self.encoders)

    @property
    def word_vectors(self) -> tuple[str, ...]:
        """The word vectors that arms begin with, each once."""
        starts = (self.vectors_of(arm) for arm in self.arms if self._needs_vectors(arm))
        return tuple(dict.fromkeys(starts))

    def _needs_vectors(self, arm: Arm) -> bool:
        return strategy(arm.strategy).needs_vectors(self.settings_of(arm))

    def vectors_of(self, arm: Arm) -> str:
        """The name of the word vectors that an arm on words is given."""
        return arm.start or self.vectors

    @property
    def own_sources(self) -> tuple[str, ...]:
        """The sources that arms name for themselves, each once."""
        return tuple(dict.fromkeys(arm.source for arm in self.arms if arm.source not in ("", NO_SOURCE)))

    def at(self, per_class: int) -> ClassifyExperiment:
        """The same for one size."""
        return replace(self, per_class=per_class, sizes=())


def of_strategies(
    strategies: Sequence[str] = USUAL,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    **changes: Any,
) -> ClassifyExperiment:
    """An experiment with one arm for each strategy; `settings` are those of each, by its name."""
    given = settings or {}
    return ClassifyExperiment(arms=tuple(Arm(name, given.get(name, {})) for name in strategies), **changes)


def config_from_json(values: object) -> ClassifyExperiment:
    """The config that `to_json` wrote, also an earlier version's with `strategies` and their `settings`.

    ConfigError, naming the setting, for anything else.
    """
    if not isinstance(values, dict):
        raise ConfigError(
            "A config is a JSON object with arms and encoder; got {name}.", name=type(values).__name__
        )
    return ClassifyExperiment(**fields_from_json(ClassifyExperiment, _with_arms(values)))


def _with_arms(values: dict[str, Any]) -> dict[str, Any]:
    """The same with arms for the strategies and their settings."""
    if not {"strategies", "settings"} & set(values):
        return values
    if "arms" in values:
        raise ConfigError("A config names either arms, or strategies with their settings, not both.")
    names = values.get("strategies", list(USUAL))
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise ConfigError("strategies must be a list of names; got {names!r}.", names=names)
    settings = values.get("settings", {})
    if not isinstance(settings, dict) or not all(isinstance(setting, dict) for setting in settings.values()):
        raise ConfigError("settings must be an object with one object for each strategy.")
    for name in {*names, *settings}:
        strategy(name)
    arms = [{"strategy": name, "settings": settings.get(name, {})} for name in dict.fromkeys(names)]
    return {"arms": arms} | {
        name: of for name, of in values.items() if name not in ("strategies", "settings")
    }


def size_of(text: str) -> int:
    """Rows of each class as a person writes them: a whole number, or 'all' (0)."""
    if text.strip().lower() == "all":
        return 0
    if not text.strip().isdecimal() or int(text) < 1:
        raise ConfigError(
            "Rows of each class must be whole numbers from 1, or all; got {text!r}.", text=text[:40]
        )
    return int(text)


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
                "All {target:,} training rows{or_groups} stand in the test file too, so none is left to learn from. "
                "Give a test file with other rows, or none.",
                target=len(self.target),
                or_groups=", or their groups," if self.target.groups else "",
            )
        return pool


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What sources are to an experiment.

    `task`: the source task is trained first, in this job. `families` of strategies that the experiment's source gives
    something to. `zero`: which of its models are also scored on the target as they are, since the labels are the same.
    `own`: the families that each source of single arms gives to, by its name.
    """

    task: bool = False
    families: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def gives_to(self, arm: Arm) -> bool:
        """Whether an arm begins with something of its source."""
        if arm.source == NO_SOURCE:
            return False
        families = self.own.get(arm.source, ()) if arm.source else self.families
        return strategy(arm.strategy).family.name in families


WITHOUT_SOURCE = SourcePlan()


def trials(config: ClassifyExperiment, source: SourcePlan = WITHOUT_SOURCE) -> list[Trial]:
    """The trials in their order: source task first, then cheap strategies before dear ones, few rows first."""
    planned = []
    if source.task:
        planned = [Trial(f"{SOURCE}-{key}", key, role=SOURCE) for key in source_arms(config, source)]
    planned += [Trial(f"zero-{key}", key, role=ZERO_SHOT) for key in source.zero]
    sizes: list[int | None] = [*by_size(config.sizes)] or [None]
    for key, arm in sorted(config.by_key.items(), key=lambda item: place_of_strategy(item[1].strategy)):
        for size in sizes:
            for from_source in _starts(config, arm, source):
                for seed in range(config.seeds or 1):  # 0 was not settled by cost
                    name = _trial_name(key, seed, from_source, size)
                    planned.append(Trial(name, key, seed, from_source=from_source, size=size))
    return planned


def _trial_name(key: str, seed: int, from_source: bool, size: int | None) -> str:
    if size is None:
        return f"{key}-{seed + 1}"
    return f"{key}-{'source' if from_source else 'plain'}-{size or 'all'}-{seed + 1}"


def _starts(config: ClassifyExperiment, arm: Arm, source: SourcePlan) -> tuple[bool, ...]:
    """Whether an arm begins with its source; with sizes each one is trained without it as well."""
    if not source.gives_to(arm):
        return (False,)
    return (False, True) if config.sizes else (True,)


def source_arms(config: ClassifyExperiment, source: SourcePlan) -> dict[str, Arm]:
    """How the source task is trained, by key: once for all arms that take over the same."""
    made: dict[str, Arm] = {}
    needed = [source_arm(config, arm) for arm in config.arms if source.gives_to(arm) and not arm.source]
    for arm in sorted(needed, key=lambda arm: place_of_strategy(arm.strategy)):
        if arm not in made.values():
            made[free_name(arm.strategy, made)] = arm
    return made


def source_arm(config: ClassifyExperiment, arm: Arm) -> Arm:
    """How the source task is trained for an arm: with its own settings, or those of the arm whose strategy that is."""
    name = strategy(arm.strategy).source
    alike = [each for each in config.arms if each.strategy == name and each.start == arm.start]
    settings = arm.settings if arm.strategy == name else alike[0].settings if alike else {}
    return Arm(name, to_values(from_values(strategy(name).config, settings)), start=arm.start)


def source_key(config: ClassifyExperiment, source: SourcePlan, arm: Arm) -> str:
    """The key of the source's training that an arm takes over."""
    wanted = source_arm(config, arm)
    return next(key for key, made in source_arms(config, source).items() if made == wanted)


def arm_of(config: ClassifyExperiment, source: SourcePlan, trial: Trial) -> Arm:
    """The arm of a trial; of the source task its own, and of a source from elsewhere one without settings."""
    if trial.role == TARGET:
        return config.arm(trial.arm)
    return source_arms(config, source)[trial.arm] if source.task else Arm(trial.arm)


def expected_key(trial: Trial) -> str:
    """Under which name the seconds of a trial are estimated: its arm's, or that of the source's training."""
    return trial.arm if trial.role == TARGET else f"{SOURCE}-{trial.arm}"


def test_split(
    config: ClassifyExperiment, examples: Examples, test: Examples | None
) -> tuple[Examples, Examples]:
    """(rows to learn from, test rows): the given test file, or a stratified share of the rows; at most
    the config's `test_rows` of either, drawn once."""
    if test is None:
        examples, test = split(examples, share=config.test_share, seed=config.split_seed)
    if 0 < config.test_rows < len(test):
        test = _drawn(test, config.test_rows, config.split_seed)
    return examples, test


def _drawn(test: Examples, rows: int, seed: int) -> Examples:
    """About `rows` test rows in the classes' shares; where a class has a single one, without regard to classes."""
    test = replace(test, groups=())  # all of it is held back: groups need not stay whole
    try:
        return split(test, share=rows / len(test), seed=seed)[1]
    except DataError:
        return test.take(sorted(np.random.default_rng(seed).permutation(len(test))[:rows].tolist()))


def filled(config: ClassifyExperiment, largest: int) -> ClassifyExperiment:
    """The config with the sizes that can be filled where the most frequent class has `largest` rows to learn from.

    A size that no class has more rows than is all of them: 0 stands for it, once.
    """
    sizes = dict.fromkeys(size if size < largest else 0 for size in config.sizes)
    return replace(config, sizes=tuple(sizes))


def largest_class(pool: Examples) -> int:
    """How many rows the most frequent class has."""
    return max(Counter(pool.labels).values())


def rows_of_seed(
    config: ClassifyExperiment, pool: Examples, seed: int, classes: tuple[str, ...]
) -> tuple[LabelledTexts, LabelledTexts]:
    """(rows to learn from, rows to choose the epoch by) of a seed: the same for every arm."""
    chosen = sample_per_class(pool, config.per_class, seed) if config.per_class else pool
    if len(chosen) < ROWS_FOR_VALIDATION:
        return labelled(chosen, classes), labelled(chosen.take([]), classes)
    share = min(config.validation_share, config.validation_rows / len(chosen))
    try:
        train, validation = split(chosen, share=share, seed=seed)
    except DataError:  # a class with a single text: it is needed for learning
        train, validation = chosen, chosen.take([])
    return labelled(train, classes), labelled(validation, classes)


def labelled(examples: Examples, classes: tuple[str, ...]) -> LabelledTexts:
    """Texts with their class indices."""
    index = {label: at for at, label in enumerate(classes)}
    targets = np.array([index[label] for label in examples.labels], dtype=np.int64)
    return LabelledTexts(examples.texts, targets)
