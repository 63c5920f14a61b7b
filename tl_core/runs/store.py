"""Every job and run of this installation, as folders under `TL_HOME`.

    jobs/<job>/   record.json, progress.json, lock, stop, log.txt, data/
    runs/<run>/   record.json, events.jsonl, checkpoint/, model/, predictions.npy

A job is one process: it writes its folders, everyone else only reads them, writes a `stop` file,
or deletes. Whether a job lives is told by its lock alone.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from tl_core.convert import from_json, to_json
from tl_core.errors import RunError, StillInUse
from tl_core.records import read_record, write_record
from tl_core.runs.locks import is_held
from tl_core.runs.records import VERSION, JobRecord, RunRecord, job_fields, run_fields
from tl_core.settings import Settings
from tl_core.whole_files import patiently, remove

IDENTIFIER = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}(-[a-z0-9-]{1,60})?")
T = TypeVar("T")
STARTING_SECONDS = 20.0  # a worker that was just started may not hold its lock yet
STATUSES = ("queued", "running", "done", "stopped", "interrupted", "failed")
ENDED = ("done", "stopped", "interrupted", "failed")


@dataclass(frozen=True, slots=True)
class Job:
    """One submitted job, as its folder tells it now."""

    id: str
    folder: Path
    record: JobRecord
    status: str

    @property
    def title(self) -> str:
        return self.record.title or self.id

    @property
    def kind(self) -> str:
        """The name of what kind of job it is, a row of `jobs.kinds`."""
        return self.record.kind

    @property
    def reason(self) -> str:
        return self.record.reason

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def progress(self) -> dict[str, Any]:
        """The last progress written: `share` (0 to 1), `seconds_left`, `doing`; empty before the start."""
        return read_record(self.folder / "progress.json") or {}


@dataclass(frozen=True, slots=True)
class Run:
    """One training of one strategy with one seed, as its folder tells it now."""

    id: str
    folder: Path
    record: RunRecord
    status: str

    @property
    def task(self) -> str:
        """The name of its task, a row of `outcomes.tasks`."""
        return self.record.task

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def report(self) -> dict[str, Any] | None:
        return self.record.report

    @property
    def tested(self) -> dict[str, Any]:
        """The report of a run that was tested; RunError for one that was not yet, or is not at all."""
        if self.record.report is None:
            raise RunError("Run {id} is {status}: it has no scores.", id=self.id, status=self.status)
        return self.record.report


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A job or a run (`what`) whose record this version cannot use, and why; its folder stays as it is."""

    what: str
    id: str
    folder: Path
    reason: str


class UnreadableRecord(RunError):
    """A record that is there and that this version cannot use."""


class Store:
    """Reads and writes the folders of jobs and runs."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    # jobs

    def add_job(self, kind: str, title: str, config: Mapping[str, Any]) -> Job:
        """A new queued job with an empty `data` folder; RunError if TL_HOME cannot be written."""
        self._check_writable(self.settings.runs)
        job_id = new_id()
        folder = self.settings.jobs / job_id
        record = JobRecord(
            id=job_id, kind=kind, title=title, config=dict(config), status="preparing", created=time.time()
        )
        write_record(folder / "record.json", to_json(record))
        (folder / "data").mkdir()
        return self.job(job_id)

    def _check_writable(self, folder: Path) -> None:
        probe = folder / ".writable"
        write_record(probe, {})
        remove(probe)

    def update_job(self, job_id: str, **changes: Any) -> None:
        """Change these fields of a job's record; RunError, and nothing is written, if the others cannot be read."""
        folder = self.settings.jobs / checked(job_id)
        try:
            record = _read_job(folder)
        except RunError as error:
            raise RunError(
                "The record of job {job_id} is gone or damaged, so it is left as it is.", job_id=job_id
            ) from error
        write_record(folder / "record.json", to_json(replace(record, **changes)))

    def job(self, job_id: str) -> Job:
        """The job of this id; RunError if there is none."""
        folder = self.settings.jobs / checked(job_id)
        record = _read_job(folder)
        return Job(job_id, folder, record, _job_status(folder, record))

    def jobs(self, *, all_of_them: bool = False) -> list[Job]:
        """Jobs, newest first. One whose record cannot be read now is left out, or StillInUse if they must be all."""
        return list(_there(self.job, _identifiers(self.settings.jobs), all_of_them=all_of_them))

    def request_stop(self, job_id: str) -> None:
        """Ask the job's worker to stop; it does so at its next step."""
        stop = self.job(job_id).folder / "stop"
        patiently(stop.touch, stop)

    def delete_job(self, job_id: str) -> None:
        """Remove a job that has ended, and its runs; StillInUse, and all of it stays, if one has a file open."""
        job = self.job(job_id)
        if not job.ended:
            raise RunError(
                "Job {job_id} is {status}. Stop it before you delete it.", job_id=job_id, status=job.status
            )
        remove(*(run.folder for run in self.runs_of(job_id)), job.folder)

    # runs

    def write_run(self, record: RunRecord) -> None:
        """Write the record of a run, or replace it."""
        write_record(self.settings.runs / checked(record.id) / "record.json", to_json(record))

    def run(self, run_id: str) -> Run:
        """The run of this id; RunError if there is none."""
        folder = self.settings.runs / checked(run_id)
        record = _read_run(folder)
        return Run(run_id, folder, record, self._run_status(record))

    def runs(self) -> list[Run]:
        """Runs, newest first; one whose record cannot be read now is left out."""
        return list(_there(self.run, _identifiers(self.settings.runs)))

    def runs_of(self, job_id: str) -> list[Run]:
        """All runs of one job, in the order in which they were begun; StillInUse if one cannot be read now."""
        names = (name for name in _identifiers(self.settings.runs) if name.startswith(f"{job_id}-"))
        return sorted(_there(self.run, names, all_of_them=True), key=lambda run: run.record.started)

    def delete_run(self, run_id: str) -> None:
        """Remove one run; the worker of a live job is not disturbed. StillInUse, and all stays, if one has it open."""
        run = self.run(run_id)
        job_id = run.record.job
        if run.status == "running":
            raise RunError("Run {run_id} is running. Stop its job before you delete it.", run_id=run_id)
        folder = self.settings.jobs / job_id
        ours = IDENTIFIER.fullmatch(job_id) and folder.exists()
        last = ours and [sibling.id for sibling in self.runs_of(job_id)] == [run_id]
        remove(run.folder, *([folder] if last and self._has_ended(job_id) else []))

    def unreadable(self) -> list[Unreadable]:
        """The jobs and runs whose records are damaged or of a newer version, newest first: the others are not hidden."""
        unreadable = []
        readers: tuple[tuple[str, Path, Callable[[Path], object]], ...] = (
            ("job", self.settings.jobs, _read_job),
            ("run", self.settings.runs, _read_run),
        )
        for what, folder, read in readers:
            for name in _identifiers(folder):
                try:
                    read(folder / name)
                except (UnreadableRecord, StillInUse) as error:
                    unreadable.append(Unreadable(what, name, folder / name, str(error)))
                except RunError:  # deleted meanwhile
                    continue
        return unreadable

    def delete_unreadable(self, identifier: str) -> None:
        """Remove the folder of such a job or run; RunError if there is none of this id, or a worker holds it."""
        for entry in self.unreadable():
            if entry.id == checked(identifier):
                if is_held(entry.folder / "lock"):
                    raise RunError(
                        "Job {identifier} is being worked on. Stop it before you delete it.",
                        identifier=identifier,
                    )
                remove(entry.folder)
                return
        raise RunError(
            "There is no unreadable job or run {identifier}. `runs list` shows those there are.",
            identifier=identifier,
        )

    def _has_ended(self, job_id: str) -> bool:
        """Whether a job has ended, as has one whose record is gone or damaged."""
        try:
            return self.job(job_id).ended
        except RunError:
            return True

    def _run_status(self, record: RunRecord) -> str:
        if record.status != "running":
            return record.status
        try:
            job = self.job(record.job)
        except RunError:
            return "interrupted"
        return "running" if not job.ended else ("stopped" if job.status == "stopped" else "interrupted")


def new_id() -> str:
    """An id that sorts by time: date, time and four random letters."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"


def checked(identifier: str) -> str:
    """The identifier, if it is one of ours; RunError otherwise, so that no id can name a path."""
    if not IDENTIFIER.fullmatch(identifier):
        raise RunError(
            "{identifier!r} is not the id of a job or a run. `runs list` shows those there are.",
            identifier=identifier,
        )
    return identifier


def _identifiers(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        for entry in sorted(folder.iterdir(), reverse=True):
            if IDENTIFIER.fullmatch(entry.name) and _is_there(entry / "record.json"):
                yield entry.name


def _is_there(path: Path) -> bool:
    """Whether there is such a file, as far as is known: one that may not be looked at is."""
    try:
        return path.exists()
    except OSError:
        return True


def _there(read: Callable[[str], T], names: Iterable[str], *, all_of_them: bool = False) -> Iterator[T]:
    """Results of reading each; one that was deleted meanwhile is left out, as is one that cannot be read now."""
    for name in names:
        try:
            yield read(name)
        except RunError:
            continue
        except StillInUse:  # told by `unreadable`
            if all_of_them:
                raise


def _read_job(folder: Path) -> JobRecord:
    """The record in the folder of a job; RunError if there is none, UnreadableRecord with why if it is no use."""
    return _typed(JobRecord, folder, "job", job_fields)


def _read_run(folder: Path) -> RunRecord:
    """The same of a run."""
    return _typed(RunRecord, folder, "run", run_fields)


def _typed(
    kind: type[T], folder: Path, what: str, fields: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> T:
    values = _read(folder, what)
    try:
        return from_json(kind, {**fields(values), "id": folder.name})
    except ValueError as error:
        raise UnreadableRecord(
            "The record of {what} {folder} is damaged: {error}.", what=what, folder=folder.name, error=error
        ) from error


def _read(folder: Path, what: str) -> dict[str, Any]:
    """The record in the folder of a job or a run; RunError if there is none, UnreadableRecord with why if it is no use."""
    record = read_record(folder / "record.json")
    if record is None and not (folder / "record.json").exists():
        raise RunError(
            "There is no {what} {folder}. `runs list` shows those there are.", what=what, folder=folder.name
        )
    if record is None:
        raise UnreadableRecord(
            "The record of {what} {folder} is damaged: it holds no JSON object.",
            what=what,
            folder=folder.name,
        )
    version = record.get("version", 1)
    if not isinstance(version, int) or version > VERSION:
        raise UnreadableRecord(
            "The record of {what} {folder} is of version {version!r:.20}; this version reads up to {known_version}. "
            "Update the project to use it.",
            what=what,
            folder=folder.name,
            version=version,
            known_version=VERSION,
        )
    return record


def _job_status(folder: Path, record: JobRecord) -> str:
    """The recorded status, except that a live status whose lock nobody holds is 'interrupted'."""
    status = record.status
    if status in ENDED:
        return status
    if is_held(folder / "lock"):
        return "queued" if status == "preparing" else status
    fresh = time.time() - (record.submitted or record.created) < STARTING_SECONDS
    if status in ("queued", "preparing") and fresh:
        return "queued"
    # the worker may have ended between the two looks
    again = read_record(folder / "record.json") or {}
    return str(again["status"]) if again.get("status") in ENDED else "interrupted"
