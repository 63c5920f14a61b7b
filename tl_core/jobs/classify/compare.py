"""Train several strategies on one labelled table, several seeds each, and score them on the same rows.

Submitting checks everything that can be checked, writes the rows into the job's folder and
starts a worker; the worker trains trial by trial. A finished trial is never trained again, an
interrupted one goes on from its checkpoint.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.catalog.vector_sets import open_vectors
from tl_core.convert import from_json, to_json
from tl_core.data.examples import Examples, read_examples, write_examples
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import EncoderBase, find_encoder
from tl_core.errors import ModelError
from tl_core.jobs.classify.encoder_trial import TRIED
from tl_core.jobs.classify.estimate import estimate, start_of_arm
from tl_core.jobs.classify.plan import (
    ClassifyExperiment,
    SourcePlan,
    Task,
    arm_of,
    config_from_json,
    expected_key,
    labelled,
    rows_of_seed,
    source_key,
    trials,
)
from tl_core.jobs.classify.prepare import Prepared, prepare, source_split
from tl_core.jobs.classify.source_plan import (
    IN_TEST,
    LEFT_OUT,
    rows_learned_before,
)
from tl_core.jobs.experiment import NO_SOURCE, SOURCE, TARGET, ZERO_SHOT, Arm, Parts, Trial
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import submit_job
from tl_core.jobs.work import ExperimentWork
from tl_core.runs.records import CLASSIFY
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.fitting import (
    Classifier,
    FitInput,
    FittedClassifier,
    LabelledTexts,
    Probabilities,
    check_classes,
)
from tl_core.tasks.classify.forms import ENCODER, Family
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.classify.strategies import Strategy, strategy
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.training.events import Training

SOURCE_MODEL = "source_model"
PREDICTIONS = "predictions.npy"


def submit_comparison(store: Store, config: ClassifyExperiment, task: Task, *, processes: int = 1) -> Job:
    """Check and write a comparison, start its worker, and give the job back at once.

    Raises DataError, ConfigError, ModelError or RunError if it could not be trained.
    """
    return submit_prepared(store, prepare(store, config, task), processes=processes)


def submit_prepared(store: Store, prepared: Prepared, *, processes: int = 1) -> Job:
    """The same for what `prepare` gave."""
    config, sources = prepared.config, prepared.sources
    for arm in config.arms:
        start_of_arm(store.settings, prepared, arm)
    for name in config.word_vectors:
        open_vectors(store, name)
    known = estimate(store, prepared, probe=False)
    about = {
        "source": to_json(prepared.plan),
        "expected": known.by_arm if known else {},
        LEFT_OUT: prepared.left_out,
        TRIED: [to_json(trial) for trial in prepared.tried],
        IN_TEST: rows_learned_before(store, sources.values(), prepared.test),
    }

    def write_data(folder: Path) -> None:
        write_examples(folder / "train.jsonl", prepared.pool)
        write_examples(folder / "test.jsonl", prepared.test)
        if prepared.source_rows is not None:
            write_examples(folder / "source.jsonl", prepared.source_rows)
        for name, source in sources.items():
            for family, place in source.models.items():
                shutil.copytree(place, folder / source_folder(config, name) / family)

    values = {"comparison": config.to_json(), **about}
    kind = "grid" if config.sizes else "compare"
    return submit_job(store, kind, prepared.title, values, write_data, processes=processes)


def source_folder(config: ClassifyExperiment, name: str) -> str:
    """Where in the job's data the models of a source lie: that of the experiment ('') or one that arms name."""
    return f"{SOURCE_MODEL}_{config.own_sources.index(name) + 1}" if name else SOURCE_MODEL


# in the worker


def run_comparison(store: Store, job: Job) -> None:
    """Train and score every trial of the job; raises RunError at the end if some failed."""
    CompareWork(store, job).run_trials()


@dataclass(frozen=True, slots=True)
class ClassParts(Parts[LabelledTexts]):
    """The rows of a trial, the C classes that their targets count, and the most frequent one to learn from."""

    classes: tuple[str, ...]
    majority: int


class CompareWork(ExperimentWork[LabelledTexts]):
    """One classification experiment at work."""

    task = CLASSIFY
    config: ClassifyExperiment

    def prepare(self) -> None:
        self.config = config_from_json(self.job.record.config["comparison"])
        data = self.job.folder / "data"
        self.pool, self.test = read_examples(data / "train.jsonl"), read_examples(data / "test.jsonl")
        self.plan = from_json(SourcePlan, self.job.record.config["source"])
        source = read_examples(data / "source.jsonl") if self.plan.task else None
        self.source = source_split(self.config, source) if source is not None else None
        self.trials = trials(self.config, self.plan)

    def needs(self) -> Sequence[str]:
        """The encoders alone: models of sources were copied to the job, and stand on one of them."""
        return self.config.encoders

    def make_progress(self, weights: dict[str, float]) -> JobProgress:
        """Trials weigh what the probe measured, in seconds; without a probe, what they cost by rule of thumb."""
        expected: dict[str, float] = self.job.record.config["expected"]
        groups = {trial.name: expected_key(trial) for trial in self.trials}
        totals: dict[str, float] = {}
        for name, group in groups.items():
            totals[group] = totals.get(group, 0.0) + weights[name]
        in_seconds = set(totals) <= set(expected)
        if in_seconds:
            weights = {
                name: expected[group] * weights[name] / totals[group] for name, group in groups.items()
            }
        return JobProgress(self.job.folder / "progress.json", weights, in_seconds)

    def arm_of(self, trial: Trial) -> Arm:
        return arm_of(self.config, self.plan, trial)

    def _strategy(self, trial: Trial) -> Strategy:
        return strategy(self.arm_of(trial).strategy)

    def is_shared(self, trial: Trial) -> bool:
        return trial.role != ZERO_SHOT and self._strategy(trial).in_loop

    def title(self, trial: Trial) -> str:
        """Which training it is, for the person who waits."""
        roles = {SOURCE: "source task", ZERO_SHOT: "the source's model as it is"}
        parts = [self.config.title_of(self.arm_of(trial)), roles.get(trial.role, f"seed {trial.seed + 1}")]
        if trial.size is not None:
            parts.insert(1, f"{trial.size:,} rows a class" if trial.size else "all rows")
            parts += ["from the source"] if trial.from_source else []
        return ", ".join(parts)

    def parts(self, trial: Trial) -> ClassParts:
        pool, test = self._examples(trial)
        if trial.role == ZERO_SHOT:
            classes = load_classifier(self._model_of_source(trial), self.store.settings).classes
            none = labelled(test.take([]), classes)
            learned = labelled(pool, classes).targets
            return ClassParts(none, none, labelled(test, classes), classes, _most_frequent(learned))
        classes = tuple(sorted({*pool.classes, *test.classes}))
        train, validation = rows_of_seed(self._config(trial), pool, trial.seed, classes)
        return ClassParts(train, validation, labelled(test, classes), classes, _most_frequent(train.targets))

    def training(self, trial: Trial, folder: Path, parts: Parts[LabelledTexts]) -> Training[FittedClassifier]:
        assert isinstance(parts, ClassParts)
        check_classes(parts.classes, parts.train)
        arm, row = self.arm_of(trial), self._strategy(trial)
        settings = self.config.settings_of(arm)
        context = TrainingContext(self.store.settings, trial.seed, control=self.control(folder))
        if row.needs_encoder:
            context = replace(context, start=self._start(trial))
        elif row.family.on_words:
            vectors = self.config.vectors_of(arm)
            context = replace(
                context,
                words=WordStart(
                    open_vectors(self.store, vectors) if row.needs_vectors(settings) else None,
                    self._model_of_source(trial) if trial.from_source else None,
                ),
            )
        balanced = self.config.class_weights == "balanced"
        given = FitInput(context, parts.classes, parts.train, parts.validation, settings, balanced)
        return (yield from row.fit(given))

    def scoring(self, trial: Trial, folder: Path, parts: Parts[LabelledTexts]) -> Training[dict[str, Any]]:
        assert isinstance(parts, ClassParts)
        saved = load_classifier(folder / "model", self.store.settings)
        probabilities = yield from self._predict(trial, saved, parts.test.texts)
        np.save(folder / PREDICTIONS, probabilities.astype(np.float32), allow_pickle=False)
        report = score(probabilities, parts.test.targets, parts.classes, majority=parts.majority)
        return {"report": to_json(report), "classes": parts.classes}

    def _predict(self, trial: Trial, saved: Classifier, texts: tuple[str, ...]) -> Training[Probabilities]:
        """What the saved model says; trainings may share what they compute of the test rows."""
        own = self._strategy(trial).predict
        if (
            own is None or trial.role == ZERO_SHOT
        ):  # a source's own model was trained with settings of its own
            return (yield from saved.predict_events(texts))
        settings = self.config.settings_of(self.arm_of(trial))
        return (yield from own(saved, texts, settings, self.store.settings))

    def _examples(self, trial: Trial) -> tuple[Examples, Examples]:
        """(rows to learn from, rows to score on) of a trial; the source task holds back a part of its own."""
        if trial.role != SOURCE:
            return self.pool, self.test
        assert self.source is not None
        return self.source

    def _config(self, trial: Trial) -> ClassifyExperiment:
        """The experiment with the trial's number of rows; a source task is trained once, on all it does not hold back."""
        if trial.role == SOURCE:
            return self.config.at(0)
        return self.config if trial.size is None else self.config.at(trial.size)

    def copied_model(self, trial: Trial) -> Path | None:
        """The source's own model is scored on the target's test rows as it is: no row of the target was learned."""
        return self._model_of_source(trial) if trial.role == ZERO_SHOT else None

    def copied_elsewhere(self, trial: Trial) -> bool:
        return trial.role == ZERO_SHOT and not self.plan.task

    def _start(self, trial: Trial) -> StartingPoint:
        """Where a trial on an encoder begins: the source's model, or the bare encoder under it."""
        if trial.from_source:
            return read_starting_point(self._model_of_source(trial))
        return StartingPoint(self._base(trial))

    def _base(self, trial: Trial) -> EncoderBase:
        """The bare encoder of a trial: the arm's own, or that under the source, or the experiment's."""
        arm = self.arm_of(trial)
        copied = self._copied_encoder(arm)
        if copied is not None:
            return read_starting_point(copied).base
        return find_encoder(arm.start or self.config.encoder, self.store.settings)

    def _copied_encoder(self, arm: Arm) -> Path | None:
        """The copied model of a source whose encoder an arm stands on; None for an arm with a start of its own."""
        copied = self._copied("" if arm.source == NO_SOURCE else arm.source, ENCODER)
        return copied if not arm.start and copied.exists() else None

    def _model_of_source(self, trial: Trial) -> Path:
        """The model that a trial takes over or scores: the source task's, or one that was copied.

        ModelError if the source task has not been trained.
        """
        arm = self.arm_of(trial)
        if arm.source or not self.plan.task:
            return self._copied(arm.source, self._strategy(trial).family)
        key = trial.arm if trial.role == ZERO_SHOT else source_key(self.config, self.plan, arm)
        model = self.store.settings.runs / f"{self.job.id}-{SOURCE}-{key}" / "model"
        if not model.is_dir():
            raise ModelError("The source task was not trained, so nothing can be taken over from it.")
        return model

    def _copied(self, source: str, family: Family) -> Path:
        return self.job.folder / "data" / source_folder(self.config, source) / family.name

    def beginning(self, trial: Trial) -> dict[str, Any]:
        arm, row = self.arm_of(trial), self._strategy(trial)
        taken = trial.from_source or trial.role == ZERO_SHOT
        source = arm.source or ("source task" if self.plan.task else self.config.source_run)
        return {
            "encoder": self._encoder_name(arm) if row.needs_encoder else "",
            "vectors": self.config.vectors_of(arm) if row.family.on_words else "",
            "source": source if taken else "",
            "from_source": taken,
        }

    def _encoder_name(self, arm: Arm) -> str:
        copied = self._copied_encoder(arm)
        return read_starting_point(copied).base.name if copied else arm.start or self.config.encoder

    def cost(self, trial: Trial) -> float:
        """In forward passes of a text."""
        examples, test = self._examples(trial)
        if trial.role == ZERO_SHOT:
            return float(len(test))
        per_class = self._config(trial).per_class
        rows = min(len(examples), per_class * len(examples.classes)) if per_class else len(examples)
        settings = self.config.settings_of(self.arm_of(trial))
        return self._strategy(trial).effort.cost(settings, rows, trial.seed, len(test))

    def training_share(self, trial: Trial) -> float:
        return 0.0 if trial.role == ZERO_SHOT else self._strategy(trial).effort.training_share


def _most_frequent(targets: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    """The most frequent class; of several the first that was met."""
    return int(Counter(targets.tolist()).most_common(1)[0][0])


def runs_done(runs: Iterable[Run]) -> list[Run]:
    """The finished runs of the target task, in the order given."""
    return [run for run in runs if run.status == "done" and run.record.role == TARGET]
