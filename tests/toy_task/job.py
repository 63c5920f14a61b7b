"""Its jobs: what only it can be told, and the rows, training and scoring of a trial."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tl_core.jobs.experiment import Arm, ExperimentConfig, Parts, Trial, fields_from_json, trials_by_size
from tl_core.jobs.trainings import submit_job
from tl_core.jobs.work import ExperimentWork
from tl_core.knobs import knob
from tl_core.runs.store import Job, Store
from tl_core.tasks.fitting import Fitted
from tl_core.training.events import Progress, Training

TASK = "lengths"
Texts = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdConfig:
    """Settings of the one strategy."""

    shift: float = knob(0.0, "Added to the threshold.", low=-100.0, high=100.0)


@dataclass(frozen=True, kw_only=True)
class LengthsExperiment(ExperimentConfig):
    """Settings of an experiment on lengths."""

    unit: ClassVar[str] = "text"

    def settings_class(self, strategy: str) -> type[Any]:
        return ThresholdConfig

    def title_of(self, arm: Arm) -> str:
        return arm.name or "Threshold"

    def plain_key(self, at: int) -> str:
        return "threshold"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The model: a text is long from this length on."""

    length: float

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "threshold.json").write_text(json.dumps(self.length), encoding="utf-8")


def is_long(text: str) -> bool:
    return len(text) > 10


def config_of(values: dict[str, Any]) -> LengthsExperiment:
    return LengthsExperiment(**fields_from_json(LengthsExperiment, values["lengths"]))


def submit_lengths(store: Store, config: LengthsExperiment, texts: Texts) -> Job:
    def write(folder: Path) -> None:
        half = len(texts) // 2
        for name, part in (("train.json", texts[:half]), ("test.json", texts[half:])):
            (folder / name).write_text(json.dumps(part), encoding="utf-8")

    return submit_job(store, "lengths", "lengths of texts", {"lengths": config.to_json()}, write)


def texts_of(job: Job, part: str) -> Texts:
    return tuple(json.loads((job.folder / "data" / f"{part}.json").read_text(encoding="utf-8")))


class LengthsWork(ExperimentWork[Texts]):
    task = TASK
    config: LengthsExperiment

    def prepare(self) -> None:
        self.config = config_of(dict(self.job.record.config))
        self.train_texts, self.test = texts_of(self.job, "train"), texts_of(self.job, "test")
        self.trials = trials_by_size(self.config)

    def title(self, trial: Trial) -> str:
        return f"{trial.arm}, seed {trial.seed + 1}"

    def parts(self, trial: Trial) -> Parts[Texts]:
        order = np.random.default_rng(trial.seed).permutation(len(self.train_texts))
        chosen = order[: trial.size or len(order)]
        return Parts(tuple(self.train_texts[at] for at in chosen), (), self.test)

    def training(self, trial: Trial, folder: Path, parts: Parts[Texts]) -> Training[Fitted[Threshold]]:
        yield Progress(1, 1)
        mean = float(np.mean([len(text) for text in parts.train]))
        return Fitted(Threshold(mean + self.config.settings_of(self.arm_of(trial)).shift), 0.1, 1)

    def scoring(self, trial: Trial, folder: Path, parts: Parts[Texts]) -> Training[dict[str, Any]]:
        length = json.loads((folder / "model" / "threshold.json").read_text(encoding="utf-8"))
        right = [(len(text) > length) == is_long(text) for text in parts.test]
        (folder / "right.json").write_text(json.dumps(right), encoding="utf-8")
        yield Progress(len(right), len(right))
        return {"report": {"right": float(np.mean(right))}}

    def cost(self, trial: Trial) -> float:
        return 1.0

    def training_share(self, trial: Trial) -> float:
        return 0.5

    def beginning(self, trial: Trial) -> dict[str, Any]:
        return {}


def run_lengths(store: Store, job: Job) -> None:
    LengthsWork(store, job).run_trials()
