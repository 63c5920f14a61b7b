"""The folders of jobs and runs: what is written, what they are said to be, what may be deleted."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tl_core import whole_files
from tl_core.errors import RunError, StillInUse
from tl_core.records import read_record, write_record
from tl_core.runs import store as store_module
from tl_core.runs.locks import try_lock
from tl_core.runs.records import RunRecord
from tl_core.runs.store import ENDED, Job, Run, Store, new_id
from tl_core.settings import Settings
from tl_core.whole_files import remove

LONG_AGO = 60.0  # seconds, longer than a worker may take to start


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def ids_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every job a second after the one before; the real ids of one second have no order."""
    ids = (f"20260101-1200{second:02}-abcd" for second in range(60))
    monkeypatch.setattr(store_module, "new_id", lambda: next(ids))


def a_job(store: Store, **changes: Any) -> Job:
    job = store.add_job("compare", "reviews", {})
    store.update_job(job.id, **changes)
    return store.job(job.id)


def a_run(store: Store, job: Job, suffix: str = "lora-1", **record: Any) -> Run:
    run_id = f"{job.id}-{suffix}"
    store.write_run(RunRecord(**{"id": run_id, "job": job.id, "status": "done", **record}))
    return store.run(run_id)


@contextmanager
def worker_at(job: Job) -> Iterator[None]:
    """The job's lock is held, as by a worker that lives."""
    lock = try_lock(job.folder / "lock")
    assert lock is not None
    try:
        yield
    finally:
        lock.release()


def everything(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*")}


# jobs


def test_a_new_job_is_queued_with_its_words_and_an_empty_data_folder(store: Store):
    before = time.time()
    job = store.add_job("compare", "영화 reviews 🙂", {"strategies": ["tfidf"]})
    assert job == store.job(job.id)
    assert (job.status, job.title, job.reason, job.ended) == ("queued", "영화 reviews 🙂", "", False)
    assert job.record.kind == "compare"
    assert job.record.config == {"strategies": ["tfidf"]}
    assert before - 1 < job.record.created < time.time() + 1
    assert everything(store.settings.home) == {
        "jobs",
        "runs",
        f"jobs/{job.id}",
        f"jobs/{job.id}/record.json",
        f"jobs/{job.id}/data",
    }


def test_the_title_of_a_job_that_has_none_is_its_id(store: Store):
    job = store.add_job("compare", "reviews", {})
    write_record(job.folder / "record.json", {"status": "done"})
    assert store.job(job.id).title == job.id


@pytest.mark.parametrize("blocked", ["jobs", "runs"])
def test_a_job_that_cannot_be_written_leaves_no_job_behind(store: Store, blocked: str):
    store.settings.home.mkdir()
    (store.settings.home / blocked).write_text("a file", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be written.*TL_HOME"):
        store.add_job("compare", "reviews", {})
    assert store.jobs() == []
    assert not [name for name in everything(store.settings.home) if "record" in name]


def test_update_changes_the_fields_it_names_and_keeps_the_others(store: Store):
    job = store.add_job("compare", "reviews", {"kept": True})
    store.update_job(job.id, status="failed", reason="no room")
    changed = store.job(job.id)
    assert (changed.status, changed.reason) == ("failed", "no room")
    assert changed.record.config == {"kept": True}


def test_update_leaves_a_damaged_record_as_it_is(store: Store):
    job = store.add_job("compare", "reviews", {})
    (job.folder / "record.json").write_text('{"id": ', encoding="utf-8")
    with pytest.raises(RunError, match="gone or damaged"):
        store.update_job(job.id, status="running")
    assert (job.folder / "record.json").read_text(encoding="utf-8") == '{"id": '


def test_a_job_that_is_not_there_is_told_in_one_line(store: Store):
    absent = new_id()
    with pytest.raises(RunError, match=f"There is no job {absent}. `runs list`"):
        store.job(absent)
    with pytest.raises(RunError, match=f"There is no run {absent}. `runs list`"):
        store.run(absent)


def test_an_empty_home_has_no_jobs_and_no_runs_and_reading_makes_no_folder(store: Store):
    assert store.jobs() == []
    assert store.runs() == []
    assert not store.settings.home.exists()


def test_jobs_are_listed_newest_first(store: Store, ids_in_order: None):
    made = [store.add_job("compare", str(number), {}) for number in range(3)]
    assert [job.title for job in store.jobs()] == ["2", "1", "0"]
    assert made == store.jobs()[::-1]


def test_what_is_no_job_is_not_listed(store: Store):
    job = store.add_job("compare", "reviews", {})
    (store.settings.jobs / new_id()).mkdir()  # without a record
    (store.settings.jobs / ".DS_Store").touch()
    (store.settings.jobs / "my notes").mkdir()
    damaged = store.settings.jobs / "20260101-120000-abcd"
    damaged.mkdir()
    (damaged / "record.json").write_text("[]", encoding="utf-8")
    assert [each.id for each in store.jobs()] == [job.id]


def test_a_job_or_a_run_deleted_between_listing_and_reading_is_left_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    stays, goes = a_job(store, status="done"), a_job(store, status="done")
    runs = {job.id: a_run(store, job) for job in (stays, goes)}
    read_job, read_run = Store.job, Store.run

    def job(self: Store, job_id: str) -> Job:
        if job_id == goes.id:
            remove(goes.folder)
        return read_job(self, job_id)

    def run(self: Store, run_id: str) -> Run:
        if run_id == runs[goes.id].id:
            remove(runs[goes.id].folder)
        return read_run(self, run_id)

    monkeypatch.setattr(Store, "job", job)
    monkeypatch.setattr(Store, "run", run)
    assert [each.id for each in store.runs()] == [runs[stays.id].id]
    assert [each.id for each in store.jobs()] == [stays.id]


def test_progress_is_empty_before_the_start_and_then_the_last_that_was_written(store: Store):
    job = store.add_job("compare", "reviews", {})
    assert job.progress == {}
    write_record(job.folder / "progress.json", {"share": 0.25, "doing": "LoRA"})
    assert job.progress == {"share": 0.25, "doing": "LoRA"}


def test_a_stop_is_asked_for_by_a_file_and_may_be_asked_for_twice(store: Store):
    job = store.add_job("compare", "reviews", {})
    assert not (job.folder / "stop").exists()
    store.request_stop(job.id)
    store.request_stop(job.id)
    assert (job.folder / "stop").exists()


def test_a_stop_of_a_job_that_is_not_there_makes_no_folder(store: Store):
    absent = new_id()
    with pytest.raises(RunError, match="There is no job"):
        store.request_stop(absent)
    assert not (store.settings.jobs / absent).exists()


# what a job is said to be


@pytest.mark.parametrize("status", ["preparing", "queued"])
def test_a_fresh_job_is_queued_though_its_worker_does_not_hold_the_lock_yet(store: Store, status: str):
    assert a_job(store, status=status).status == "queued"


@pytest.mark.parametrize("status", ["preparing", "queued"])
def test_a_job_whose_worker_never_came_is_interrupted(store: Store, status: str):
    job = a_job(store, status=status, created=time.time() - LONG_AGO)
    assert job.status == "interrupted"
    assert job.ended


def test_an_old_job_that_was_submitted_again_is_fresh(store: Store):
    job = a_job(store, status="queued", created=time.time() - LONG_AGO, submitted=time.time())
    assert job.status == "queued"


@pytest.mark.parametrize(
    ("status", "told"), [("preparing", "queued"), ("queued", "queued"), ("running", "running")]
)
def test_a_job_lives_while_its_lock_is_held_and_is_interrupted_when_nobody_holds_it(
    store: Store, status: str, told: str
):
    job = a_job(store, status=status, created=time.time() - LONG_AGO)
    with worker_at(job):
        assert store.job(job.id).status == told
        assert not store.job(job.id).ended
    assert store.job(job.id).status == "interrupted"


def test_a_running_job_without_a_lock_is_interrupted_however_fresh_it_is(store: Store):
    assert a_job(store, status="running").status == "interrupted"


@pytest.mark.parametrize("status", ENDED)
def test_how_a_job_ended_is_kept_whoever_holds_its_lock(store: Store, status: str):
    job = a_job(store, status=status)
    assert job.status == status
    assert job.ended
    with worker_at(job):
        assert store.job(job.id).status == status


def test_a_worker_that_ends_while_its_job_is_being_read_is_not_called_interrupted(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    job = a_job(store, status="running")

    def ends_now(_: Path) -> bool:
        store.update_job(job.id, status="done")
        return False

    monkeypatch.setattr(store_module, "is_held", ends_now)
    assert store.job(job.id).status == "done"


def test_a_record_without_a_status_is_that_of_a_failed_one(store: Store):
    job = store.add_job("compare", "reviews", {})
    write_record(job.folder / "record.json", {"id": job.id})
    assert store.job(job.id).status == "failed"
    store.write_run(RunRecord(id=f"{job.id}-lora-1"))
    assert store.run(f"{job.id}-lora-1").status == "failed"


# identifiers


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../jobs",
        "/etc/passwd",
        "C:\\Windows",
        "20260101-120000-abcd/..",
        "20260101-120000-abcd\\..",
        "20260101-120000-abcd-../../x",
        "20260101-120000-abcd\n",
        "20260101-120000-abcd-",
        "20260101-120000-abcd-LoRA",
        "20260101-120000-abcd-" + "a" * 61,
        "20260101-120000-abcg",
        "２０２６０１０１-120000-abcd",
    ],
)
def test_an_id_that_could_name_a_path_is_refused_everywhere(store: Store, name: str):
    for ask in (
        store.job,
        store.run,
        store.update_job,
        store.request_stop,
        store.delete_job,
        store.delete_run,
        lambda each: store.write_run(RunRecord(id=each)),
    ):
        with pytest.raises(RunError, match="is not the id of a job or a run"):
            ask(name)
    assert not store.settings.home.exists()


def test_new_ids_are_accepted_and_sort_by_time(monkeypatch: pytest.MonkeyPatch):
    assert store_module.checked(new_id())
    assert store_module.checked(f"{new_id()}-top-layers-all-2")
    moments = iter(["20251231-235959", "20260101-000000"])
    monkeypatch.setattr(time, "strftime", lambda _: next(moments))
    assert new_id() < new_id()


# runs


def test_a_run_knows_its_folders_its_task_and_its_report(store: Store):
    job = a_job(store, status="done")
    run = a_run(store, job)
    assert run.task == "classify"  # records of classifiers did not always say theirs
    assert run.report is None
    assert (run.model, run.events) == (run.folder / "model", run.folder / "events.jsonl")
    reader = a_run(store, job, "reader", task="read", report={"f1": 0.5})
    assert reader.task == "read"
    assert reader.report == {"f1": 0.5}


def test_runs_are_listed_newest_first(store: Store, ids_in_order: None):
    runs = [a_run(store, store.add_job("compare", "reviews", {})) for _ in range(3)]
    assert [run.id for run in store.runs()] == [run.id for run in runs[::-1]]


def test_the_runs_of_a_job_come_in_the_order_in_which_they_were_begun(store: Store, ids_in_order: None):
    job, other = (store.add_job("compare", "reviews", {}) for _ in range(2))
    a_run(store, job, "tfidf-1", started=30.0)
    a_run(store, job, "bag-1", started=20.0)
    a_run(store, job, "lora-1", started=10.0)
    a_run(store, job, "zero")  # which does not say when
    a_run(store, other, "bow-1", started=15.0)
    suffixes = [run.id.removeprefix(f"{job.id}-") for run in store.runs_of(job.id)]
    assert suffixes == ["zero", "lora-1", "bag-1", "tfidf-1"]


@pytest.mark.parametrize("status", ["done", "failed", "stopped"])
def test_how_a_run_ended_is_kept_while_its_job_goes_on(store: Store, status: str):
    job = a_job(store, status="running")
    with worker_at(job):
        assert a_run(store, job, status=status).status == status


def test_a_running_run_is_what_its_job_lets_it_be(store: Store):
    job = a_job(store, status="running")
    run = a_run(store, job, status="running")
    with worker_at(job):
        assert store.run(run.id).status == "running"
    assert store.run(run.id).status == "interrupted"
    for ended, told in (("stopped", "stopped"), ("failed", "interrupted"), ("done", "interrupted")):
        store.update_job(job.id, status=ended)
        assert store.run(run.id).status == told
    remove(job.folder)
    assert store.run(run.id).status == "interrupted"


def test_a_running_run_without_a_job_is_interrupted(store: Store):
    run_id = new_id()
    store.write_run(RunRecord(id=run_id, status="running"))
    assert store.run(run_id).status == "interrupted"


# deleting


@pytest.mark.parametrize("status", ENDED)
def test_an_ended_job_goes_with_its_runs_and_no_other_job_does(store: Store, status: str):
    job, other = a_job(store, status=status), a_job(store, status="done")
    for suffix in ("lora-1", "tfidf-1"):
        a_run(store, job, suffix)
    stays = a_run(store, other)
    store.delete_job(job.id)
    assert [each.id for each in store.jobs()] == [other.id]
    assert [each.id for each in store.runs()] == [stays.id]
    assert not [name for name in everything(store.settings.home) if job.id in name]


def test_a_job_that_lives_is_not_deleted(store: Store):
    job = store.add_job("compare", "reviews", {})
    run = a_run(store, job)
    with pytest.raises(RunError, match=f"Job {job.id} is queued. Stop it before you delete it"):
        store.delete_job(job.id)
    store.update_job(job.id, status="running")
    with worker_at(job), pytest.raises(RunError, match="is running. Stop it before you delete it"):
        store.delete_job(job.id)
    assert job.folder.exists()
    assert run.folder.exists()


def test_a_job_whose_folder_is_in_use_keeps_its_runs(store: Store, monkeypatch: pytest.MonkeyPatch):
    job = a_job(store, status="done")
    run = a_run(store, job)
    before, rename = everything(store.settings.home), whole_files.os.rename

    def refuse(source: Path, place: Path) -> None:
        if Path(source) == job.folder:
            raise PermissionError(13, "The process cannot access the file")
        rename(source, place)

    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(whole_files.os, "rename", refuse)
    for ask in (lambda: store.delete_job(job.id), lambda: store.delete_run(run.id)):
        with pytest.raises(StillInUse, match="Nothing was changed"):
            ask()
        assert everything(store.settings.home) == before


def test_one_run_of_several_is_deleted_and_its_job_stays(store: Store):
    job = a_job(store, status="done")
    goes, stays = a_run(store, job, "lora-1"), a_run(store, job, "tfidf-1")
    store.delete_run(goes.id)
    assert [run.id for run in store.runs_of(job.id)] == [stays.id]
    assert not goes.folder.exists()
    assert job.folder.exists()


def test_the_last_run_of_an_ended_job_takes_the_folder_of_the_job_along(store: Store):
    job, other = a_job(store, status="failed"), a_job(store, status="done")
    run = a_run(store, job)
    store.delete_run(run.id)
    assert not run.folder.exists()
    assert not job.folder.exists()
    assert [each.id for each in store.jobs()] == [other.id]


def test_the_only_run_of_a_live_job_leaves_the_job_to_its_worker(store: Store):
    job = a_job(store, status="running")
    run = a_run(store, job)
    with worker_at(job):
        store.delete_run(run.id)
        assert store.job(job.id).status == "running"
    assert not run.folder.exists()


def test_a_running_run_is_not_deleted(store: Store):
    job = a_job(store, status="running")
    run = a_run(store, job, status="running")
    with worker_at(job), pytest.raises(RunError, match=f"Run {run.id} is running. Stop its job"):
        store.delete_run(run.id)
    assert run.folder.exists()


@pytest.mark.parametrize("job_is", ["gone", "never told", "damaged"])
def test_a_run_whose_job_cannot_be_read_can_be_deleted(store: Store, job_is: str):
    job = a_job(store, status="done")
    run = a_run(store, job)
    if job_is == "gone":
        remove(job.folder)
    elif job_is == "never told":  # as that of a run which came from elsewhere
        store.write_run(RunRecord(id=run.id, status="done"))
    else:
        (job.folder / "record.json").write_bytes(b"\x00" * 100)
    store.delete_run(run.id)
    assert not run.folder.exists()
    assert job.folder.exists() == (job_is == "never told")


def test_a_run_that_names_a_path_as_its_job_takes_nothing_else_along(store: Store):
    job = a_job(store, status="done")
    run = a_run(store, job)
    store.write_run(replace(run.record, job="../jobs"))
    store.delete_run(run.id)
    assert not run.folder.exists()
    assert read_record(job.folder / "record.json") is not None
