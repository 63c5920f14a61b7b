"""The weights of an encoder that does not install on this system, fetched in a worker."""

from __future__ import annotations

from pathlib import Path

from tl_core.encoders.catalog import card_of
from tl_core.encoders.fetch import card_to_fetch, fetch_encoder
from tl_core.errors import RunError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import drive_alone, submit_job
from tl_core.pythons import this_python
from tl_core.runs.store import Job, Store

KIND = "fetch_encoder"


def submit_fetch_encoder(store: Store, name: str) -> Job:
    """Start a worker that fetches this encoder's weights; the job that does so already, if there is one."""
    card = card_to_fetch(name)
    running = last_fetch(store, name)
    if running is not None and not running.ended:
        return running
    if store.settings.offline:
        raise RunError(
            "This installation stays off the network (HF_HUB_OFFLINE is set). `{python} -m tl_core get {name} --from FILE` "
            "takes the weights from a file.",
            name=name,
            python=this_python(),
        )
    return submit_job(store, KIND, card.title, {"encoder": name}, _no_data)


def _no_data(_: Path) -> None:
    """The job brings no data: the name says it all."""


def last_fetch(store: Store, name: str) -> Job | None:
    """The newest job that fetches, or fetched, this encoder."""
    return next(
        (job for job in store.jobs() if job.kind == KIND and job.record.config["encoder"] == name),
        None,
    )


def run_fetch_encoder(store: Store, job: Job) -> None:
    """The worker's side of `submit_fetch_encoder`."""
    card = card_of(str(job.record.config["encoder"]))
    progress = JobProgress(job.folder / "progress.json", {"fetch": 1.0})
    progress.update("fetch", "Asking for the file", 0.0)
    drive_alone(job, progress, "fetch", "Fetching", fetch_encoder(card, store.settings))
    progress.finish("fetch")
