"""The life of one job's process: take its lock, wait for its turn, do its work, say how it ended."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable

from tl_core.errors import RunError, StillInUse, TLError
from tl_core.runs.locks import try_lock
from tl_core.runs.queue import POLL_SECONDS, turn
from tl_core.runs.store import Job, Store
from tl_core.training.events import Stopped

Runner = Callable[[Store, Job], None]
END_TRIES = 30  # of about two seconds each
LOCK_TRIES = 50  # a reader that looks whether the lock is held holds it for an instant


def work(store: Store, job_id: str, run: Runner) -> int:
    """Run the job to its end; the exit code: 0 done or stopped, 1 failed.

    Under torchrun only the first process holds locks and writes records.
    """
    job = store.job(job_id)
    if int(os.environ.get("RANK", "0")) > 0:
        return _assist(store, job, run)
    return _lead(store, job, run)


def _lead(store: Store, job: Job, run: Runner) -> int:
    """The first process, or the only one: it holds the job's lock and writes its records."""
    lock = None
    for _ in range(LOCK_TRIES):
        lock = try_lock(job.folder / "lock")
        if lock:
            break
        time.sleep(0.02)
    if lock is None:
        raise RunError("Job {job} is already being worked on.", job=job.id)
    try:
        return _in_turn(store, job, run)
    finally:
        lock.release()


def _in_turn(store: Store, job: Job, run: Runner) -> int:
    stop = job.folder / "stop"
    try:
        with turn(store, job, stop.exists):
            store.update_job(job.id, status="running", started=time.time(), pid=os.getpid())
            run(store, job)
    except Stopped:
        _end(store, job, "stopped")
        return 0
    except TLError as error:
        _end(store, job, "failed", str(error))
        return 1
    except Exception as error:
        traceback.print_exc()
        _end(store, job, "failed", f"{type(error).__name__}: {error} (the job's log.txt has the details)")
        return 1
    _end(store, job, "done")
    return 0


def _end(store: Store, job: Job, status: str, reason: str = "") -> None:
    """Write how the job ended; a record that somebody holds is tried for longer, since nobody else can write this."""
    for left in reversed(range(END_TRIES)):
        try:
            store.update_job(job.id, status=status, ended=time.time(), reason=reason)
            return
        except StillInUse:
            if not left:
                raise


def _assist(store: Store, job: Job, run: Runner) -> int:
    """A process beside the first one: it waits for the turn, then trains along; it writes nothing."""
    while (status := store.job(job.id).status) == "queued":
        time.sleep(POLL_SECONDS)
    if status in ("done", "stopped", "failed"):  # in the queue: the first process will not train
        return 0
    try:
        run(store, job)
    except (Stopped, TLError):
        return 0
    return 0
