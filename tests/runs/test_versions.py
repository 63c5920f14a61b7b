"""Records of other versions: those of before are read, newer and damaged ones are listed with their reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.pages.made_up import add_job, add_reader_job
from tl_core.errors import RunError
from tl_core.jobs.kinds import planned_trainings
from tl_core.outcomes.experiment import read_grid, summarise
from tl_core.records import read_record, write_record
from tl_core.runs.records import VERSION, job_fields, run_fields
from tl_core.runs.store import Store
from tl_core.settings import Settings

KEPT = Path(__file__).with_name("kept")  # a job and its run as the first version wrote them


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def damaged_and_newer(store: Store) -> tuple[str, str]:
    """The ids of a job whose record is cut off and of one that a newer version wrote."""
    ids = []
    for content in ('{"id": "cut', json.dumps({"version": VERSION + 1, "title": "tomorrow"})):
        job = store.add_job("compare", "rows", {})
        (job.folder / "record.json").write_text(content, encoding="utf-8")
        ids.append(job.id)
    return ids[0], ids[1]


def test_records_of_the_first_version_are_read(store: Store):
    shutil.copytree(KEPT / "jobs", store.settings.jobs)
    shutil.copytree(KEPT / "runs", store.settings.runs)
    [job], [run] = store.jobs(), store.runs()
    assert (job.status, job.kind, job.title) == ("done", "compare", "film_reviews_en.csv")
    assert (run.status, run.task, run.record.strategy) == ("done", "classify", "tfidf")
    assert [each.id for each in store.runs_of(job.id)] == [run.id]
    assert run.report is not None
    assert 0 < run.report["accuracy"] <= 1
    assert store.unreadable() == []


def test_fields_of_the_first_version_become_those_of_this_one():
    job = job_fields({"recipe": "grid", "title": "rows"})
    assert (job["kind"], job["version"]) == ("grid", VERSION)
    source = run_fields({"strategy": "lora", "role": "zero", "source": "amazon", "per_class": 8})
    assert (source["role"], source["size"], source["arm"], source["from_source"]) == (
        "zero_shot",
        8,
        "lora",
        True,
    )
    reader = run_fields({"task": "read", "strategy": "lora", "start": 1, "size": 0, "source": "minilm"})
    assert (reader["arm"], reader["size"], reader.get("from_source")) == ("start2", 0, None)


def test_a_grid_and_a_reader_training_of_the_first_version_are_still_compared(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=1)
    reading = add_reader_job(store, (16, 64))
    for folder in (*store.settings.runs.iterdir(), job.folder, reading.folder):
        as_first_version(folder)
    runs = store.runs_of(job.id)
    assert {run.record.role for run in runs} == {"target"}
    assert [point.arm for point in summarise(store.job(job.id), runs).points] == ["tfidf", "lora"]
    grid = read_grid(store.job(reading.id), store.runs_of(reading.id))
    assert [(point.arm, point.size) for point in grid.points] == [
        ("start1", 16),
        ("start1", 64),
        ("start2", 16),
        ("start2", 64),
    ]
    assert planned_trainings(store.job(job.id)) == 2


def as_first_version(folder: Path) -> None:
    """Write a record as the first version did."""
    path = folder / "record.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    del record["version"]
    if "kind" in record:
        record["recipe"] = record.pop("kind")
    arm = record.pop("arm", "")
    if record.get("task") == "read":
        record["start"] = int(arm.removeprefix("start")) - 1
    for name in ("name", "from_source"):
        record.pop(name, None)
    path.write_text(
        json.dumps({name: value for name, value in record.items() if value is not None}), encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": "one"}, "must be a whole number; got 'one' @ RunRecord.seed"),
        ({"rows": 3}, "RunRecord.rows"),
        ({"status": None}, "must be text; got None @ RunRecord.status"),
    ],
)
def test_a_record_with_a_field_of_the_wrong_kind_is_unreadable_and_says_which(
    store: Store, change: dict[str, object], said: str
):
    job = add_job(store, ("tfidf",), seeds=2)
    bad, good = store.runs_of(job.id)
    record = read_record(bad.folder / "record.json")
    assert record is not None
    write_record(bad.folder / "record.json", record | change)
    assert [run.id for run in store.runs_of(job.id)] == [good.id]
    [unreadable] = store.unreadable()
    assert said in unreadable.reason


def test_what_cannot_be_read_is_listed_with_its_reason_and_hides_nothing(store: Store):
    good = store.add_job("compare", "rows", {})
    cut, newer = damaged_and_newer(store)
    assert [job.id for job in store.jobs()] == [good.id]
    reasons = {each.id: each.reason for each in store.unreadable()}
    assert "is damaged" in reasons[cut]
    assert f"of version {VERSION + 1}; this version reads up to {VERSION}" in reasons[newer]
    with pytest.raises(RunError, match="is damaged"):
        store.job(cut)


def test_what_cannot_be_read_is_never_written_over(store: Store):
    cut, newer = damaged_and_newer(store)
    for identifier in (cut, newer):
        before = (store.settings.jobs / identifier / "record.json").read_bytes()
        with pytest.raises(RunError):
            store.update_job(identifier, status="running")
        assert (store.settings.jobs / identifier / "record.json").read_bytes() == before


def test_what_cannot_be_read_can_be_deleted_by_its_id(store: Store):
    good = store.add_job("compare", "rows", {})
    cut, newer = damaged_and_newer(store)
    store.delete_unreadable(cut)
    assert [each.id for each in store.unreadable()] == [newer]
    with pytest.raises(RunError, match="no unreadable"):
        store.delete_unreadable(good.id)
    assert store.job(good.id)
