"""The Reading page, opened empty and full, with tiny readers in the place of the shipped ones."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from tests.jobs.reader_jobs import ship_tiny_readers, small_set, tiny_base, trained_readers
from tl_core.data.reading_files import write_squad
from tl_core.jobs import trainings
from tl_core.jobs.kinds import run_job
from tl_core.jobs.read.evaluate import submit_evaluation
from tl_core.runs.store import Store
from tl_core.runs.worker import work
from tl_core.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def shipped(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ship_tiny_readers(tmp_path, settings, monkeypatch)


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def open_reading(view: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run()
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page("pages/reading.py").run()
    if view:
        app.segmented_control(key="reading.view").set_value(view).run()
        assert app.segmented_control(key="reading.view").value == view
    assert not app.exception, app.exception
    return app


def said(app: AppTest) -> str:
    kinds = (app.text, app.caption, app.markdown, app.info, app.warning, app.error)
    return "\n".join(str(each.value) for kind in kinds for each in kind)


def html(app: AppTest) -> str:
    return "\n".join(str(each.proto.body) for each in app.get("html"))


def choose_text(app: AppTest, text: str) -> AppTest:
    app.segmented_control(key="reading.origin").set_value("typed").run()
    app.text_area(key="reading.typed").set_value(text).run()
    return app


def ask(app: AppTest, question: str) -> AppTest:
    [box] = [each for each in app.text_input if each.label == "Question"]
    box.set_value(question).run()
    assert not app.exception, app.exception
    return app


def test_the_first_view_answers_an_example():
    app = open_reading()
    assert "<mark" in html(app) or "No answer in this text." in said(app)
    assert len(app.dataframe) == 1


def test_a_typed_text_is_asked_and_stays_letter_by_letter():
    text = "The king <b>was</b> $x$ at the _house_ & the queen at the river."
    app = ask(choose_text(open_reading(), text), "Who was at the house?")
    shown = html(app)
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "$x$" in shown


def test_the_threshold_turns_an_answer_into_none():
    app = ask(choose_text(open_reading(), "The king was at the house."), "Where was the king?")
    [slider] = [each for each in app.slider if each.label == "No-answer threshold"]
    slider.set_value(15.0).run()
    assert "No answer in this text." in said(app)
    assert "<mark" not in html(app)


@pytest.mark.parametrize(
    "text", ["word", "여기는 한국어 문장입니다. 왕은 집에 있었다.", "a" * 5000, "the king " * 4000]
)
def test_any_text_is_read(text: str):
    app = ask(choose_text(open_reading(), text), "Where was the king?")
    assert not app.error


def test_an_empty_text_asks_for_one():
    app = choose_text(open_reading(), "   ")
    assert "The answer appears here" in said(app)


def test_a_question_longer_than_the_window_is_refused_clearly():
    app = ask(choose_text(open_reading(), "The king was at the house."), "where " * 400)
    assert "Ask a shorter question" in app.error[0].value


def test_questions_asked_before_are_listed():
    app = ask(choose_text(open_reading(), "The king was at the house."), "Where was the king?")
    ask(app, "Who was at the house?")
    app.segmented_control(key="ask.view").set_value("history").run()
    assert list(app.dataframe[0].value["question"]) == ["Who was at the house?", "Where was the king?"]


@pytest.mark.parametrize("view", ["start-end", "windows", "attention", "matters"])
def test_why_is_shown_in_every_view(view: str):
    app = ask(choose_text(open_reading(), "The king was at the house. " * 30), "Where was the king?")
    app.segmented_control(key="ask.view").set_value("why").run()
    app.segmented_control(key="why.view").set_value(view).run()
    assert app.segmented_control(key="why.view").value == view
    assert not app.exception, app.exception
    assert not app.error


def test_what_matters_can_be_asked_in_three_ways():
    app = ask(choose_text(open_reading(), "The king was at the <b>house</b>. " * 3), "Where was the king?")
    app.segmented_control(key="ask.view").set_value("why").run()
    app.segmented_control(key="why.view").set_value("matters").run()
    for method, told in (
        ("gradxinput", "straight line"),
        ("ig", "they miss it by"),
        ("occlusion", "filler stands for the word"),
    ):
        app.segmented_control(key="why.method").set_value(method).run()
        assert app.segmented_control(key="why.method").value == method
        assert not app.exception, app.exception
        assert not app.error
        assert told in said(app)
        assert "Strongest word" in said(app)
        assert html(app).count("<span") == 4 + 18
        assert "<b>" not in html(app)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.txt", b"  \n", "empty|no text"),
        ("scan.pdf", b"%PDF-1.4 nothing of the kind", "pdf|PDF"),
        ("bytes.txt", bytes(range(256)), "binary|text"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_clear_message(name: str, content: bytes, problem: str):
    import re

    app = open_reading()
    app.segmented_control(key="reading.origin").set_value("file").run()
    app.file_uploader(key="reading.file").upload(name, content).run()
    assert not app.exception, app.exception
    assert re.search(problem, app.error[0].value)


def test_another_reader_that_has_no_span_head_is_refused_clearly(tmp_path: Path):
    app = open_reading()
    app.selectbox(key="ask.reader").set_value("other").run()
    app.text_input(key="ask.model").set_value(tiny_base(tmp_path, "electra")).run()
    assert not app.exception, app.exception
    assert "question" in app.error[0].value


def test_the_collection_names_the_document():
    app = open_reading("collection")
    app.text_input(key="collection.question").set_value("When did lending begin?").run()
    assert not app.exception, app.exception
    assert "passages read" in said(app) or "passage read" in said(app)
    app.text_input(key="collection.question").set_value("zzzz qqqq").run()
    assert "No document shares a word" in said(app)


def test_a_table_becomes_a_collection():
    app = open_reading("collection")
    app.segmented_control(key="collection.origin").set_value("table").run()
    rows = "id,story\n" + "".join(f"{at},The king number {at} was at the house\n" for at in range(30))
    app.file_uploader(key="collection.table").upload("stories.csv", rows.encode()).run()
    assert "30 documents" in said(app)
    app.text_input(key="collection.question").set_value("Where was the king?").run()
    assert not app.exception, app.exception


def test_many_questions_are_submitted_and_judged(store: Store):
    app = open_reading("many")
    app.file_uploader(key="many.questions").upload("small.json", write_squad(small_set())).run()
    assert "40 questions on 20 passages of 5 articles" in said(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        [button] = [each for each in app.button if each.label == "Evaluate"]
        button.click().run()
    assert not app.exception, app.exception
    [job] = store.jobs()
    assert job.id in str(app.query_params["job"])
    work(store, job.id, run_job)
    assert store.job(job.id).status == "done", store.job(job.id).reason
    app = open_reading(job=job.id)
    assert "40 questions" in said(app)
    for view in ("kinds", "misses"):
        app.segmented_control(key=f"outcome.{job.id}").set_value(view).run()
        assert app.segmented_control(key=f"outcome.{job.id}").value == view
        assert not app.exception, app.exception
        assert app.dataframe or "Every question" in said(app)


def test_questions_with_wrong_offsets_are_named():
    content = json.loads(write_squad(small_set()))
    content["data"][0]["paragraphs"][0]["qas"][0]["answers"][0]["answer_start"] += 1
    app = open_reading("many")
    app.file_uploader(key="many.questions").upload("wrong.json", json.dumps(content).encode()).run()
    assert "1 was left out" in app.warning[0].value.replace("\\", "")
    assert "data[0].paragraphs[0].qas[0]" in str(app.dataframe[0].value)


def test_a_reader_is_fine_tuned_from_the_page(store: Store):
    app = open_reading("fine-tune")
    app.file_uploader(key="train_reader.questions").upload("small.json", write_squad(small_set())).run()
    assert not app.exception, app.exception
    app.multiselect(key="reading.starts.small.json").set_value(["en"]).run()
    app.multiselect(key="reading.sizes.small.json").set_value([16]).run()
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="reading.train").click().run()
    assert not app.exception, app.exception
    [job] = store.jobs()
    assert job.record.config["training"]["arms"][0]["start"] == "en"
    assert job.record.config["training"]["sizes"] == [16]


def test_a_reader_is_trained_once_more_with_settings_of_its_own(store: Store):
    app = open_reading("fine-tune")
    app.file_uploader(key="train_reader.questions").upload("small.json", write_squad(small_set())).run()
    app.multiselect(key="reading.starts.small.json").set_value(["en"]).run()
    app.multiselect(key="reading.sizes.small.json").set_value([16]).run()
    app.button(key="reading.added.add").click().run()
    app.text_input(key="reading.added.1:name").set_value("Rank 4").run()
    app.selectbox(key="reading.added.1:start").set_value("en").run()
    app.number_input(key="reading.added.1.rank").set_value(4).run()
    assert "2 trainings" in said(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="reading.train").click().run()
    assert not app.exception, app.exception
    [job] = store.jobs()
    plain, own = job.record.config["training"]["arms"]
    assert (plain["name"], plain["settings"]["rank"]) == ("", 16)
    assert (own["name"], own["start"], own["settings"]["rank"]) == ("Rank 4", "en", 4)


def test_the_gain_of_a_reader_over_the_bare_encoder_is_shown(tmp_path: Path, store: Store):
    job = trained_readers(store, small_set(), {"starts": [tiny_base(tmp_path), "en"], "sizes": [8, 0]})
    app = open_reading(job=job.id)
    assert not app.exception, app.exception
    assert "What the source is worth" in said(app)
    assert "English reader (MiniLM): no difference shown at 8 questions" in said(app)


def test_trained_readers_are_shown_side_by_side_and_can_be_asked(tmp_path: Path, store: Store):
    starts = [tiny_base(tmp_path), "en"]
    job = trained_readers(store, small_set(), {"starts": starts, "sizes": [8, 0]})
    assert job.status == "done", job.reason
    app = open_reading(job=job.id)
    assert len(app.dataframe[0].value) == 4
    assert app.get("plotly_chart")
    for view in ("run", "curves", "use"):
        app.segmented_control(key="trained.view").set_value(view).run()
        assert app.segmented_control(key="trained.view").value == view
        assert not app.exception, app.exception
    run = store.runs_of(job.id)[0]
    app = open_reading()
    app.selectbox(key="ask.reader").set_value(run.id).run()
    assert not app.exception, app.exception
    assert not app.error


def test_an_evaluation_that_waits_shows_its_panel(store: Store):
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = submit_evaluation(store, "en", small_set())
    app = open_reading(job=job.id)
    assert "small.json" in said(app)
