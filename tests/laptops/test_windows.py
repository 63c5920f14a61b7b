"""The main jobs under the rules of Windows: files in use, no POSIX modules, a coarse clock, a Korean code page."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import psutil
import pytest

from pages.components.kept import resources
from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import finished, small_config, word_examples
from tests.jobs.reader_jobs import small_set, tiny_base, trained_readers
from tests.jobs.vector_jobs import added, learned, royal_file
from tl_core import whole_files
from tl_core.catalog.vector_sets import delete_vectors, open_vectors
from tl_core.errors import OutputError, RunError, StillInUse
from tl_core.exchange.zips import export_run
from tl_core.jobs.classify.compare import submit_comparison
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.jobs.trainings import resume_job
from tl_core.records import read_record, write_record
from tl_core.runs.events import EventLog
from tl_core.runs.store import Store
from tl_core.settings import Settings, read_settings
from tl_core.training.checkpoint import load_checkpoint, save_checkpoint
from tl_core.training.events import Metric, drain
from tl_core.vectors.catalog import open_packaged
from tl_core.vectors.files.read import read_vectors_events
from tl_core.vectors.learn_config import LearnConfig
from tl_core.vectors.learning import learn_vectors

PROJECT = Path(__file__).resolve().parents[2]
SAID = "영화가 정말 좋았다 🙂 ü"
pytestmark = pytest.mark.usefixtures("windows")


def wait(condition: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < end, "waited in vain"
        time.sleep(0.05)


def everything(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


# the rules themselves


@pytest.mark.skipif(sys.platform == "win32", reason="the rules are those of this system")
def test_the_rules_refuse_what_windows_refuses(tmp_path: Path):
    path = tmp_path / "folder" / "file"
    path.parent.mkdir()
    np.save(path.with_suffix(".npy"), np.ones(3))
    mapped = np.load(path.with_suffix(".npy"), mmap_mode="r")
    with pytest.raises(PermissionError):
        os.rename(path.parent, tmp_path / "other")
    with pytest.raises(PermissionError):
        path.with_suffix(".npy").unlink()
    del mapped
    path.with_suffix(".npy").unlink()
    with path.open("w", encoding="utf-8"), pytest.raises(PermissionError):
        os.replace(path, tmp_path / "new")
    (tmp_path / "new").touch()
    with pytest.raises(FileExistsError):
        path.rename(tmp_path / "new")
    with pytest.raises(ImportError):
        import resource  # noqa: F401
    assert not Path("/proc/self/status").exists()
    assert not hasattr(os, "sched_getaffinity")
    assert time.monotonic() * 64 % 1 == 0


# records, store and queue


def test_a_record_is_replaced_while_a_reader_has_it_open_and_every_read_is_whole(tmp_path: Path):
    path, ended, seen = tmp_path / "progress.json", threading.Event(), []
    write_record(path, {"number": -1})

    def read() -> None:
        while not ended.is_set():
            with path.open(encoding="utf-8") as file:  # a page that takes its time
                time.sleep(0.01)
                seen.append(json.load(file)["number"])
            time.sleep(0.02)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(40):
        write_record(path, {"number": number})
        time.sleep(0.005)
    ended.set()
    reader.join()
    assert read_record(path) == {"number": 39}
    assert seen == sorted(seen)


def test_a_refused_read_is_tried_again_and_never_an_absence(store: Store, impatient: None):
    job = store.add_job("compare", "rows", {"kept": True})
    real, refused = Path.read_bytes, [2]

    def read(path: Path) -> bytes:
        if path.name == "record.json" and refused[0]:
            refused[0] -= 1
            raise PermissionError(13, "The process cannot access the file")
        return real(path)

    with patch.object(Path, "read_bytes", read):
        assert store.job(job.id).title == "rows"
        refused[0] = 10**6
        with pytest.raises(StillInUse, match="still in use"):
            store.update_job(job.id, status="running")
        with pytest.raises(StillInUse):
            store.jobs(all_of_them=True)
    assert store.job(job.id).record.config == {"kept": True}
    assert store.job(job.id).record.status == "preparing"


def test_a_record_that_is_gone_is_not_made_again_from_its_changes(store: Store):
    job = store.add_job("compare", "rows", {})
    whole_files.remove(job.folder)
    with pytest.raises(RunError, match="gone or damaged"):
        store.update_job(job.id, status="running")
    assert not job.folder.exists()


def test_what_is_still_in_use_is_deleted_whole_or_not_at_all(store: Store, tmp_path: Path, impatient: None):
    job = finished(store, small_config(tmp_path, ("tfidf", "bow")))
    runs = store.runs_of(job.id)
    before = everything(store.settings.home)
    with runs[-1].events.open(encoding="utf-8"):
        with pytest.raises(StillInUse, match="Nothing was changed"):
            store.delete_job(job.id)
        with pytest.raises(StillInUse):
            store.delete_run(runs[-1].id)
        assert everything(store.settings.home) == before
    store.delete_job(job.id)
    assert not [name for name in everything(store.settings.home) if job.id in name]


def test_a_run_can_be_deleted_a_moment_after_a_page_read_it(store: Store, tmp_path: Path):
    job = finished(store, small_config(tmp_path, ("bow",)))
    [run] = store.runs_of(job.id)
    opened = run.events.open(encoding="utf-8")
    closing = threading.Timer(0.3, opened.close)
    closing.start()
    store.delete_run(run.id)
    closing.join()
    assert not run.folder.exists()
    assert not job.folder.exists()


def test_no_training_ends_because_its_progress_cannot_be_told(store: Store, tmp_path: Path, impatient: None):
    real = whole_files.replace

    def refuse(source: Path, place: Path) -> None:
        if place.name == "progress.json":
            raise StillInUse("a page holds it")
        real(source, place)

    with patch.object(whole_files, "replace", refuse):
        job = finished(store, small_config(tmp_path, ("tfidf", "bow")))
    assert job.status == "done"
    log = EventLog(tmp_path / "events.jsonl")
    log._file = open(os.devnull, encoding="utf-8")  # noqa: SIM115  (it cannot be written)
    log.write(Metric("training loss", 1, 0.5))
    log.close()


def test_a_training_in_its_own_process_with_a_page_that_reads_beside_it(store: Store, tmp_path: Path):
    config = small_config(tmp_path, ("tfidf", "bow", "lora"))
    job = submit_comparison(store, config, Task(word_examples(), title="words"))
    reads = 0
    while not store.job(job.id).ended:
        for run in store.runs_of(job.id):
            if run.events.exists():
                with run.events.open(encoding="utf-8") as events:
                    events.read()
        reads += bool(store.job(job.id).progress)
        time.sleep(0.02)
    ended = store.job(job.id)
    assert ended.status == "done", (ended.reason, (job.folder / "log.txt").read_text(encoding="utf-8"))
    assert reads > 3
    assert {run.status for run in store.runs_of(job.id)} == {"done"}
    assert all(run.record.peak_memory > 0 for run in store.runs_of(job.id))
    store.delete_job(job.id)


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_checkpoint(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TL_CHECKPOINT_SECONDS", "0.2")
    store = Store(read_settings())
    write_tiny_encoder(tmp_path / "tiny", "bert")
    settings = {"lora": {"epochs": 12, "batch_size": 4, "max_tokens": 32, "patience": 100}}
    config = of_strategies(strategies=("lora",), encoder=str(tmp_path / "tiny"), settings=settings)
    unbroken, killed = (submit_comparison(store, config, Task(word_examples(120))) for _ in range(2))
    wait(lambda: store.job(unbroken.id).ended)
    wait(lambda: list(store.settings.runs.glob(f"{killed.id}-*/checkpoint/step-*")))
    for process in psutil.process_iter(["cmdline"]):
        if killed.id in (process.info["cmdline"] or ()):
            process.kill()
    wait(lambda: store.job(killed.id).status == "interrupted", 10)
    resume_job(store, killed.id)
    wait(lambda: store.job(killed.id).ended)
    jobs = [store.job(each.id) for each in (unbroken, killed)]
    assert [job.status for job in jobs] == ["done", "done"]
    losses = [store.runs_of(job.id)[0].record.report["log_loss"] for job in jobs]
    assert losses[0] == losses[1]


def test_a_checkpoint_that_was_read_can_be_replaced(tmp_path: Path):
    import torch

    save_checkpoint(tmp_path, 1, {"weight": torch.ones(1000)}, {"step": 1})
    kept = load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, 2, {"weight": torch.zeros(1000)}, {"step": 2})
    assert [each.name for each in tmp_path.iterdir()] == ["step-000000002"]
    assert kept is not None
    assert float(kept.tensors["weight"].sum()) == 1000


# word vectors


def test_vectors_are_loaded_opened_removed_and_loaded_again(store: Store, tmp_path: Path, impatient: None):
    path = royal_file(tmp_path)
    name = added(store, path).name
    vectors = open_vectors(store, name)
    before = everything(store.settings.vectors)
    with pytest.raises(StillInUse):
        delete_vectors(store, name)
    assert everything(store.settings.vectors) == before
    assert vectors.words
    del vectors
    delete_vectors(store, name)
    assert not everything(store.settings.vectors)
    assert open_vectors(store, added(store, path).name).words


def test_vectors_are_learned_and_opened(store: Store):
    job = learned(store)
    assert job.status == "done", job.reason
    [run] = store.runs_of(job.id)
    assert "king" in open_vectors(store, run.id).words


def test_the_packaged_vectors_leave_no_folder_behind(settings: Settings):
    for _ in range(2):
        assert open_packaged(settings).words[0] == "the"
    assert [each.name for each in settings.vectors.iterdir()] == ["glove-6b-50d"]


def test_learning_from_next_to_nothing_divides_by_no_time():
    sentences = [["a", "b"], ["b", "a"]] * 3
    config = LearnConfig(width=2, min_count=1, epochs=1, workers=1)
    with patch.object(time, "perf_counter", time.monotonic):
        learned = drain(learn_vectors(sentences, config, threads=1))
    assert learned.epochs[0].words_per_second > 0


def test_the_error_of_a_bad_array_is_clear_and_no_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    scratch = tmp_path / "temporary"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    table = np.ones((3, 2), dtype=np.float32)
    table[1, 1] = np.nan
    with gzip.open(tmp_path / "bad.npy.gz", "wb") as file:
        np.save(file, table)
    (tmp_path / "words.txt").write_text("a\nb\nc", encoding="utf-8")
    with pytest.raises(Exception, match="row 2: value 2 of 'b' is NaN"):
        drain(read_vectors_events(tmp_path / "bad.npy.gz", "bad.npy.gz", words_path=tmp_path / "words.txt"))
    assert list(scratch.iterdir()) == []


# what is printed and written


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[bytes]:
    """A command of ours, its output piped, on a system whose code page is Korean."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp949", "PYTHONPATH": _path(), **changes}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
    )


def _path() -> str:
    return os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])


def test_piped_output_is_utf8_whatever_the_code_page(tmp_path: Path):
    (tmp_path / "영화.csv").write_text(
        "text,label\n" + "".join(f"{SAID} {at},{'좋음 🙂' if at % 2 else '나쁨'}\n" for at in range(20)),
        encoding="utf-8",
    )
    ended = run("-m", "tl_core", "check", str(tmp_path / "영화.csv"), "--json")
    assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")
    assert "좋음 🙂" in json.loads(ended.stdout.decode("utf-8"))["classes"]
    ended = run("-m", "tl_core", "check", str(tmp_path / "영화 🙂.csv"))
    assert ended.returncode == 2
    assert "영화 🙂.csv" in ended.stderr.decode("utf-8")


@pytest.mark.parametrize("strategy", ["tfidf", "bow", "bag", "frozen"])
def test_the_portable_scripts_print_utf8(store: Store, tmp_path: Path, strategy: str):
    import zipfile

    job = finished(store, small_config(tmp_path, (strategy,)))
    [done] = store.runs_of(job.id)
    export_run(store, done.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "out")
    ended = run(str(tmp_path / "out" / "predict.py"), SAID)
    assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")
    assert json.loads(ended.stdout.decode("utf-8"))["text"] == SAID


def test_a_config_with_a_byte_order_mark_is_read(store: Store, tmp_path: Path):
    rows = "".join(f"{'good fine' if at % 2 else 'bad poor'} {at},{at % 2}\n" for at in range(40))
    (tmp_path / "rows.csv").write_text(f"text,label\n{rows}", encoding="utf-8")
    (tmp_path / "config.json").write_text('{"strategies": ["tfidf"]}', encoding="utf-8-sig")
    ended = run(
        "-m",
        "tl_core",
        "train",
        str(tmp_path / "rows.csv"),
        "--config",
        str(tmp_path / "config.json"),
        "--json",
    )
    assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")
    assert json.loads(ended.stdout)["runs"][0]["strategy"] == "tfidf"


def test_an_output_that_a_spreadsheet_has_open_is_one_clear_line(
    store: Store, tmp_path: Path, impatient: None
):
    job = finished(store, small_config(tmp_path, ("tfidf",)))
    [done] = store.runs_of(job.id)
    out = tmp_path / "run.zip"
    out.write_bytes(b"the old one")
    with out.open("rb"), pytest.raises(OutputError, match="another program has it open"):
        export_run(store, done.id, out)
    assert out.read_bytes() == b"the old one"
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.slow
def test_what_a_command_writes_beside_an_open_file_is_one_clear_line(store: Store, tmp_path: Path):
    out, npz = tmp_path / "open.txt", tmp_path / "open.npz"
    for held in (out, npz):
        held.write_bytes(b"the old one")
    (tmp_path / "texts.csv").write_text("text\ngood\n", encoding="utf-8")
    [done] = store.runs_of(finished(store, small_config(tmp_path, ("frozen",))).id)
    vectors = added(store, royal_file(tmp_path)).name
    commands = (
        ["predict", done.id, str(tmp_path / "texts.csv"), "--out", str(out)],
        ["save-vectors", vectors, str(out)],
        ["attention", "a text", "--run", done.id, "--out", str(npz)],
    )
    with out.open("rb"), npz.open("rb"):
        for command in commands:
            ended = run("-m", "tl_core", *command, TL_HOME=str(store.settings.home))
            said = ended.stderr.decode("utf-8")
            assert (ended.returncode, "Traceback" in said) == (2, False), said
            assert "another program has it open" in said
    assert out.read_bytes() == npz.read_bytes() == b"the old one"


def test_a_reader_s_portable_script_prints_utf8(store: Store, tmp_path: Path):
    import zipfile

    job = trained_readers(store, small_set(), {"starts": [tiny_base(tmp_path)], "sizes": [8]})
    [done] = store.runs_of(job.id)
    export_run(store, done.id, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        archive.extractall(tmp_path / "out")
    passage = tmp_path / "passage.txt"
    passage.write_text(SAID, encoding="utf-8")
    ended = run(str(tmp_path / "out" / "predict.py"), "--passage", str(passage), "--question", SAID)
    assert ended.returncode == 0, ended.stderr.decode("utf-8", "replace")
    assert json.loads(ended.stdout.decode("utf-8").splitlines()[0])


def test_a_run_whose_model_a_page_has_loaded_is_deleted(store: Store, tmp_path: Path):
    [done] = store.runs_of(finished(store, small_config(tmp_path, ("frozen",))).id)
    resources.classifier(done)
    resources.let_go_of_models()
    store.delete_job(done.record.job)
    assert not everything(store.settings.runs)
