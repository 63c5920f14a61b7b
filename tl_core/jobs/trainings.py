"""A job made of several trainings, its trials: what the worker does whatever the task.

Each trial becomes a run. A finished trial is never trained again, a failed one does not keep the
others from their turn, and a stop is looked for between events.
"""

from __future__ import annotations

import contextlib
import os
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from tl_core.errors import RunError, StillInUse, TLError
from tl_core.jobs.experiment import Trial
from tl_core.jobs.progress import JobProgress
from tl_core.runs.events import EventLog
from tl_core.runs.queue import start_worker
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Job, Store
from tl_core.training.events import Event, Metric, Note, Progress, Stopped, Training, drive
from tl_core.training.loop import LoopControl
from tl_core.training.memory import give_back, start_peak
from tl_core.whole_files import folder_aside, remove


class AnyFitted(Protocol):
    """Result of a training, whatever it trained."""

    @property
    def seconds(self) -> float: ...
    @property
    def trained_parameters(self) -> int: ...
    @property
    def facts(self) -> dict[str, Any]: ...
    def save(self, folder: Path) -> None: ...


T = TypeVar("T")


def submit_job(
    store: Store,
    kind: str,
    title: str,
    config: dict[str, Any],
    write_data: Callable[[Path], None],
    *,
    processes: int = 1,
) -> Job:
    """Write a job with its data and start its worker; RunError if there is no room. Nothing stays behind."""
    job = store.add_job(kind, title, config)
    try:
        write_data(job.folder / "data")
        start_worker(store, job.id, processes=processes)
    except OSError as error:
        remove(job.folder)
        raise RunError(
            "{folder} cannot be written ({reason}). Make room or set TL_HOME.",
            folder=job.folder,
            reason=error.strerror,
        ) from error
    except TLError:
        remove(job.folder)
        raise
    return store.job(job.id)


def resume_job(store: Store, job_id: str, *, processes: int = 1) -> Job:
    """Start a worker again for a job that was stopped, interrupted or failed."""
    job = store.job(job_id)
    if job.status not in ("stopped", "interrupted", "failed"):
        raise RunError(
            "Job {job_id} is {status}; only a stopped, interrupted or failed job can be resumed.",
            job_id=job_id,
            status=job.status,
        )
    start_worker(store, job_id, processes=processes)
    return store.job(job_id)


def drive_alone(job: Job, progress: JobProgress, name: str, doing: str, training: Training[T]) -> T:
    """Drain the one piece of work of a job, its part of the job's progress being `name`; its result.

    Raises Stopped between events, when a stop was asked for.
    """

    def tell(event: Event) -> None:
        if isinstance(event, Progress):
            progress.update(name, doing, event.share)
        if (job.folder / "stop").exists():
            raise Stopped

    return drive(training, tell)


class TrialWork(ABC):
    """The trials of one job at work. A subclass has its `trials` and a `progress`, and trains one trial."""

    trials: Sequence[Trial]
    progress: JobProgress

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job = store, job
        self.leads = int(os.environ.get("RANK", "0")) == 0
        self.together = int(os.environ.get("WORLD_SIZE", "1")) > 1

    @abstractmethod
    def train(self, trial: Trial, run_id: str) -> None:
        """One trial from its rows to its record."""

    @abstractmethod
    def title(self, trial: Trial) -> str:
        """Title of what is being done, for the job's progress."""

    def is_shared(self, trial: Trial) -> bool:
        """Whether the training loop trains it: all processes together, and it writes a checkpoint when it is stopped."""
        return True

    def run_trials(self, names: Iterable[str] | None = None) -> None:
        """Train those of these names that are not finished, in the plan's order; all without names.

        Raises RunError at the end if some failed, and at once for a name that the job does not have.
        """
        chosen = self._chosen(names)
        failures = []
        for trial in chosen:
            run_id = f"{self.job.id}-{trial.name}"
            if self._is_done(run_id):
                self.progress.skip(trial.name)
                continue
            if not self.leads and not self.is_shared(trial):
                continue
            try:
                self.train(trial, run_id)
            except Stopped:
                raise
            except Exception as error:
                if self.together and not isinstance(error, TLError):
                    raise  # the other processes would wait for this one
                reason = self._reason(error)
                failures.append(f"{run_id}: {reason}")
                self._fail(run_id, reason)
            if self.together and self.is_shared(trial):
                wait_for_everyone()
        if failures:
            raise RunError(
                "{failures} of {chosen} trainings failed. {first_failure}",
                failures=len(failures),
                chosen=len(chosen),
                first_failure=failures[0],
            )

    def _chosen(self, names: Iterable[str] | None) -> Sequence[Trial]:
        if names is None:
            return self.trials
        wanted = set(names)
        unknown = sorted(wanted - {trial.name for trial in self.trials})
        if unknown:
            raise RunError(
                "Job {job} has no training {unknown}.", job=self.job.id, unknown=", ".join(unknown)
            )
        return [trial for trial in self.trials if trial.name in wanted]

    def fit(
        self,
        trial: Trial,
        record: RunRecord,
        training: Training[Any],
        *,
        until: float,
        stops_itself: bool,
    ) -> RunRecord | None:
        """Train a trial's model and save it: the record with what that cost; None for a process that only helps.

        The training takes the trial's progress up to `until`.
        """
        folder = self.store.settings.runs / record.id
        if self.leads:
            self.store.write_run(record)
        start_peak()
        fitted: AnyFitted = self.drive(trial, folder, training, part=(0.0, until), stops_itself=stops_itself)
        if not self.leads:
            return None
        save_model(fitted.save, folder)
        record = replace(
            record,
            seconds=fitted.seconds,
            trained_parameters=fitted.trained_parameters,
            facts=fitted.facts,
        )
        del fitted  # scoring loads the model as it was saved
        give_back()
        return record

    def finish(self, trial: Trial, record: RunRecord) -> None:
        """The trial is trained and scored: its run is done, its checkpoint goes."""
        self.store.write_run(replace(record, status="done", ended=time.time()))
        folder = self.store.settings.runs / record.id
        with contextlib.suppress(StillInUse):  # it is of no more use, and goes with the run
            remove(folder / "checkpoint")
        self.progress.finish(trial.name)

    def drive(
        self,
        trial: Trial,
        folder: Path,
        training: Training[Any],
        *,
        part: tuple[float, float] = (0.0, 1.0),
        stops_itself: bool = False,
    ) -> Any:
        """Drain a training: events into the run's log and the job's progress, stop between events.

        The training moves the trial's share from `part[0]` to `part[1]`. One that stops itself
        writes a checkpoint first.
        """
        log = EventLog(folder / "events.jsonl") if self.leads else None

        def tell(event: Event) -> None:
            if log is not None:
                self._tell(trial, log, event, part)
            if self.stop_asked() and not stops_itself:
                raise Stopped

        try:
            return drive(training, tell)
        finally:
            if log is not None:
                log.close()

    def _tell(self, trial: Trial, log: EventLog, event: Event, part: tuple[float, float]) -> None:
        if isinstance(event, Progress):
            span = part[1] - part[0]
            share = part[0] + span * event.share
            self.progress.update(trial.name, self.title(trial), share, span * event.earlier_share)
        elif isinstance(event, (Metric, Note)):
            log.write(event)

    def control(self, folder: Path) -> LoopControl:
        """Control of the trial's training: where it keeps checkpoints and looks for a stop."""
        return LoopControl(
            checkpoints=folder / "checkpoint",
            checkpoint_seconds=self.store.settings.checkpoint_seconds,
            stop_requested=self.stop_asked,
        )

    def stop_asked(self) -> bool:
        return (self.job.folder / "stop").exists()

    def _is_done(self, run_id: str) -> bool:
        try:
            return self.store.run(run_id).status == "done"
        except RunError:
            return False

    def _reason(self, error: Exception) -> str:
        """The reason why a trial failed, for its record; what nobody foresaw goes into the log in full."""
        if isinstance(error, TLError):
            return str(error)
        traceback.print_exception(error)
        return f"{type(error).__name__}: {error}"

    def _fail(self, run_id: str, reason: str) -> None:
        """Note the reason in the run's record, if the trial came as far as to have one."""
        if not self.leads:
            return
        with contextlib.suppress(RunError):
            record = self.store.run(run_id).record
            self.store.write_run(replace(record, status="failed", reason=reason))


def save_model(save: Callable[[Path], None], folder: Path) -> None:
    """Write a run's model aside and move it into place; StillInUse, and the old one stays, if that is held open."""
    with folder_aside(folder / "model", replacing=True) as aside:
        save(aside)


def wait_for_everyone() -> None:
    """Hold every process of a job here until all have come."""
    from accelerate.state import PartialState

    PartialState().wait_for_everyone()
