"""The Compare page: the plan of a grid, what is wrong in it, and what a grid found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from tests.jobs.jobs import finished, small_config, word_examples
from tl_core.jobs import trainings
from tl_core.jobs.classify.plan import Task, of_strategies
from tl_core.runs.store import Store


def new_grid(open_page):
    app = open_page("compare")
    if app.segmented_control(key="compare.view").value != "new":
        app.segmented_control(key="compare.view").set_value("new").run()
    return app


def captions(app) -> str:
    return " ".join(each.value for each in app.caption)


def test_a_grid_is_planned_and_started(open_page, store: Store):
    app = new_grid(open_page)
    assert "18 trainings" in captions(app)  # 3 strategies, 3 seeds, 8 rows a class and all 48
    assert "No class has more than 48 rows to learn from: all of them stand for 64." in captions(app)
    app.number_input(key="grid.seeds").set_value(1).run()
    assert "6 trainings" in captions(app)
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        app.button(key="start").click().run()
    assert not app.exception
    [job] = store.jobs()
    comparison = job.record.config["comparison"]
    assert (job.record.kind, comparison["sizes"], comparison["test_rows"]) == ("grid", [8, 0], 1000)
    assert job.id in app.query_params["job"]


def test_a_size_that_is_none_is_told_and_nothing_is_lost(open_page):
    app = new_grid(open_page)
    app.multiselect(key="grid.sizes").set_value(["8", "many"]).run()
    assert "whole numbers from 1, or all; got 'many'" in app.error[0].value
    app.multiselect(key="grid.sizes").set_value([]).run()
    assert "Choose at least one number of rows" in app.error[0].value
    app.multiselect(key="grid.sizes").set_value(["8", "32"]).run()
    assert not app.error
    app.pills(key="grid.strategies").set_value([]).run()
    assert "Choose at least one strategy" in app.error[0].value


def test_what_the_source_moved_is_shown(open_page, store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("frozen",)), sizes=(4,), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    app = open_page("compare", job=job.id)
    app.segmented_control(key="compare.found").set_value("moved").run()
    app.button(key="computing.go.Compare the layers").click().run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 3


def test_one_of_several_models_of_a_source_is_chosen(open_page, store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("bag", "frozen")), sizes=(4,), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    app = open_page("compare", job=job.id)
    app.segmented_control(key="compare.found").set_value("moved").run()
    assert app.segmented_control(key="moved.source").options == ["EmbeddingBag", "LoRA"]
    assert "began at random" in app.error[0].value
    app.segmented_control(key="moved.source").set_value("LoRA").run()
    assert not app.exception
    assert app.button(key="computing.go.Compare the layers")


def test_rows_that_source_and_test_share_are_told(open_page, store: Store, tmp_path: Path):
    rows = word_examples(120)
    for sizes, page in (((), "fine_tune"), ((4,), "compare")):
        config = replace(small_config(tmp_path, ("frozen",)), sizes=sizes, test_rows=20)
        job = finished(store, config, Task(rows, None, rows))
        app = open_page(page, job=job.id)
        assert any("nothing was trained on them" in each.value for each in app.warning)


def test_a_finished_grid_is_shown(open_page, store: Store, tmp_path: Path):
    config = replace(small_config(tmp_path, ("tfidf", "frozen"), seeds=2), sizes=(4, 0), test_rows=20)
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    app = open_page("compare", job=job.id)
    told = " ".join(each.value for each in app.text)
    assert "without one row of the target" in told
    assert "Frozen encoder: " in told
    assert len(app.dataframe[0].value) == 6
    assert app.get("plotly_chart")
    app.button(key="compare.back").click().run()
    assert not app.exception
    assert "job" not in app.query_params


def test_a_cnn_shows_the_sentences_that_decided(open_page, store: Store):
    config = of_strategies(
        strategies=("cnn",), settings={"cnn": {"epochs": 20, "start": "random", "batch_size": 8}}
    )
    job = finished(store, config, Task(word_examples(), title="words"))
    assert job.status == "done", job.reason
    app = open_page("fine_tune", job=job.id)
    app.text_area(key="use.text").set_value("It was good and fine. <b>Bad</b> and sad!").run()
    assert not app.exception
    assert any("The sentences that decided" in each.value for each in app.markdown)
    [shown] = [each.proto.body for each in app.get("html") if "fine" in each.proto.body]
    assert "&lt;b&gt;" in shown or "Bad" in shown
    assert "<b>" not in shown


def test_the_sources_own_model_is_told_beside_the_result(open_page, store: Store, tmp_path: Path):
    config = small_config(tmp_path, ("frozen",))
    job = finished(store, config, Task(word_examples(120), None, word_examples(50, first_row=900)))
    app = open_page("fine_tune", job=job.id)
    assert any("without one row of the target" in each.value for each in app.caption)
