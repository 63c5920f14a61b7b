"""Jobs over word vectors, from submission to what they leave: learning, evaluation, downloads, loaded files."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
import threading
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from gensim import downloader

from tests.jobs.vector_jobs import SMALL, TEXTS, added, learned, royal_file, waiting, worked
from tests.vectors.made_vectors import ROYAL
from tl_core.catalog import vector_sets as vector_sets_module
from tl_core.catalog.vector_sets import (
    add_vectors,
    delete_vectors,
    open_vectors,
    vector_set,
    vector_sets,
    vectors_stamp,
)
from tl_core.errors import ConfigError, DataError, ModelError, RunError
from tl_core.jobs.trainings import resume_job
from tl_core.jobs.vectors import fetch, learn
from tl_core.jobs.vectors.evaluate import QualityConfig, evaluation_result, submit_evaluation
from tl_core.jobs.vectors.fetch import fetched_vectors, submit_fetch
from tl_core.jobs.vectors.learn import learned_history, submit_learning
from tl_core.outcomes.runs import job_lines
from tl_core.runs.events import read_curves
from tl_core.runs.records import RunRecord
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.training.events import Progress, drain
from tl_core.vectors import learning
from tl_core.vectors.learn_config import LearnConfig
from tl_core.vectors.quality import AnalogyReport, SimilarityReport
from tl_core.vectors.search import neighbours

ANALOGIES = b": royal\nman king woman queen\nwoman queen man king\nman king woman nowhere\n"
PAIRS = b"king\tqueen\t8\nking\tman\t7\nking\tapple\t1\nking\tnowhere\t5\n"


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def online(settings: Settings) -> Store:
    return Store(dataclasses.replace(settings, offline=False))


# learning


@pytest.mark.parametrize("method", ["skipgram", "cbow", "fasttext"])
def test_learned_vectors_are_a_set_that_opens(store: Store, method: str) -> None:
    job = learned(store, dataclasses.replace(SMALL, method=method), watched=["king", "nowhere"])
    assert job.status == "done", job.reason
    [run] = store.runs_of(job.id)
    found = vector_set(store, run.id)
    assert (found.origin, found.width) == ("learned", 8)
    vectors = open_vectors(store, run.id)
    assert len(vectors.words) == found.words == run.record.facts["words"]
    assert vectors.rows.shape == (found.words, 8)
    assert len(neighbours(vectors, "king", 3)) == 3
    assert run.record.facts["words per second"] > 0
    assert run.record.trained_parameters == found.words * 8
    history = learned_history(run)
    assert [each.epoch for each in history.epochs] == [1, 2, 3]
    assert [each.loss is None for each in history.epochs] == [method == "fasttext"] * 3
    assert {word: len(near) for word, near in history.neighbours.items()} == {"king": 3}
    names = {curve.name for curve in read_curves(run.events)}
    assert names == {"words_per_second", "changed:king"} | ({"loss"} if method != "fasttext" else set())
    [line] = job_lines(store)
    assert (line.done, line.planned, line.best) == (1, 1, None)


def test_korean_is_cut_into_morphemes(store: Store) -> None:
    texts = ["배를 먹었다. 배가 달다.", "사과를 먹었다. 사과가 달다."] * 5
    job = learned(store, dataclasses.replace(SMALL, splitter="morphemes"), texts)
    assert job.status == "done", job.reason
    assert {"배", "사과", "먹다"} <= set(open_vectors(store, store.runs_of(job.id)[0].id).words)


def test_a_stopped_job_goes_on_where_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TL_CHECKPOINT_SECONDS", "0")
    store = Store(dataclasses.replace(store.settings, checkpoint_seconds=0))
    whole = learned(store)
    with waiting():
        job = submit_learning(store, SMALL, TEXTS, "kings.txt")
    save = learning.save_checkpoint

    def save_and_stop(folder: Path, step: int, *rest: object) -> None:
        save(folder, step, *rest)  # type: ignore[arg-type]
        if step == 2:
            store.request_stop(job.id)

    monkeypatch.setattr(learning, "save_checkpoint", save_and_stop)
    assert worked(store, job).status == "stopped"
    monkeypatch.setattr(learning, "save_checkpoint", save)
    [run] = store.runs_of(job.id)
    assert run.status == "stopped"
    assert not [each for each in vector_sets(store) if each.origin == "learned" and each.name == run.id]
    with pytest.raises(RunError, match="is stopped; only a finished run"):
        open_vectors(store, run.id)
    (job.folder / "stop").unlink()
    with waiting():
        resume_job(store, job.id)
    job = worked(store, job)
    assert job.status == "done", job.reason
    mine, other = (open_vectors(store, store.runs_of(each.id)[0].id) for each in (job, whole))
    assert mine.words == other.words
    np.testing.assert_array_equal(mine.rows, other.rows)
    assert [each.epoch for each in learned_history(store.run(run.id)).epochs] == [1, 2, 3]


def test_what_cannot_be_learned_from_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="kings.txt holds no text"):
        submit_learning(store, SMALL, ["  ", ""], "kings.txt")
    monkeypatch.setattr(learn, "MOST_CHARACTERS", 10)
    with pytest.raises(DataError, match="at most 0 are taken"):
        submit_learning(store, SMALL, TEXTS, "kings.txt")
    monkeypatch.undo()
    assert not store.jobs()


def test_too_few_words_end_a_job_with_one_clear_line(store: Store) -> None:
    job = learned(store, LearnConfig(min_count=1000), TEXTS)
    assert job.status == "failed"
    assert "Lower min_count" in job.reason
    assert [run.status for run in store.runs_of(job.id)] == ["failed"]
    with pytest.raises(RunError, match="no history"):
        learned_history(store.runs_of(job.id)[0])


def test_a_run_of_another_task_is_not_a_set(store: Store) -> None:
    job = store.add_job("compare", "other", {})
    store.write_run(RunRecord(id=f"{job.id}-x", job=job.id, status="done"))
    with pytest.raises(RunError, match="did not learn word vectors"):
        open_vectors(store, f"{job.id}-x")


# evaluation


def test_analogies_are_asked_in_a_job(store: Store, tmp_path: Path) -> None:
    name = added(store, royal_file(tmp_path)).name
    with waiting():
        job = submit_evaluation(store, name, QualityConfig(), "mine.txt", ANALOGIES)
    assert job.title == "royal.txt on mine.txt"
    job = worked(store, job)
    assert job.status == "done", job.reason
    report, seconds = evaluation_result(job)
    assert isinstance(report, AnalogyReport)
    assert (report.overall.covered, report.overall.total, report.overall.accuracy) == (2, 3, 1.0)
    assert seconds >= 0


def test_word_pairs_are_judged_in_a_job(store: Store, tmp_path: Path) -> None:
    name = added(store, royal_file(tmp_path)).name
    with waiting():
        job = submit_evaluation(store, name, QualityConfig(), "pairs.tsv", PAIRS)
    job = worked(store, job)
    assert job.status == "done", job.reason
    report, _ = evaluation_result(job)
    assert isinstance(report, SimilarityReport)
    assert (report.covered, report.total) == (3, 4)
    assert report.missing == (("king", "nowhere"),)


@pytest.mark.parametrize(
    ("name", "content"),
    [("pairs.tsv", b"king\tqueen\t8\nnowhere\tman\t7\n"), ("mine.txt", b": none\na b c d\ne f g h\n")],
)
def test_a_set_that_is_hardly_covered_fails_with_a_cure(
    store: Store, tmp_path: Path, name: str, content: bytes
) -> None:
    with waiting():
        job = submit_evaluation(
            store, added(store, royal_file(tmp_path)).name, QualityConfig(), name, content
        )
    job = worked(store, job)
    assert (job.status, "Use a set in the language of the vectors" in job.reason) == ("failed", True), (
        job.reason
    )


def test_an_evaluation_of_what_is_not_there_is_refused(store: Store) -> None:
    with waiting():
        with pytest.raises(ModelError, match="no word vectors 'nothing'"):
            submit_evaluation(store, "nothing", QualityConfig(), "mine.txt", ANALOGIES)
        with pytest.raises(DataError):
            submit_evaluation(store, "glove", QualityConfig(), "mine.txt", b"")
    assert not store.jobs()


def test_an_evaluation_whose_vectors_were_removed_meanwhile_fails_clearly(
    store: Store, tmp_path: Path
) -> None:
    name = added(store, royal_file(tmp_path)).name
    with waiting():
        job = submit_evaluation(store, name, QualityConfig(), "mine.txt", ANALOGIES)
    delete_vectors(store, name)
    job = worked(store, job)
    assert job.status == "failed"
    assert "Traceback" not in job.reason
    with pytest.raises(RunError, match="is failed: it has no result"):
        evaluation_result(job)


# loaded files


def test_the_same_content_is_the_same_set(store: Store, tmp_path: Path) -> None:
    one = added(store, royal_file(tmp_path))
    again = added(store, royal_file(tmp_path, "other name.txt"))
    assert again == one
    assert (one.title, one.words, one.width, one.origin) == ("royal.txt", 5, 3, "file")
    assert "word2vec text" in one.note
    assert open_vectors(store, one.name).words == list(ROYAL)
    first = added(store, royal_file(tmp_path), top=2)
    assert first.name != one.name
    assert open_vectors(store, first.name).words == ["man", "woman"]
    assert {each.name for each in vector_sets(store) if each.origin == "file"} == {one.name, first.name}


def test_an_array_needs_its_words(store: Store, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "words").write_text("one\ntwo\nthree\n", encoding="utf-8")
    (tmp_path / "others").write_text("one\ntwo\nfour\n", encoding="utf-8")
    with pytest.raises(DataError, match="Give the list"):
        added(store, tmp_path / "a.npy")
    one = added(store, tmp_path / "a.npy", words=tmp_path / "words")
    other = added(store, tmp_path / "a.npy", words=tmp_path / "others")
    assert one.name != other.name
    assert open_vectors(store, other.name).words == ["one", "two", "four"]


def test_loading_tells_progress_and_leaves_nothing_when_it_is_closed(store: Store, tmp_path: Path) -> None:
    loading = add_vectors(store, royal_file(tmp_path), "royal.txt")
    assert isinstance(next(loading), Progress)
    loading.close()
    assert not [each for each in vector_sets(store) if each.origin == "file"]
    assert not list(store.settings.vectors.glob("*")) if store.settings.vectors.exists() else True


def test_a_file_that_is_none_leaves_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "p.bin").write_bytes(b"\x80\x04}.")
    with pytest.raises(DataError, match="mine.bin is a Python pickle"):
        drain(add_vectors(store, tmp_path / "p.bin", "mine.bin"))
    with pytest.raises(DataError, match="cannot be read"):
        added(store, tmp_path / "nothing.txt")
    with pytest.raises(ConfigError, match="top"):
        added(store, royal_file(tmp_path), top=-1)
    assert not [each for each in vector_sets(store) if each.origin == "file"]


def test_a_full_disk_is_told(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("15 requested and 0 written")  # as NumPy tells it

    monkeypatch.setattr(vector_sets_module, "save_vectors", fails)
    with pytest.raises(RunError, match=r"cannot be written \(15 requested and 0 written\). Make room"):
        added(store, royal_file(tmp_path))


def test_a_loaded_file_is_removed_and_others_stay(store: Store, tmp_path: Path) -> None:
    name = added(store, royal_file(tmp_path)).name
    stamp = vectors_stamp(store, name)
    for other in ("glove", "../runs", "file-x", f"{name}/.."):
        with pytest.raises(DataError, match="Only loaded files"):
            delete_vectors(store, other)
    delete_vectors(store, name)
    assert name not in {each.name for each in vector_sets(store)}
    assert vectors_stamp(store, name) != stamp
    with pytest.raises(ModelError):
        open_vectors(store, name)
    delete_vectors(store, name)


def test_a_broken_folder_is_not_listed_and_loading_mends_it(store: Store, tmp_path: Path) -> None:
    path = royal_file(tmp_path)
    name = added(store, path).name
    (store.settings.vectors / name / "columns.npy").write_bytes(b"broken")
    assert added(store, path).name == name
    assert open_vectors(store, name).words == list(ROYAL)
    (store.settings.vectors / name / "record.json").write_text("{", encoding="utf-8")
    assert name not in {each.name for each in vector_sets(store)}
    assert added(store, path).words == 5


def test_a_file_is_opened_by_its_path(store: Store, tmp_path: Path) -> None:
    assert open_vectors(store, str(royal_file(tmp_path))).words == list(ROYAL)
    with pytest.raises(ModelError, match="neither a file nor word vectors"):
        open_vectors(store, "nothing")


# downloads


def served(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "royal-3", **wrong: str) -> None:
    """Have gensim's own downloader find one set at file:// addresses."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text(
        "raise SystemExit('the code of a download was run')\n", encoding="utf-8"
    )
    packed = gzip.compress(royal_file(folder).read_bytes())
    (folder / name / f"{name}.gz").write_bytes(packed)
    facts = {"checksum": hashlib.md5(packed).hexdigest(), "file_size": len(packed), "parts": 1, **wrong}
    facts["file_name"] = wrong.get("file_name", f"{name}.gz")
    known = {"corpora": {"text8": {"file_name": "text8.gz", "parts": 1}}, "models": {name: facts}}
    (folder / "list.json").write_text(json.dumps(known), encoding="utf-8")
    monkeypatch.setattr(downloader, "DOWNLOAD_BASE_URL", folder.as_uri())
    monkeypatch.setattr(downloader._load_info, "__defaults__", ((folder / "list.json").as_uri(), "utf-8"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "POLL_SECONDS", 0.01)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")


@pytest.mark.usefixtures("quick")
def test_a_download_becomes_a_set_and_runs_no_code(
    online: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served(tmp_path / "there", monkeypatch)
    before = downloader.BASE_DIR
    with waiting():
        job = submit_fetch(online, " royal-3 ", 4)
    job = worked(online, job)
    assert job.status == "done", job.reason
    found = vector_set(online, fetched_vectors(job))
    assert (found.title, found.words, found.origin) == ("royal-3", 4, "file")
    assert json.loads((job.folder / "result.json").read_text(encoding="utf-8")) == {"vectors": found.name}
    assert before == downloader.BASE_DIR
    kept = online.settings.cache / "gensim-data"
    assert (kept / "royal-3" / "royal-3.gz").exists()
    assert not list((kept / "parts").iterdir())
    with waiting():
        again = submit_fetch(online, "royal-3")
    assert online.job(worked(online, again).id).status == "done"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("wrong", "name", "reason"),
    [
        ({"checksum": "0"}, "royal-3", "came damaged"),
        ({}, "royal-4", "no word vectors royal-4. It has: royal-3"),
        ({}, "text8", "a collection of texts"),
        ({"file_name": "../../list.json"}, "royal-3", "outside"),
    ],
)
def test_a_download_that_fails_says_why(
    online: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: dict[str, str],
    name: str,
    reason: str,
) -> None:
    served(tmp_path / "there", monkeypatch, **wrong)
    with waiting():
        job = submit_fetch(online, name)
    job = worked(online, job)
    assert (job.status, reason in job.reason) == ("failed", True), job.reason
    assert "\n" not in job.reason
    assert not [each for each in vector_sets(online) if each.origin == "file"]
    with pytest.raises(RunError, match="is failed: it has no word vectors"):
        fetched_vectors(job)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (URLError("Name or service not known"), "Name or service not known"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (
            ValueError("unable to read local cache 'x' during fallback"),
            "list of gensim-data cannot be reached",
        ),
        (Exception("Can't create /x.\nMake sure"), "Can't create"),
    ],
)
def test_a_network_or_disk_that_fails_is_told_in_one_line(
    online: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(downloader, "info", fails)
    with waiting():
        job = submit_fetch(online, "glove-twitter-25")
    job = worked(online, job)
    assert job.status == "failed"
    assert reason in job.reason
    assert "\n" not in job.reason


@pytest.mark.usefixtures("quick")
def test_a_download_can_be_stopped(online: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, over = threading.Event(), threading.Event()

    def waits(*_: object, **__: object) -> dict[str, object]:
        asked.set()
        over.wait(20)
        return {"models": {}, "corpora": {}}

    monkeypatch.setattr(downloader, "info", waits)
    with waiting():
        job = submit_fetch(online, "glove-twitter-25")
    stopper = threading.Thread(target=lambda: asked.wait(20) and online.request_stop(job.id))
    stopper.start()
    assert worked(online, job).status == "stopped"
    over.set()
    for each in (stopper, *threading.enumerate()):
        if each is stopper or type(each).__module__ == fetch.__name__:
            each.join()


@pytest.mark.parametrize("name", ["", "ab", "../x", "a/b", "Glove", "x" * 62, "glove twitter", "-glove"])
def test_a_name_that_is_none_is_refused(online: Store, name: str) -> None:
    with pytest.raises(DataError, match="is not a name of gensim-data"):
        submit_fetch(online, name)
    assert not online.jobs()


def test_an_installation_without_network_downloads_nothing(store: Store) -> None:
    with pytest.raises(RunError, match="stays off the network"):
        submit_fetch(store, "glove-twitter-25")
    with pytest.raises(DataError, match="must be 0 for all"):
        submit_fetch(store, "glove-twitter-25", -1)
    assert not store.jobs()
