"""Runs of readers, trained in the test's own process on tiny encoders: trained, told, exported, imported."""

from __future__ import annotations

import importlib
import json
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from tests.encoders.tiny import write_tiny_encoder
from tests.exchange.elsewhere import run_elsewhere
from tests.exchange.test_zips import rewritten
from tests.jobs.jobs import finished, small_config
from tl_core.catalog.readers import load_named_reader
from tl_core.convert import from_json, to_json
from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.encoders.adapted import read_starting_point
from tl_core.errors import DataError, RunError, TLError
from tl_core.exchange.zips import export_run, import_run
from tl_core.jobs import trainings
from tl_core.jobs.read.evaluate import run_evaluation, submit_evaluation
from tl_core.jobs.read.plan import of_starts
from tl_core.jobs.read.train import ANSWERS, exact_matches, read_answers, run_training, submit_training
from tl_core.outcomes.runs import JobLine, compare_in_words, differing_settings, job_lines, titles_of
from tl_core.runs.events import read_curves
from tl_core.runs.store import Job, Run, Store
from tl_core.settings import Settings
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import ReadReport
from tl_core.tasks.read.saved import write_calibration
from tl_core.training.events import Stopped
from tl_core.whole_files import remove

PEOPLE, ANIMALS, PLACES = ("king", "queen", "boy", "girl", "man", "woman"), ("cat", "dog"), ("city", "house")
SETTINGS = {"epochs": 1, "batch_size": 4, "max_tokens": 48, "precision": "float32", "rank": 2}
PASSAGES = (
    "the king saw a big dog in the old house.",
    "  The  QUEEN,\r\nwho loved Café films\t-\nread on: " + "a cat ate the food and the dog saw it. " * 45,
    "한국의 수도는 서울이다. 👩‍👩‍👧 가족이 🏽 살고 있다, e\u0301 und ㄱㅏ 각.",
    "🏳️‍🌈" * 40 + " the girl",
)
QUESTIONS = ("who saw the dog?", "수도는 어디?", "what was 🏽 there, in the very old house of the king?")


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def questions(passages: int = 12, *, unanswerable: bool = False) -> ReadingSet:
    """Passages of one sentence, an article each, with a question for who saw what."""
    texts, asked = [], []
    for at in range(passages):
        who, what, where = PEOPLE[at % 6], ANIMALS[at % 2], PLACES[at % 2]
        text = f"{at} the {who} saw a {what} in the {where}. it was a good day."
        texts.append(Passage(text, at, f"article {at}"))
        answers = () if unanswerable and at % 3 == 0 else (Answer(who, text.index(who)),)
        asked.append(Question(f"{at}a", f"who saw the {what}?", at, answers))
        asked.append(Question(f"{at}b", "where was it?", at, (Answer(where, text.index(where)),)))
    return ReadingSet("sights.json", tuple(texts), tuple(asked))


def encoder(folder: Path, name: str = "bert", seed: int = 0) -> str:
    if not (folder / name).exists():
        write_tiny_encoder(folder / name, name.partition("-2")[0], seed)
    return str(folder / name)


def submitted(store: Store, data: ReadingSet, *starts: str, **changes: Any) -> Job:
    settings = {**SETTINGS, **changes.pop("settings", {})}
    config = of_starts(starts, settings, **changes)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        return submit_training(store, config, data)


def trained(store: Store, data: ReadingSet, *starts: str, **changes: Any) -> Job:
    """A job worked off here instead of in a process of its own."""
    job = submitted(store, data, *starts, **changes)
    run_training(store, job)
    store.update_job(job.id, status="done")
    return store.job(job.id)


def one_run(store: Store, folder: Path, family: str = "bert", **changes: Any) -> Run:
    [run] = store.runs_of(trained(store, questions(), encoder(folder, family), **changes).id)
    return run


# the job


def test_a_job_leaves_a_scored_run_for_every_start_size_and_seed(store: Store, tmp_path: Path):
    starts = encoder(tmp_path), encoder(tmp_path, "bert-2", seed=7)
    job = trained(store, questions(), *starts, sizes=(0, 4), seeds=2)
    runs = store.runs_of(job.id)
    told = [(run.record.source, run.record.size, run.record.seed) for run in runs]
    assert told == [(start, size, seed) for size in (4, 0) for seed in (1, 2) for start in starts]
    for run in runs:
        report = from_json(ReadReport, run.record.report)
        rows = read_answers(run.folder / ANSWERS)
        assert len(rows) == report.scores.count == run.record.rows.test
        assert exact_matches(job, run).mean() == pytest.approx(report.scores.exact_match)
        assert np.mean([row["f1"] for row in rows]) == pytest.approx(report.scores.f1)
        assert run.record.trained_parameters > 0
        assert not (run.folder / "checkpoint").exists()
        assert [curve.name for curve in read_curves(run.events)] == ["training loss"]
        assert load_named_reader(store, run.id, device="cpu").ask(QUESTIONS[0], PASSAGES[0]).answers
    assert job.progress["share"] == pytest.approx(1.0)


def test_rightly_silent_counts_as_right_where_some_questions_have_no_answer(store: Store, tmp_path: Path):
    job = trained(store, questions(unanswerable=True), encoder(tmp_path), test_share=0.5)
    [run] = store.runs_of(job.id)
    report = from_json(ReadReport, run.record.report)
    assert report.threshold is not None
    assert 0 < report.answerable < report.scores.count
    for threshold in (report.threshold, -1e9, 1e9):
        record = replace(run.record, report={**run.tested, "threshold": threshold})
        right = exact_matches(job, replace(run, record=record))
        if threshold == report.threshold:
            assert right.mean() == pytest.approx(report.scores.exact_match)
        elif threshold > 0:  # never answers
            assert right.mean() == pytest.approx(1 - report.answerable / report.scores.count)


def weights(run: Run) -> dict[str, np.ndarray[Any, Any]]:
    files = sorted(run.model.rglob("*.safetensors"))
    return {f"{file.name} {name}": value for file in files for name, value in load_file(file).items()}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_stopped_training_goes_on_to_the_same_weights(store: Store, tmp_path: Path, method: str):
    settings = {"method": method, "epochs": 2}
    whole = one_run(store, tmp_path, settings=settings)
    job = submitted(store, questions(), encoder(tmp_path), settings=settings)
    asked = iter([False] * 6 + [True])
    with (
        patch.object(trainings.TrialWork, "stop_asked", lambda _: next(asked, True)),
        pytest.raises(Stopped),
    ):
        run_training(store, job)
    [begun] = store.runs_of(job.id)
    assert begun.status != "done"
    assert list((begun.folder / "checkpoint").glob("step-*"))
    run_training(store, job)
    [run] = store.runs_of(job.id)
    assert run.status == "done"
    first, second = weights(whole), weights(run)
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert run.record.report == whole.record.report


@pytest.mark.parametrize("broken", ["encoder.json", "adapter/adapter_model.safetensors"])
def test_a_failed_training_does_not_keep_the_others_from_their_turn(
    store: Store, tmp_path: Path, broken: str
):
    first = one_run(store, tmp_path)
    job = submitted(store, questions(), first.id, encoder(tmp_path))
    (job.folder / "data" / "start1" / broken).write_text("broken", encoding="utf-8")
    with pytest.raises(RunError, match="1 of 2 trainings failed"):
        run_training(store, job)
    statuses = {run.id.removeprefix(f"{job.id}-"): run.status for run in store.runs_of(job.id)}
    assert statuses.pop("start1-all-1", "failed") == "failed"  # without a start there is no record
    assert statuses == {"start2-all-1": "done"}


def test_runs_on_the_same_data_as_starts_are_told_apart(store: Store, tmp_path: Path):
    one, other = store.runs_of(trained(store, questions(), encoder(tmp_path), seeds=2).id)
    runs = store.runs_of(trained(store, questions(), one.id, other.id).id)
    assert [run.record.source for run in runs] == [f"sights.json ({one.id})", f"sights.json ({other.id})"]


def test_a_classifier_can_begin_from_a_reader(store: Store, tmp_path: Path):
    reader = one_run(store, tmp_path)
    config = replace(small_config(tmp_path, ("frozen", "lora")), source_run=reader.id)
    job = finished(store, config)
    assert job.status == "done", job.reason
    runs = store.runs_of(job.id)
    assert {run.record.source for run in runs} == {reader.id}
    [further] = store.runs_of(trained(store, questions(), runs[1].id).id)
    assert further.status == "done", "and a reader from that classifier"


# in lists and words


def line_of(store: Store, job: Job) -> JobLine:
    return next(each for each in job_lines(store) if each.id == job.id)


def test_a_job_line_counts_trainings_and_says_what_its_best_score_measures(store: Store, tmp_path: Path):
    job = trained(store, questions(), encoder(tmp_path), sizes=(4, 8))
    line = line_of(store, job)
    assert (line.kind, line.done, line.planned, line.measure) == ("reader training", 2, 2, "F1")
    assert line.best == max(run.record.report["scores"]["f1"] for run in store.runs_of(job.id))


def test_an_evaluation_is_a_job_without_trainings_and_its_score_is_its_own(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = submit_evaluation(store, run.id, questions())
    assert line_of(store, job).best is None
    run_evaluation(store, job)
    store.update_job(job.id, status="done")
    line = line_of(store, job)
    assert (line.done, line.planned, line.measure) == (0, 0, "F1")
    assert line.best is not None


def test_titles_and_settings_tell_start_and_size(store: Store, tmp_path: Path):
    start = encoder(tmp_path)
    runs = store.runs_of(trained(store, questions(), start, sizes=(4, 0)).id)
    learned = runs[1].record.rows.train + runs[1].record.rows.validation
    assert list(titles_of(runs).values()) == [
        f"From {start}, 4 questions, seed 1",
        f"From {start}, {learned} questions, seed 1",
    ]
    differing = {each.name: each.values for each in differing_settings(runs)}
    assert differing == {"size": ("4", "all"), "train questions": ("4", str(learned))}


def test_readers_are_compared_by_exact_match_on_the_same_questions_only(store: Store, tmp_path: Path):
    runs = store.runs_of(trained(store, questions(), encoder(tmp_path), seeds=2).id)
    lines = compare_in_words(store, runs)
    assert "points of exact match" in lines[0]
    assert "test questions only large differences" in lines[1]
    again = store.runs_of(trained(store, questions(), encoder(tmp_path)).id)
    assert "points of exact match" in compare_in_words(store, [runs[0], *again])[0]
    other = store.runs_of(trained(store, questions(9), encoder(tmp_path)).id)
    assert "different test questions" in compare_in_words(store, [runs[0], *other])[0]
    store.write_run(replace(other[0].record, job=""))
    assert "not here" in compare_in_words(store, [runs[0], store.run(other[0].id)])[0]


def test_a_reader_is_not_compared_with_a_classifier(store: Store, tmp_path: Path):
    job = finished(store, small_config(tmp_path, ("tfidf",)))
    [line] = compare_in_words(store, [one_run(store, tmp_path), *store.runs_of(job.id)])
    assert line.startswith("They learned different tasks, reading and classification")


# out


def answers_of(store: Store, run: Run, question: str, passage: str, top: int = 3) -> list[dict[str, Any]]:
    """What our own reader says, in the form of predict.py."""
    reader = load_named_reader(store, run.id, device="cpu")
    reader.precision = "float32"
    found = reader.ask(question, passage, Reading(top=top, strip_josa=False)).answers
    return [{name: getattr(each, name) for name in ("text", "start", "end", "score")} for each in found]


def unpacked(store: Store, run: Run, folder: Path) -> Path:
    export_run(store, run.id, folder / "run.zip")
    place = folder / "elsewhere"
    with zipfile.ZipFile(folder / "run.zip") as archive:
        archive.extractall(place)
    return place


def script_of(place: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The predict.py of an unpacked zip as a module of this process."""
    for name in ("predict", "base_encoder"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(place))
    return importlib.import_module("predict")


@pytest.mark.parametrize(
    ("family", "method"),
    [("bert", "lora"), ("bert", "full"), ("xlm-roberta", "lora"), ("xlnet", "lora"), ("roberta", "full")],
)
def test_the_script_of_a_zip_answers_as_our_reader(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, method: str
):
    run = one_run(store, tmp_path, family, settings={"method": method})
    place = unpacked(store, run, tmp_path)
    same = import_run(store, tmp_path / "run.zip")  # its base is float16, as in the zip
    script = script_of(place, monkeypatch)
    reader = script.Reader()
    windows = load_named_reader(store, same.id, device="cpu").ask(QUESTIONS[0], PASSAGES[1]).windows
    assert windows > 1
    for passage in PASSAGES:
        for question in QUESTIONS:
            wanted = answers_of(store, same, question, passage)
            given = reader.ask(question, passage, 3)
            assert [{**each, "score": 0} for each in given] == [{**each, "score": 0} for each in wanted]
            assert [each["score"] for each in given] == pytest.approx(
                [each["score"] for each in wanted], abs=1e-4
            )
            assert all(passage[each["start"] : each["end"]] == each["text"] for each in given)


@pytest.mark.slow
def test_predict_py_of_a_reader_needs_nothing_of_this_project(store: Store, tmp_path: Path):
    place = unpacked(store, one_run(store, tmp_path), tmp_path)
    same = import_run(store, tmp_path / "run.zip")
    for passage in PASSAGES[1:3]:
        (place / "text.txt").write_bytes(passage.encode("utf-8-sig"))
        ended = run_elsewhere(place, "--passage", "text.txt", "--question", QUESTIONS[2], "--top", "2")
        [line] = ended.stdout.splitlines()
        given, wanted = json.loads(line), answers_of(store, same, QUESTIONS[2], passage, 2)
        assert [(each["start"], each["text"]) for each in given["answers"]] == [
            (each["start"], each["text"]) for each in wanted
        ]
        assert given["no_answer_score"] == pytest.approx(-wanted[0]["score"], abs=1e-4)
    for arguments in (("--question", " "), ("--question", "who? " * 60)):
        refused = run_elsewhere(place, "--passage", "text.txt", *arguments)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr


def test_the_card_of_a_reader_tells_scores_rule_start_and_settings(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path)
    place = unpacked(store, run, tmp_path)
    card = (place / "README.md").read_text(encoding="utf-8")
    scores = run.record.report["scores"]
    for told in (
        "# Reader: LoRA",
        f"| exact match | {scores['exact_match']:.3f}, 95 % interval ",
        f"| F1 | {scores['f1']:.3f}, 95 % interval ",
        "SQuAD 1.1",
        "starting from `bert`",
        '"rank": 2',
        "--passage text.txt",
    ):
        assert told in card
    everything = card + "".join(file.read_text(encoding="utf-8") for file in place.rglob("*.json"))
    assert str(tmp_path) not in everything
    assert {"predict.py", "base_encoder.py", "requirements.txt", "tl_core"} <= {
        file.name for file in place.iterdir()
    }


def test_the_card_of_a_korean_reader_has_both_scores_and_says_what_the_script_does(
    store: Store, tmp_path: Path
):
    texts = tuple(Passage(f"서울에서 {at}번 왕이 개를 보았다.", at) for at in range(8))
    asked = tuple(Question(f"{at}", "어디서 보았나?", at, (Answer("서울", 0),)) for at in range(8))
    job = trained(store, ReadingSet("한국어", texts, asked), encoder(tmp_path))
    card = (unpacked(store, store.runs_of(job.id)[0], tmp_path) / "README.md").read_text(encoding="utf-8")
    assert "KorQuAD 1.0" in card
    assert "| particles (josa) | cut off answers |" in card
    assert "| exact match, particles kept, as predict.py answers |" in card


# in


@pytest.mark.parametrize("method", ["lora", "full"])
def test_an_imported_reader_asks_the_same_and_can_be_a_start(store: Store, tmp_path: Path, method: str):
    run = one_run(store, tmp_path, settings={"method": method})
    write_calibration(run.model, replace(load_named_reader(store, run.id).calibration, threshold=1.5))
    export_run(store, run.id, tmp_path / "run.zip")
    again = import_run(store, tmp_path / "run.zip")
    assert again.record.report == run.record.report
    assert (again.record.task, again.record.size, again.record.job) == ("read", 0, "")
    remove(tmp_path / "bert")
    reader = load_named_reader(store, again.id, device="cpu")
    assert reader.calibration.threshold == 1.5
    remove(run.folder)
    assert reader.ask(QUESTIONS[0], PASSAGES[0]).answers
    [further] = store.runs_of(trained(store, questions(), again.id).id)
    assert further.status == "done"
    assert read_starting_point(further.model).base.name == str(again.model / "base")
    export_run(store, again.id, tmp_path / "again.zip")
    third = import_run(store, tmp_path / "again.zip")
    assert answers_of(store, third, QUESTIONS[0], PASSAGES[1]) == answers_of(
        store, again, QUESTIONS[0], PASSAGES[1]
    )


def test_an_imported_reader_answers_as_the_one_it_was(store: Store, tmp_path: Path):
    run = one_run(store, tmp_path)
    export_run(store, run.id, tmp_path / "run.zip")
    again = import_run(store, tmp_path / "run.zip")
    for passage in PASSAGES:
        first, second = (answers_of(store, each, QUESTIONS[0], passage, 1) for each in (run, again))
        assert [each["score"] for each in first] == pytest.approx(
            [each["score"] for each in second], abs=1e-2
        )


def test_a_zip_with_another_packaged_base_carries_it_if_asked(store: Store, tmp_path: Path):
    from tl_core.encoders.catalog import card_of, find_packaged

    if find_packaged(card_of("minilm")) is None:
        pytest.skip("the packaged encoder is not installed")
    [run] = store.runs_of(trained(store, questions(6), "minilm", settings={"max_tokens": 32}).id)
    small = export_run(store, run.id, tmp_path / "small.zip")
    assert export_run(store, run.id, tmp_path / "large.zip", with_base=True) > small + 10_000_000
    with zipfile.ZipFile(tmp_path / "small.zip") as archive:
        assert "base/model.safetensors" not in archive.namelist()
        assert "sentence-transformers/all-MiniLM-L6-v2" in archive.read("README.md").decode()
    light, whole = (import_run(store, tmp_path / name) for name in ("small.zip", "large.zip"))
    assert answers_of(store, light, *PAIR) == answers_of(store, run, *PAIR)
    assert answers_of(store, whole, *PAIR, top=1)[0]["score"] == pytest.approx(
        answers_of(store, run, *PAIR, top=1)[0]["score"], abs=0.05
    )


PAIR = (QUESTIONS[0], PASSAGES[0])


def changed(name: str, **changes: Any) -> Any:
    """The JSON of an entry with other values; a value of None takes the name out."""

    def change(content: bytes) -> bytes:
        given = {**json.loads(content), **changes}
        return json.dumps({key: value for key, value in given.items() if value is not None}).encode()

    return name, change


def report_with(**scores: Any) -> Any:
    def change(content: bytes) -> bytes:
        given = json.loads(content)
        report = given["report"]
        for key in scores:
            (report["scores"] if key in report["scores"] else report)[key] = scores[key]
        return json.dumps(given).encode()

    return "record.json", change


def tensors(**shapes: tuple[int, ...]) -> bytes:
    return save({name: np.zeros(shape, dtype=np.float32) for name, shape in shapes.items()})


HOSTILE = [
    (("model.pkl", b"\x80\x04N."), "pickles"),
    (("../head.safetensors", b""), "no exported run has"),
    (("labels.json", b'["a"]'), "of its task"),
    (("model.skops", b"PK"), "of its task"),
    (("head.safetensors", None), "lacks a readable head"),
    (("head.safetensors", b"\x80\x04N."), "not a safetensors file"),
    (("head.safetensors", tensors(weight=(3, 32), bias=(3,))), "not a span head"),
    (("head.safetensors", tensors(weight=(2, 32), bias=(2,), more=(2,))), "not a span head"),
    (("tokenizer.json", None), "lacks tokenizer.json"),
    (("reader.json", b"{}"), "reader.json is damaged"),
    (("reader.json", b'{"calibration": {"threshold": []}}'), "reader.json is damaged"),
    (changed("encoder.json", task=None), "not that of a reader"),
    (changed("encoder.json", family="evil"), "'evil' are not supported"),
    (changed("record.json", task="tag"), "knows no task 'tag'"),
    (changed("record.json", task=None), "not that of an exported run"),
    (changed("record.json", size="many"), "not that of an exported run"),
    (changed("record.json", seed=float("inf")), "not that of an exported run"),
    (changed("record.json", config={"rank": 10**9}), "rank must be between"),
    (changed("record.json", config={"colour": 1}), "not that of an exported run"),
    (report_with(exact_match=2.0), "between 0 and 1"),
    (report_with(f1="<b>"), "must be a number"),
    (report_with(f1=float("nan")), "between 0 and 1"),
    (report_with(count=10**30), "between 0 and"),
    (report_with(rule="evil"), "must be one of squad1, squad2, korquad; got evil"),
    (report_with(threshold="high"), "must be a number"),
    (("record.json", b"[" * 100_000), "not that of an exported run"),
]


@pytest.mark.parametrize(("change", "said"), HOSTILE)
def test_a_hostile_zip_of_a_reader_is_refused_and_leaves_nothing(
    store: Store, tmp_path: Path, reader_zip: bytes, change: tuple[str, Any], said: str
):
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    good.write_bytes(reader_zip)
    name, content = change
    if callable(content):
        with zipfile.ZipFile(good) as archive:
            content = content(archive.read(name))
    rewritten(good, bad, {name: content})
    with pytest.raises(TLError, match=said):
        import_run(store, bad)
    assert list(store.settings.runs.iterdir()) == []
    assert import_run(store, good).status == "done"


@pytest.fixture(scope="module")
def reader_zip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """One exported reader for all that is done to zips."""
    folder = tmp_path_factory.mktemp("reader")
    store = Store(Settings(home=folder / "home", threads=1, offline=True))
    run = one_run(store, folder)
    export_run(store, run.id, folder / "run.zip")
    return (folder / "run.zip").read_bytes()


def test_the_scores_of_a_zip_are_those_of_its_record(store: Store, tmp_path: Path, reader_zip: bytes):
    with zipfile.ZipFile(BytesIO(reader_zip)) as archive:
        record = json.loads(archive.read("record.json"))
    (tmp_path / "run.zip").write_bytes(reader_zip)
    run = import_run(store, tmp_path / "run.zip")
    assert run.record.report == record["report"]
    assert not {"job_id", "start"} & set(to_json(run.record))
    with pytest.raises(DataError):
        import_run(store, tmp_path / "nothing.zip")
