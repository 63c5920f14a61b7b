from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from tests.jobs.jobs import finished, small_config, word_examples
from tl_core.data.examples import read_examples
from tl_core.encoders.catalog import ENCODERS, card_of
from tl_core.encoders.installed import is_here
from tl_core.jobs import trainings
from tl_core.jobs.classify.encoder_trial import EncoderTrial, trials_of
from tl_core.jobs.classify.estimate import Estimate
from tl_core.jobs.classify.plan import Task
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.strategies import STRATEGIES

PROJECT = Path(__file__).resolve().parents[2]
PAGES = ("pages/home.py", "pages/fine_tune.py", "pages/reading.py", "pages/runs.py")


def open_page(path: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.run()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(path).run()


def texts(app: AppTest) -> str:
    parts = [
        *app.markdown,
        *app.caption,
        *app.text,
        *app.error,
        *app.warning,
        *app.info,
        *app.title,
        *app.subheader,
    ]
    return "\n".join(str(each.value) for each in parts)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_on_an_empty_home(path: str):
    app = open_page(path)
    assert not app.exception
    assert len(app.title) == 1


def test_home_shows_encoders_vectors_samples_and_the_machine():
    app = open_page("pages/home.py")
    said = texts(app)
    assert "GloVe" in said
    assert "400,000 words" in said
    assert "cores" in said
    [encoders] = app.dataframe
    assert list(encoders.value["name"]) == ["minilm", "e5"]
    here = [is_here(card) for card in ENCODERS]
    assert list(encoders.value["layers"].fillna(0)) == [
        layers * there for layers, there in zip((6, 12), here)
    ]


def test_the_server_loads_no_torch_for_home_or_for_the_fine_tune_form():
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "app = AppTest.from_file('app.py', default_timeout=60).run()\n"
        "assert not app.exception, app.exception\n"
        "app.switch_page('pages/fine_tune.py').run()\n"
        "assert not app.exception, app.exception\n"
        "heavy = {'torch', 'transformers', 'sklearn', 'peft'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, timeout=120)


def test_the_first_view_of_fine_tune_is_a_worked_example_that_can_be_trained():
    app = open_page("pages/fine_tune.py")
    assert not app.exception
    assert {each.label: each.value for each in app.metric}["Rows"] == "120"
    assert app.button(key="start").label == "Start training"
    assert not app.error


def test_an_uploaded_table_is_reported_before_it_is_trained():
    app = open_page("pages/fine_tune.py")
    app.segmented_control(key="target.origin").set_value("file").run()
    content = "text,label\n" + "".join(
        f"a text number {at},{'Good' if at % 2 else 'good '}\n" for at in range(20)
    )
    content += "only one cell\n,bad\n" + "".join(f"poor thing {at},bad\n" for at in range(12))
    app.file_uploader(key="target.file").upload("mine.csv", content.encode("utf-8-sig")).run()
    assert not app.exception
    said = texts(app)
    assert "utf" in said
    assert "refused" in said
    assert "differ only by case or spaces" in said
    app.toggle(key="target.merge").set_value(True).run()
    assert {each.label: each.value for each in app.metric}["Classes"] == "2"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"text,label\n", "no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "CSV"),
        (b'text,label\n"never closed,a\nb,c\n', "quote"),
    ],
)
def test_a_bad_file_gets_one_clear_line_and_the_page_stays(content: bytes, said: str):
    app = open_page("pages/fine_tune.py")
    app.segmented_control(key="target.origin").set_value("file").run()
    app.file_uploader(key="target.file").upload("bad.csv", content).run()
    assert not app.exception
    assert len(app.error) == 1
    assert said in app.error[0].value.replace("\\", "")
    app.segmented_control(key="target.origin").set_value("sample").run()
    assert not app.error


def test_one_class_cannot_be_trained():
    app = open_page("pages/fine_tune.py")
    app.segmented_control(key="target.origin").set_value("file").run()
    app.file_uploader(key="target.file").upload("one.csv", b"text,label\na b,x\nc d,x\ne f,x\n").run()
    assert not app.exception
    assert "at least two" in texts(app)
    assert not [each for each in app.button if each.key == "start"]


def test_korean_rows_choose_the_multilingual_encoder():
    app = open_page("pages/fine_tune.py")
    app.selectbox(key="target.sample").set_value("film-reviews-ko").run()
    assert not app.exception
    encoders = app.radio(key="source.encoder.True")
    assert encoders.value == ("auto" if is_here(card_of("e5")) else "e5")


def test_start_submits_what_the_page_shows_and_puts_the_job_into_the_address(settings: Settings):
    app = open_page("pages/fine_tune.py")
    app.button_group(key="strategies.0.names").set_value(["tfidf"]).run()
    app.number_input(key="strategies.0.seeds").set_value(2).run()
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    assert not app.exception
    [job] = Store(settings).jobs()
    assert job.id in app.query_params["job"]
    wanted = job.record.config["comparison"]
    assert ([each["strategy"] for each in wanted["arms"]], wanted["seeds"]) == (["tfidf"], 2)


def test_settings_come_back_from_their_json():
    app = open_page("pages/fine_tune.py")
    app.file_uploader(key="settings.load.0").upload(
        "s.json", json.dumps({"strategies": ["lora"], "seeds": 4, "settings": {"lora": {"rank": 7}}}).encode()
    ).run()
    assert not app.exception
    assert app.number_input(key="strategies.1.seeds").value == 4
    assert app.number_input(key="strategies.1.lora.rank").value == 7
    app.file_uploader(key="settings.load.1").upload("s.json", b'{"seeds": 99}').run()
    assert "between 0 and 10" in texts(app).replace("\\", "")


@pytest.mark.skipif(not is_here(card_of("e5")), reason="the multilingual encoder is not here")
def test_a_strategy_stands_again_with_a_name_a_start_and_settings_of_its_own(settings: Settings):
    app = open_page("pages/fine_tune.py")
    app.button_group(key="strategies.0.names").set_value(["tfidf", "lora"]).run()
    app.button(key="strategies.0.lora.again").click().run()
    app.button(key="strategies.0.lora.again").click().run()
    assert not app.exception
    app.text_input(key="strategies.0.lora-2:name").set_value("Rank 4").run()
    app.number_input(key="strategies.0.lora-2.rank").set_value(4).run()
    app.selectbox(key="strategies.0.lora-2:start").set_value("e5").run()
    app.button(key="strategies.0.lora-3:remove").click().run()
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    assert not app.exception
    [job] = Store(settings).jobs()
    arms = job.record.config["comparison"]["arms"]
    assert [(each["name"], each["start"]) for each in arms] == [("", ""), ("", ""), ("Rank 4", "e5")]
    assert arms[2]["settings"]["rank"] == 4


def test_a_strategy_of_each_family_can_stand_again():
    app = open_page("pages/fine_tune.py")
    names = {each.family.name: each for each in STRATEGIES}
    app.button_group(key="strategies.0.names").set_value([each.name for each in names.values()]).run()
    for row in names.values():
        app.button(key=f"strategies.0.{row.name}.again").click().run()
        assert not app.exception, app.exception
    called = [each.value for each in app.text_input if each.label == "Name"]
    assert sorted(called) == sorted(f"{row.title} 2" for row in names.values())


def test_two_of_one_name_are_told_and_arms_come_back_from_their_json():
    app = open_page("pages/fine_tune.py")
    arms = [{"strategy": "lora"}, {"strategy": "lora", "name": "Rank 4", "settings": {"rank": 4}}]
    app.file_uploader(key="settings.load.0").upload("s.json", json.dumps({"arms": arms}).encode()).run()
    assert not app.exception
    assert app.text_input(key="strategies.1.lora-2:name").value == "Rank 4"
    assert app.number_input(key="strategies.1.lora-2.rank").value == 4
    app.text_input(key="strategies.1.lora-2:name").set_value("LoRA").run()
    assert "stands twice" in texts(app)


@pytest.fixture
def done_job(settings: Settings, tmp_path: Path):
    store = Store(settings)
    return finished(
        store, small_config(tmp_path, ("tfidf", "frozen", "lora"), seeds=2), Task(word_examples())
    )


def test_a_finished_job_opens_by_its_address_in_every_view(done_job):
    app = open_page("pages/fine_tune.py", job=done_job.id)
    assert not app.exception
    for view in ("confusion", "errors", "calibration", "curves", "details", "summary"):
        app.segmented_control(key="result.view").set_value(view).run()
        assert not app.exception, view
        assert app.segmented_control(key="result.view").value == view
    app.text_area(key="use.text").set_value("good fine <b>x</b> $y$").run()
    assert not app.exception
    assert {"class", "probability"} <= set(app.dataframe[-1].value.columns)


def test_an_address_with_an_unknown_or_hostile_job_says_so():
    for job in ("20200101-000000-abcd", "../../etc/passwd"):
        app = open_page("pages/fine_tune.py", job=job)
        assert not app.exception
        assert len(app.error) == 1


def test_a_dead_worker_shows_as_interrupted_with_a_resume_button(settings: Settings):
    store = Store(settings)
    job = store.add_job("compare", "words <b>", {})
    store.update_job(job.id, status="running", submitted=1.0, ticket=1)
    app = open_page("pages/fine_tune.py", job=job.id)
    assert not app.exception
    assert "interrupted" in texts(app)
    assert app.button(key=f"resume.{job.id}")


def test_a_queued_job_says_how_many_are_ahead(settings: Settings):
    store = Store(settings)
    jobs = [store.add_job("compare", f"job {at}", {}) for at in range(2)]
    for at, job in enumerate(jobs):
        import time

        store.update_job(job.id, status="queued", submitted=time.time(), ticket=at + 1)
    app = open_page("pages/fine_tune.py", job=jobs[1].id)
    assert "1 job ahead" in texts(app)
    assert app.button(key=f"stop.{jobs[1].id}")


def test_the_seeds_go_by_cost_unless_they_are_chosen(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    known = Estimate(2.0, 1e8, 1, {"tfidf": 2.0}, {"tfidf": "TF-IDF"}, longest=0.4)
    monkeypatch.setattr("pages.components.kept.resources.known_estimate", lambda *_: known)
    app = open_page("pages/fine_tune.py")
    app.button_group(key="strategies.0.names").set_value(["tfidf"]).run()
    assert not app.exception
    assert app.number_input(key="strategies.0.seeds").value == 0
    assert any(caption.value.startswith("5 seeds, since the longest training") for caption in app.caption)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    [job] = Store(settings).jobs()
    assert job.record.config["comparison"]["seeds"] == 5


def test_a_group_column_is_chosen_and_reaches_the_job(settings: Settings):
    app = open_page("pages/fine_tune.py")
    app.segmented_control(key="target.origin").set_value("file").run()
    rows = "".join(
        f"{'good fine' if at % 2 else 'bad poor'} {at},{'good' if at % 2 else 'bad'},c{at // 4}\n"
        for at in range(80)
    )
    app.file_uploader(key="target.file").upload("rows.csv", f"text,label,customer\n{rows}".encode()).run()
    [column] = [each for each in app.selectbox if each.label == "Group column"]
    assert (column.options, column.value) == (["customer"], None)
    column.set_value("customer").run()
    assert not app.exception
    assert "20 groups" in texts(app)
    app.button_group(key="strategies.0.names").set_value(["tfidf"]).run()
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    [job] = Store(settings).jobs()
    held = read_examples(job.folder / "data" / "test.jsonl")
    assert set(held.groups) <= {f"c{at}" for at in range(20)}
    assert not set(held.groups) & set(read_examples(job.folder / "data" / "train.jsonl").groups)


@pytest.mark.skipif(not is_here(card_of("e5")), reason="there is one encoder only")
def test_the_encoder_that_does_better_is_taken_and_said(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    tried = [EncoderTrial("minilm", 0.6, 48), EncoderTrial("e5", 0.8, 48)]
    monkeypatch.setattr("tl_core.jobs.classify.encoder_trial._measured", lambda *_: tried)
    app = open_page("pages/fine_tune.py")
    assert app.radio(key="source.encoder.False").value == "auto"
    app.button_group(key="strategies.0.names").set_value(["tfidf"]).run()
    assert "both encoders are tried" not in texts(app)  # nothing here has one
    app.button_group(key="strategies.0.names").set_value(["tfidf", "frozen"]).run()
    assert "both encoders are tried" in texts(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    assert not app.exception
    [job] = Store(settings).jobs()
    assert job.record.config["comparison"]["encoder"] == "e5"
    assert trials_of(job) == tried
    app = open_page("pages/fine_tune.py")
    app.button_group(key="strategies.0.names").set_value(["frozen"]).run()
    assert "Taken: Multilingual E5 small" in texts(app).replace("\\", "")  # the same rows were tried before
    app.radio(key="source.encoder.False").set_value("minilm").run()
    assert "Taken" not in texts(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    assert Store(settings).jobs()[0].record.config["comparison"]["encoder"] == "minilm"
