"""Files that another program has open for a while: nothing is lost, taken for absent, or ended by that."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from tests.jobs.jobs import finished, small_config
from tests.jobs.vector_jobs import added, royal_file
from tl_core import whole_files
from tl_core.catalog.vector_sets import vector_set, vector_sets
from tl_core.commands.train import follow
from tl_core.encoders.features import FeatureCache, Features, kept_features
from tl_core.errors import StillInUse
from tl_core.jobs.progress import JobProgress
from tl_core.packages import check_fingerprint
from tl_core.records import write_record
from tl_core.runs.queue import start_worker
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work
from tl_core.settings import Settings
from tl_core.training.checkpoint import load_checkpoint, save_checkpoint
from tl_core.training.events import Training, drain
from tl_core.vectors import space
from tl_core.vectors.catalog import PREPARED, open_packaged, packaged_vectors
from tl_core.whole_files import scratch_folder, write_whole

HELD = PermissionError(13, "The process cannot access the file because it is being used by another process")


def refused(
    method: str, wanted: Callable[[Path], bool], times: int = 10**9, error: OSError = HELD
) -> AbstractContextManager[Any]:
    """`Path.method` refuses so many times the files that are wanted."""
    real, left = getattr(Path, method), [times]

    def step(path: Path, *arguments: Any, **options: Any) -> Any:
        if wanted(path) and left[0]:
            left[0] -= 1
            raise error
        return real(path, *arguments, **options)

    return patch.object(Path, method, step)


def named(name: str) -> Callable[[Path], bool]:
    return lambda path: path.name == name


def test_a_training_goes_on_when_its_log_of_events_cannot_be_opened(store: Store, tmp_path: Path):
    with refused("open", named("events.jsonl")):
        assert finished(store, small_config(tmp_path, ("tfidf",))).status == "done"


def test_a_progress_that_stays_held_costs_a_training_little(tmp_path: Path, impatient: None):
    progress, tries = JobProgress(tmp_path / "progress.json", {"a": 1.0}), []
    with patch(
        "tl_core.jobs.progress.write_record", lambda *_: tries.append(1) or _raise(StillInUse("held"))
    ):
        end = time.perf_counter() + 2
        while time.perf_counter() < end:
            progress.update("a", "training", 0.1)
            time.sleep(0.005)
    assert len(tries) == 1
    progress.pause = 0.0
    progress.update("a", "training", 0.2)
    assert (tmp_path / "progress.json").exists()
    assert progress.pause < 1


def _raise(error: Exception) -> None:
    raise error


def test_word_vectors_that_are_held_for_a_moment_are_not_made_anew(settings: Settings):
    if packaged_vectors() is None:
        pytest.skip("the packaged vectors are not installed")
    open_packaged(settings)
    columns = settings.vectors / PREPARED / space.COLUMNS
    before, real, left = columns.stat().st_mtime_ns, np.load, [1]

    def load(path: Path, *arguments: Any, **options: Any) -> Any:
        if Path(path).name == space.COLUMNS and left[0]:
            left[0] -= 1
            raise HELD
        return real(path, *arguments, **options)

    with patch.object(np, "load", load):
        open_packaged(settings)
    assert not left[0]
    assert columns.stat().st_mtime_ns == before


def test_a_set_of_vectors_whose_record_is_held_is_not_said_to_be_absent(
    store: Store, tmp_path: Path, impatient: None
):
    name = added(store, royal_file(tmp_path)).name
    with refused("read_bytes", named("record.json")):
        assert name not in [each.name for each in vector_sets(store)]
        with pytest.raises(StillInUse):
            vector_set(store, name)
    assert vector_set(store, name).name == name


def test_a_file_of_weights_that_is_held_for_a_moment_is_neither_missing_nor_another(
    settings: Settings, tmp_path: Path
):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"numbers")
    digest = hashlib.sha256(b"numbers").hexdigest()
    for method in ("stat", "open"):
        with refused(method, lambda path: path == weights, 2):
            check_fingerprint(weights, digest, settings.cache)


@pytest.mark.parametrize("code", [32, 303, 1224])
def test_every_way_in_which_windows_says_in_use_is_waited_for(tmp_path: Path, code: int):
    error, real, left = OSError(errno.EINVAL, "user-mapped section"), os.replace, [2]
    error.winerror = code  # type: ignore[attr-defined, unused-ignore]

    def step(source: Path, place: Path) -> None:
        if left[0]:
            left[0] -= 1
            raise error
        real(source, place)

    with patch.object(whole_files.os, "replace", step):
        write_whole(tmp_path / "record", b"1")
    assert (tmp_path / "record").read_bytes() == b"1"


def test_a_checkpoint_that_is_held_for_a_moment_is_read(tmp_path: Path):
    import torch

    save_checkpoint(tmp_path, 1, {"weight": torch.ones(2)}, {"step": 1})
    with refused("read_bytes", named("facts.json"), 2):
        checkpoint = load_checkpoint(tmp_path)
    assert checkpoint is not None
    assert checkpoint.facts == {"step": 1}


def test_the_end_of_a_job_is_written_though_its_record_is_held_for_long(store: Store, impatient: None):
    job = store.add_job("compare", "rows", {})
    store.update_job(job.id, status="queued", submitted=time.time(), ticket=time.time_ns())
    ended = threading.Event()
    real = os.replace

    def step(source: Path, place: Path) -> None:
        if ended.is_set() and Path(place).name == "record.json" and time.perf_counter() < until[0]:
            raise HELD
        real(source, place)

    until = [0.0]

    def run(_: Store, __: Job) -> None:
        until[0] = time.perf_counter() + 0.8  # eight times as long as one patience
        ended.set()

    with patch.object(whole_files.os, "replace", step):
        assert work(store, job.id, run) == 0
    assert store.job(job.id).status == "done"


def test_the_command_line_goes_on_looking_at_a_training_whose_progress_is_held(store: Store, impatient: None):
    job = store.add_job("compare", "rows", {})
    write_record(job.folder / "progress.json", {"share": 0.5})
    with refused("read_bytes", named("progress.json"), 5):
        threading.Timer(0.5, lambda: store.update_job(job.id, status="done")).start()
        follow(store, job.id)
    assert store.job(job.id).ended


def test_one_job_whose_record_is_held_hides_no_other(store: Store, impatient: None):
    held, other = (store.add_job("compare", title, {}) for title in ("held", "other"))
    with refused("read_bytes", lambda path: path.parent.name == held.id):
        assert [job.id for job in store.jobs()] == [other.id]
        assert [(entry.id, "in use" in entry.reason) for entry in store.unreadable()] == [(held.id, True)]
    assert len(store.jobs()) == 2


def test_a_worker_whose_log_is_held_is_refused_clearly(store: Store, impatient: None):
    job = store.add_job("compare", "rows", {})
    with refused("open", named("log.txt")), pytest.raises(StillInUse):
        start_worker(store, job.id)


def test_features_that_cannot_be_kept_are_given_all_the_same(tmp_path: Path):
    def compute(texts: list[str]) -> Training[Features]:
        yield from ()
        return np.ones((len(texts), 2), dtype=np.float32)

    with patch.object(np, "save", lambda *_, **__: _raise(OSError(errno.ENOSPC, "No space left on device"))):
        features = drain(kept_features(FeatureCache(tmp_path, "key"), ["a", "b"], compute))
    assert features.tolist() == [[1, 1], [1, 1]]


@pytest.mark.usefixtures("windows")
def test_word_vectors_that_a_full_disk_cuts_off_leave_nothing(settings: Settings):
    real = np.save

    def save(path: Path, *arguments: Any, **options: Any) -> None:
        if Path(path).name == space.LENGTHS:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(path, *arguments, **options)

    with patch.object(np, "save", save), pytest.raises(OSError, match="No space left"):
        space.save_vectors(
            settings.vectors / "file-0123456789abcdef", "x", ["a", "b"], np.ones((2, 3), dtype=np.float32)
        )
    assert not list(settings.vectors.rglob("*"))


@pytest.mark.usefixtures("windows")
def test_a_scratch_folder_that_a_scanner_looks_at_goes_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder() as folder:
        (folder / "file").write_bytes(b"x" * 1000)
        held = (folder / "file").open("rb")
        threading.Timer(0.3, held.close).start()
    assert not list(tmp_path.iterdir())


def test_scratch_folders_of_killed_processes_go_after_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    old, young, other = (
        tmp_path / name for name in ("transfer-learning-old", "transfer-learning-new", "other")
    )
    for folder in (old, young, other):
        folder.mkdir()
        (folder / "file").touch()
    for folder in (old, other):
        os.utime(folder, (time.time() - 2 * 24 * 3600,) * 2)
    with scratch_folder():
        assert [folder.exists() for folder in (old, young, other)] == [False, True, True]
