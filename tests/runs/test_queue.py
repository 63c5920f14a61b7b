"""The queue: tickets give the order, locks tell who still waits, and one job has the turn."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tl_core.convert import to_json
from tl_core.errors import RunError
from tl_core.records import read_record
from tl_core.runs import queue
from tl_core.runs.locks import is_held, try_lock
from tl_core.runs.queue import jobs_ahead, start_worker, turn
from tl_core.runs.store import Job, Store
from tl_core.settings import Settings
from tl_core.training.events import Stopped

LONG_AGO = 60.0  # seconds, longer than a worker may take to start


@pytest.fixture
def store(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(queue, "POLL_SECONDS", 0.001)
    return Store(settings)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Settings, Path]]:
    """What would have been started as processes of their own."""
    calls: list[tuple[list[str], Settings, Path]] = []

    def start(arguments: Sequence[str], settings: Settings, log: Path) -> None:
        calls.append((list(arguments), settings, log))

    monkeypatch.setattr(queue, "start_apart", start)
    return calls


def queued(store: Store, ticket: int, **changes: Any) -> Job:
    job = store.add_job("compare", str(ticket), {})
    store.update_job(job.id, **{"status": "queued", "ticket": ticket, **changes})
    return store.job(job.id)


def titles(jobs: Sequence[Job]) -> set[str]:
    return {job.title for job in jobs}


@contextmanager
def held(path: Path) -> Iterator[Callable[[], None]]:
    """Hold a lock; what is given releases it early."""
    lock = try_lock(path)
    assert lock is not None
    try:
        yield lock.release
    finally:
        lock.release()


class Looks:
    """A stop that is never asked for; it counts the looks for one and does something at the third."""

    def __init__(self, at_the_third: Callable[[], object]) -> None:
        self.count, self.at_the_third = 0, at_the_third

    def __call__(self) -> bool:
        self.count += 1
        if self.count == 3:
            self.at_the_third()
        return False


def never() -> bool:
    return False


# who is ahead


def test_the_jobs_ahead_are_those_of_earlier_tickets(store: Store):
    first, third, second = queued(store, 100), queued(store, 300), queued(store, 200)
    assert titles(jobs_ahead(store, first)) == set()
    assert titles(jobs_ahead(store, second)) == {"100"}
    assert titles(jobs_ahead(store, third)) == {"100", "200"}


def test_the_running_job_is_ahead_whatever_its_ticket(store: Store):
    waits = queued(store, 100)
    running = queued(store, 900, status="running")
    with held(running.folder / "lock"):
        assert titles(jobs_ahead(store, waits)) == {"900"}
    assert titles(jobs_ahead(store, waits)) == set()


@pytest.mark.parametrize("status", ["done", "stopped", "interrupted", "failed"])
def test_a_job_that_has_ended_is_not_ahead(store: Store, status: str):
    queued(store, 100, status=status)
    assert jobs_ahead(store, queued(store, 200)) == []


def test_a_job_that_is_being_prepared_has_no_ticket_and_is_not_ahead(store: Store):
    store.add_job("compare", "being prepared", {})
    assert jobs_ahead(store, queued(store, 200)) == []


def test_a_queued_job_whose_worker_has_died_is_passed_over(store: Store):
    died = queued(store, 100, submitted=time.time() - LONG_AGO)
    waits = queued(store, 200)
    with held(died.folder / "lock"):
        assert titles(jobs_ahead(store, waits)) == {"100"}
    assert jobs_ahead(store, waits) == []


# the turn


def test_the_turn_is_given_at_once_where_nobody_waits_and_ends_with_the_work(store: Store):
    job, place = queued(store, 100), store.settings.home / "turn.lock"
    with turn(store, job, never):
        assert is_held(place)
    assert not is_held(place)


def test_the_turn_ends_when_the_work_fails(store: Store):
    with pytest.raises(ZeroDivisionError), turn(store, queued(store, 100), never):
        raise ZeroDivisionError
    assert not is_held(store.settings.home / "turn.lock")


def test_a_job_waits_while_another_has_the_turn_and_then_is_given_it(store: Store):
    job = queued(store, 100)
    with held(store.settings.home / "turn.lock") as release:
        looks = Looks(release)
        with turn(store, job, looks):
            assert looks.count >= 3
            assert is_held(store.settings.home / "turn.lock")


def test_a_job_waits_behind_an_earlier_ticket_until_that_worker_dies(store: Store):
    earlier = queued(store, 100, submitted=time.time() - LONG_AGO)
    later = queued(store, 200)
    with held(earlier.folder / "lock") as release:
        looks = Looks(release)
        with turn(store, later, looks):
            assert looks.count >= 3


def test_a_job_waits_behind_an_earlier_ticket_until_that_has_ended(store: Store):
    earlier, later = queued(store, 100), queued(store, 200)
    looks = Looks(lambda: store.update_job(earlier.id, status="done"))
    with turn(store, later, looks):
        assert looks.count >= 3


def test_an_earlier_ticket_does_not_wait_for_a_later_one(store: Store):
    earlier = queued(store, 100)
    queued(store, 200)
    with turn(store, earlier, never):
        pass


@pytest.mark.parametrize("waits_for", ["the turn", "an earlier ticket"])
def test_a_stop_asked_for_while_waiting_ends_the_waiting(store: Store, waits_for: str):
    ahead, job = queued(store, 100), queued(store, 200)
    if waits_for == "the turn":
        store.update_job(ahead.id, status="done")
    asked = iter([False, False, True])
    with (
        held(store.settings.home / "turn.lock"),
        pytest.raises(Stopped),
        turn(store, job, lambda: next(asked)),
    ):
        pytest.fail("the turn was given")
    assert list(asked) == []


def test_a_stop_asked_for_before_leaves_the_turn_to_others(store: Store):
    with pytest.raises(Stopped), turn(store, queued(store, 100), lambda: True):
        pytest.fail("the turn was given")
    assert not is_held(store.settings.home / "turn.lock")


# starting a worker


def test_a_started_worker_is_queued_with_the_time_as_its_ticket(store: Store, started: list):
    job = store.add_job("compare", "reviews", {})
    store.update_job(job.id, status="stopped", reason="it was asked to", created=time.time() - LONG_AGO)
    store.request_stop(job.id)
    before = time.time_ns()
    start_worker(store, job.id)
    again = store.job(job.id)
    assert (again.status, again.reason) == ("queued", "")
    assert before <= again.record.ticket <= time.time_ns()
    assert again.record.submitted == pytest.approx(time.time(), abs=60)
    assert not (job.folder / "stop").exists()
    assert started == [(["-m", "tl_core", "work", job.id], store.settings, job.folder / "log.txt")]


def test_a_job_started_again_goes_to_the_end_of_the_queue(store: Store, started: list):
    first, second = (store.add_job("compare", name, {}) for name in ("first", "second"))
    start_worker(store, first.id)
    time.sleep(0.02)  # a clock may tick this slowly
    start_worker(store, second.id)
    assert titles(jobs_ahead(store, store.job(second.id))) == {"first"}
    time.sleep(0.02)
    start_worker(store, first.id)
    assert titles(jobs_ahead(store, store.job(first.id))) == {"second"}


def test_a_job_that_is_not_there_is_not_started(store: Store, started: list):
    with pytest.raises(RunError, match="There is no job"):
        start_worker(store, "20260101-120000-abcd")
    assert started == []
    assert not store.settings.jobs.exists()


def test_several_processes_are_started_by_torchrun(
    store: Store, started: list, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queue, "sys", SimpleNamespace(platform="linux"))
    job = store.add_job("compare", "reviews", {})
    start_worker(store, job.id, processes=3)
    [(arguments, _, log)] = started
    assert arguments == [
        *("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=3"),
        *("-m", "tl_core", "work", job.id),
    ]
    assert log == job.folder / "log.txt"


def test_several_processes_are_refused_on_windows_before_anything_is_changed(
    store: Store, started: list, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(queue, "sys", SimpleNamespace(platform="win32"))
    job = store.add_job("compare", "reviews", {})
    store.request_stop(job.id)
    with pytest.raises(RunError, match="2 processes cannot train together on Windows.*Leave --processes out"):
        start_worker(store, job.id, processes=2)
    assert started == []
    assert read_record(job.folder / "record.json") == to_json(job.record)
    assert (job.folder / "stop").exists()
    start_worker(store, job.id, processes=1)
    assert len(started) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="what is refused on Windows")
def test_several_processes_are_not_refused_elsewhere(store: Store, started: list):
    start_worker(store, store.add_job("compare", "reviews", {}).id, processes=2)
    assert len(started) == 1
