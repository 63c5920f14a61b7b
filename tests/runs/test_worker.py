"""The life of a worker: its lock, its turn, its recipe, and how it says that it ended."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tl_core.errors import DataError, RunError
from tl_core.jobs.kinds import run_job
from tl_core.runs import queue, worker
from tl_core.runs.locks import is_held, try_lock
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import Runner, work
from tl_core.settings import Settings
from tl_core.training.events import Stopped
from tl_core.whole_files import remove


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.delenv("RANK", raising=False)
    for module in (queue, worker):
        monkeypatch.setattr(module, "POLL_SECONDS", 0.005)
    return Store(settings)


@pytest.fixture
def job(store: Store) -> Job:
    job = store.add_job("study", "reviews", {"rows": 3})
    store.update_job(job.id, status="queued", submitted=time.time(), ticket=time.time_ns())
    return store.job(job.id)


def works(store: Store, job: Job, recipe: Runner) -> int:
    return work(store, job.id, recipe)


def nothing(store: Store, job: Job) -> None:
    pass


def raises(error: BaseException) -> Runner:
    def recipe(store: Store, job: Job) -> None:
        raise error

    return recipe


def contents(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "lock" not in file.name
    }


# how it ends


def test_a_job_is_running_with_its_lock_and_the_turn_while_its_recipe_works_and_done_after_it(
    store: Store, job: Job
):
    seen = []

    def recipe(store: Store, given: Job) -> None:
        now = store.job(job.id)
        seen.append((given.id, given.record.config, now.status))
        assert is_held(job.folder / "lock")
        assert is_held(store.settings.home / "turn.lock")
        assert now.record.started == pytest.approx(time.time(), abs=60)
        assert now.record.pid > 0

    assert works(store, job, recipe) == 0
    assert seen == [(job.id, {"rows": 3}, "running")]
    ended = store.job(job.id)
    assert (ended.status, ended.reason) == ("done", "")
    assert ended.record.ended >= ended.record.started
    assert not is_held(job.folder / "lock")
    assert not is_held(store.settings.home / "turn.lock")


def test_a_recipe_that_was_stopped_leaves_a_stopped_job_and_no_failure(store: Store, job: Job):
    assert works(store, job, raises(Stopped())) == 0
    assert (store.job(job.id).status, store.job(job.id).reason) == ("stopped", "")


def test_a_stop_asked_for_in_the_queue_is_heard_before_the_recipe_begins(store: Store, job: Job):
    store.request_stop(job.id)
    assert works(store, job, lambda *_: pytest.fail("the recipe began")) == 0
    ended = store.job(job.id)
    assert ended.status == "stopped"
    assert ended.record.started is None


def test_a_mistake_of_the_user_is_the_reason_in_its_own_words(
    store: Store, job: Job, capsys: pytest.CaptureFixture[str]
):
    assert works(store, job, raises(DataError("The table 영화.csv has no row."))) == 1
    assert (store.job(job.id).status, store.job(job.id).reason) == (
        "failed",
        "The table 영화.csv has no row.",
    )
    assert "Traceback" not in capsys.readouterr().err


def test_any_other_error_is_named_in_the_reason_and_its_traceback_goes_into_the_log(
    store: Store, job: Job, capsys: pytest.CaptureFixture[str]
):
    def recipe(store: Store, job: Job) -> None:
        a_step_with_a_mistake()

    def a_step_with_a_mistake() -> None:
        raise IndexError("row 7 of 5")

    assert works(store, job, recipe) == 1
    assert (store.job(job.id).status, store.job(job.id).reason) == (
        "failed",
        "IndexError: row 7 of 5 (the job's log.txt has the details)",
    )
    printed = capsys.readouterr().err  # which a worker's process appends to log.txt
    assert "Traceback" in printed
    assert "a_step_with_a_mistake" in printed
    assert "IndexError: row 7 of 5" in printed


def test_a_kind_of_job_that_nobody_knows_is_a_failure(store: Store, job: Job):
    assert work(store, job.id, run_job) == 1
    ended = store.job(job.id)
    assert ended.status == "failed"
    assert "knows no kind of job 'study'" in ended.reason


def test_a_failed_job_that_is_worked_on_again_loses_its_reason(store: Store, job: Job):
    assert works(store, job, raises(DataError("no row"))) == 1
    assert works(store, job, nothing) == 0
    assert (store.job(job.id).status, store.job(job.id).reason) == ("done", "")


def test_a_worker_that_is_broken_off_leaves_an_interrupted_job_and_no_lock(store: Store, job: Job):
    with pytest.raises(KeyboardInterrupt) as caught:
        works(store, job, raises(KeyboardInterrupt()))
    assert not is_held(job.folder / "lock")
    assert not is_held(store.settings.home / "turn.lock")
    assert store.job(job.id).status == "interrupted"
    del caught  # until here the error knew the worker's frames, and with them its locks


def test_a_job_that_was_deleted_under_its_worker_is_not_made_again(store: Store, job: Job):
    with pytest.raises(RunError, match="gone or damaged"):
        works(store, job, lambda *_: (job.folder / "record.json").unlink())
    assert store.jobs() == []


def test_a_job_that_is_not_there_cannot_be_worked_on(store: Store, job: Job):
    remove(job.folder)
    with pytest.raises(RunError, match="There is no job"):
        works(store, job, nothing)
    assert not job.folder.exists()


# one worker a job


def test_a_second_worker_of_the_same_job_is_refused_and_changes_nothing(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "LOCK_TRIES", 3)
    second: list[str] = []

    def recipe(store: Store, given: Job) -> None:
        before = contents(store.settings.home)
        with pytest.raises(RunError, match=f"Job {job.id} is already being worked on"):
            works(store, given, lambda *_: second.append("began"))
        assert contents(store.settings.home) == before

    assert works(store, job, recipe) == 0
    assert second == []
    assert store.job(job.id).status == "done"


def test_a_reader_that_looks_at_the_lock_for_an_instant_keeps_no_worker_away(
    store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
):
    reader = try_lock(job.folder / "lock")
    assert reader is not None
    tries: list[Path] = []

    def third_time(path: Path) -> FileLock | None:
        tries.append(path)
        if len(tries) == 3:
            reader.release()
        return try_lock(path)

    monkeypatch.setattr(worker, "try_lock", third_time)
    assert works(store, job, nothing) == 0
    assert len(tries) == 3
    assert store.job(job.id).status == "done"


# a process beside the first one, as torchrun starts them


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")


@pytest.mark.parametrize("error", [None, Stopped(), DataError("no row")])
def test_a_process_beside_the_first_works_along_and_writes_nothing(
    store: Store, job: Job, beside: None, error: Exception | None
):
    store.update_job(job.id, status="running")
    lead = try_lock(job.folder / "lock")
    assert lead is not None
    before, ran = contents(store.settings.home), []

    def recipe(store: Store, given: Job) -> None:
        ran.append(given.id)
        if error is not None:
            raise error

    assert works(store, job, recipe) == 0
    assert ran == [job.id]
    assert contents(store.settings.home) == before
    assert not (store.settings.home / "turn.lock").exists()
    lead.release()


def test_a_process_beside_the_first_waits_until_that_has_the_turn(store: Store, job: Job, beside: None):
    lead = try_lock(job.folder / "lock")
    assert lead is not None
    seen: list[str] = []
    turn_comes = threading.Timer(0.05, store.update_job, [job.id], {"status": "running"})
    turn_comes.start()
    assert works(store, job, lambda store, given: seen.append(store.job(given.id).status)) == 0
    turn_comes.join()
    assert seen == ["running"]
    lead.release()


@pytest.mark.parametrize("status", ["stopped", "failed", "done"])
def test_a_process_beside_the_first_does_not_begin_what_ended_in_the_queue(
    store: Store, job: Job, beside: None, status: str
):
    ends = threading.Timer(0.05, store.update_job, [job.id], {"status": status})
    ends.start()
    assert works(store, job, lambda *_: pytest.fail("it would wait for the others in vain")) == 0
    ends.join()


def test_an_error_that_nobody_foresaw_beside_the_first_ends_its_process(store: Store, job: Job, beside: None):
    store.update_job(job.id, status="running")
    with pytest.raises(IndexError):  # so that torchrun ends the others, which would wait for it
        works(store, job, raises(IndexError()))
