"""Records of other versions: those of before are read, newer and damaged ones are listed with their reason."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tl_core.errors import RunError
from tl_core.runs.store import VERSION, Store
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
    assert (run.status, run.task, run.record["strategy"]) == ("done", "classify", "tfidf")
    assert [each.id for each in store.runs_of(job.id)] == [run.id]
    assert run.report is not None
    assert 0 < run.report["accuracy"] <= 1
    assert store.unreadable() == []


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
