from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state
from pages.views.comparison.show import VIEWS
from tests.pages.made_up import CLASSES, add_job
from tl_core.runs.store import Job, Store

Open = Callable[..., AppTest]


def view(open_page: Open, job: Job, name: str) -> AppTest:
    app = open_page("fine_tune", **{state.JOB: job.id})
    if name != "summary":
        app.segmented_control(key="result.view").set_value(name).run()
    assert app.segmented_control(key="result.view").value == name
    assert not app.exception, app.exception
    assert not app.error, app.error
    return app


@pytest.mark.parametrize("name", [each.id for each in VIEWS])
@pytest.mark.parametrize("strategies", [("tfidf",), ("tfidf", "frozen", "lora", "full")])
def test_every_view_of_a_result_opens(open_page: Open, store: Store, strategies: Sequence[str], name: str):
    view(open_page, add_job(store, strategies, seeds=1), name)


def test_the_summary_has_one_table_with_the_majority_as_its_last_row(open_page: Open, store: Store):
    table = view(open_page, add_job(store, ("tfidf", "lora")), "summary").dataframe[0].value
    assert list(table["strategy"]) == ["TF-IDF", "LoRA", "Most frequent class"]
    assert list(table["seeds"][:2]) == [2, 2]
    assert table["accuracy"].notna().all()
    assert table["macro_f1"].isna().iloc[-1]


def test_the_most_frequent_mistake_is_open_at_first_and_another_cell_can_be(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    app = view(open_page, job, "confusion")
    matrix, _, rows = (each.value for each in app.dataframe[:3])
    counts = matrix.iloc[:, 1:].to_numpy()
    off = counts.copy()
    off[range(len(off)), range(len(off))] = 0
    assert len(rows) == off.max()
    assert (rows["true"] != rows["predicted"]).all()

    [run] = store.runs_of(job.id)
    app.session_state[f"result.confusion.{run.id}"] = {
        "selection": {"rows": [], "columns": [], "cells": [(1, "1")]}
    }
    app.run()
    rows = app.dataframe[2].value
    assert len(rows) == counts[1, 1]
    assert set(rows["true"]) == {sorted(CLASSES)[1]}
    assert (rows["probability"].diff().dropna() <= 0).all(), "the most confident stand first"


def test_errors_are_wrong_and_the_surest_stand_first(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1, rows=300, share_right=0.6)
    app = view(open_page, job, "errors")
    rows = app.dataframe[0].value
    assert len(rows) == 20
    assert (rows["true"] != rows["predicted"]).all()
    assert (rows["probability"].diff().dropna() <= 0).all()
    app.slider(key="result.errors.limit").set_value(50).run()
    assert len(app.dataframe[0].value) == 50


def test_a_run_without_mistakes_has_no_error_table(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1, share_right=1.0)
    app = view(open_page, job, "errors")
    assert not app.dataframe
    assert any("all 60 test rows are right" in each.value for each in app.text)


def test_the_chosen_run_stays_from_view_to_view(open_page: Open, store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=2)
    app = view(open_page, job, "details")
    worst = store.runs_of(job.id)[0].id
    app.selectbox(key="result.run").set_value(worst).run()
    app.segmented_control(key="result.view").set_value("calibration").run()
    assert app.selectbox(key="result.run").value == worst


def test_missing_predictions_are_one_clear_line(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    [run] = store.runs_of(job.id)
    (run.folder / "predictions.npy").unlink()
    app = open_page("fine_tune", **{state.JOB: job.id})
    app.segmented_control(key="result.view").set_value("errors").run()
    assert not app.exception
    assert "cannot be read" in app.error[0].value


def test_user_text_is_never_markdown_or_html(open_page: Open, store: Store):
    job = add_job(store, ("tfidf", "lora"))
    for each in VIEWS:
        app = view(open_page, job, each.id)
        for shown in (*app.markdown, *app.caption, *app.subheader):
            for label in (*CLASSES, job.title):
                assert label not in shown.value
        assert not app.get("html")
