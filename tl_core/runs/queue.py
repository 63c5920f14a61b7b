"""One job at a time: workers wait their turn in ticket order, without torch loaded.

A job's ticket is the time of its submission. The turn is a file lock, so it falls with the
process that holds it; a queued job whose worker has died is passed over.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tl_core.errors import RunError, StillInUse
from tl_core.processes import start_apart
from tl_core.runs.locks import try_lock
from tl_core.runs.store import Job, Store
from tl_core.training.events import Stopped
from tl_core.whole_files import remove

POLL_SECONDS = 0.3


def start_worker(store: Store, job_id: str, *, processes: int = 1) -> None:
    """Start the job's worker as a process of its own, which outlives whoever started it.

    With `processes` above 1 torchrun starts that many workers that train together; RunError on Windows, whose torch
    cannot let them meet.
    """
    if processes > 1 and sys.platform == "win32":
        raise RunError(
            "{processes} processes cannot train together on Windows: its torch is built without libuv, which they "
            "need to find each other. Leave --processes out.",
            processes=processes,
        )
    job = store.job(job_id)
    remove(job.folder / "stop")
    store.update_job(job_id, status="queued", submitted=time.time(), ticket=time.time_ns(), reason="")
    arguments = ["-m", "tl_core", "work", job_id]
    if processes > 1:
        torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        arguments = [*torchrun, *arguments]
    start_apart(arguments, store.settings, job.folder / "log.txt")


def jobs_ahead(store: Store, job: Job) -> list[Job]:
    """The live jobs that have their turn before this one: the running one and earlier tickets."""
    ticket = job.record.ticket
    return [
        other
        for other in store.jobs(all_of_them=True)
        if other.id != job.id
        and (other.status == "running" or (other.status == "queued" and 0 < other.record.ticket < ticket))
    ]


@contextmanager
def turn(store: Store, job: Job, stop_requested: Callable[[], bool]) -> Iterator[None]:
    """Wait until it is this job's turn and hold the turn; raises Stopped if a stop is asked for first."""
    ahead = [job]  # nobody's turn before the first look
    while True:
        if stop_requested():
            raise Stopped
        with suppress(StillInUse):  # the record of another job, which will be readable again
            ahead = [other for other in jobs_ahead(store, job) if other.status == "queued"]
        if not ahead:
            lock = try_lock(store.settings.home / "turn.lock")
            if lock is not None:
                break
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()
