"""An experiment at work, whatever its task: each trial from its rows to its scored record.

A task's subclass gives the rows of a trial, its training, its scoring, and what its record says beside.
"""

from __future__ import annotations

import shutil
import time
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from tl_core.catalog.missing import missing_encoder
from tl_core.encoders.catalog import EncoderCard
from tl_core.encoders.fetch import fetch_encoder
from tl_core.jobs.experiment import Arm, Countable, ExperimentConfig, Parts, Trial
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import AnyFitted, TrialWork, save_model, wait_for_everyone
from tl_core.knobs import to_values
from tl_core.runs.records import RowCounts, RunRecord
from tl_core.runs.store import Job, Store
from tl_core.training.events import Event, Progress, Stopped, Training, drive
from tl_core.training.memory import peak_bytes, start_peak

Data = TypeVar("Data", bound=Countable)


class ExperimentWork(TrialWork, Generic[Data]):
    """The trials of one experiment at work; `task` stands in their records."""

    task: str
    config: ExperimentConfig

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(store, job)
        self.prepare()
        weights = {trial.name: self.cost(trial) for trial in self.trials}
        self.progress = self.make_progress(weights)

    # what a task gives

    @abstractmethod
    def prepare(self) -> None:
        """Read the config, the data and the plan from the job's folder."""

    @abstractmethod
    def parts(self, trial: Trial) -> Parts[Data]:
        """Parts of the data that the trial learns from and is scored on."""

    @abstractmethod
    def training(self, trial: Trial, folder: Path, parts: Parts[Data]) -> Training[AnyFitted]:
        """The trial's training; its checkpoints go into the run's `folder`."""

    @abstractmethod
    def scoring(self, trial: Trial, folder: Path, parts: Parts[Data]) -> Training[dict[str, Any]]:
        """Score the model as it was saved, not as it stands in memory, and keep its answers; fields of the record."""

    @abstractmethod
    def cost(self, trial: Trial) -> float:
        """Expected cost of a trial in any one unit: what the progress weighs it by."""

    @abstractmethod
    def training_share(self, trial: Trial) -> float:
        """The training's part of the trial's progress; the rest is scoring."""

    @abstractmethod
    def beginning(self, trial: Trial) -> dict[str, Any]:
        """Start of the trial: its record's `encoder`, `vectors`, `source`, and whether it is `from_source`."""

    def needs(self) -> Sequence[str]:
        """Names of the encoders, readers, sources and runs that the trials stand on; none unless a task says so."""
        return ()

    def arm_of(self, trial: Trial) -> Arm:
        """The arm of a trial."""
        return self.config.arm(trial.arm)

    def copied_model(self, trial: Trial) -> Path | None:
        """The model that is scored as it is, without a training; None for a trial that is trained."""
        return None

    def make_progress(self, weights: dict[str, float]) -> JobProgress:
        """The job's progress over trials of these costs."""
        return JobProgress(self.job.folder / "progress.json", weights)

    # what every experiment does

    def run_trials(self, names: Iterable[str] | None = None) -> None:
        """As `TrialWork.run_trials`; weights that do not install on this system are fetched first."""
        for name in self.needs() if self.leads else ():
            card = missing_encoder(self.store, name)
            if card is not None:
                self._fetch(card)
        if self.together:
            wait_for_everyone()
        super().run_trials(names)

    def _fetch(self, card: EncoderCard) -> None:
        def tell(event: Event) -> None:
            if isinstance(event, Progress):
                self.progress.update("", f"Fetching {card.title}: {event.share:.0%}", 0.0)
            if self.stop_asked():
                raise Stopped

        drive(fetch_encoder(card, self.store.settings), tell)

    def train(self, trial: Trial, run_id: str) -> None:
        parts, folder = self.parts(trial), self.store.settings.runs / run_id
        record, until = self._record(trial, run_id, parts), self.training_share(trial)
        copied = self.copied_model(trial)
        if copied is not None:
            learned: RunRecord | None = self._copy(copied, record)
        else:
            training = self.training(trial, folder, parts)
            learned = self.fit(trial, record, training, until=until, stops_itself=self.is_shared(trial))
        if learned is None:
            return
        began = time.perf_counter()
        scored = self.drive(trial, folder, self.scoring(trial, folder, parts), part=(until, 1.0))
        seconds = time.perf_counter() - began
        self.finish(trial, replace(learned, **scored, scoring_seconds=seconds, peak_memory=peak_bytes()))

    def _copy(self, model: Path, record: RunRecord) -> RunRecord:
        """The record of a run whose model is a copy: nothing was learned."""

        def copy(place: Path) -> None:
            shutil.copytree(model, place, dirs_exist_ok=True)

        start_peak()
        save_model(copy, self.store.settings.runs / record.id)
        record = replace(record, seconds=0.0, trained_parameters=0)
        self.store.write_run(record)
        return record

    def _record(self, trial: Trial, run_id: str, parts: Parts[Data]) -> RunRecord:
        arm = self.arm_of(trial)
        return RunRecord(
            id=run_id,
            job=self.job.id,
            task=self.task,
            title=self.job.title,
            role=trial.role,
            arm=trial.arm,
            name=arm.name,
            strategy=arm.strategy,
            seed=trial.seed + 1,
            status="running",
            started=time.time(),
            size=trial.size,
            config={} if self.copied_elsewhere(trial) else to_values(self.config.settings_of(arm)),
            rows=RowCounts(len(parts.train), len(parts.validation), len(parts.test)),
            **self.beginning(trial),
        )

    def copied_elsewhere(self, trial: Trial) -> bool:
        """Whether the trial's model was trained elsewhere, with settings that are not known here."""
        return False
