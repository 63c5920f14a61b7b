from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state
from tests.pages.made_up import add_job, add_run, made_up_examples
from tl_core.runs.locks import try_lock
from tl_core.runs.store import Store

Open = Callable[..., AppTest]


def texts(app: AppTest) -> str:
    """Everything that stands on the page as text."""
    shown = (*app.text, *app.caption, *app.markdown, *app.error, *app.warning)
    return "\n".join(str(each.value) for each in shown)


def button(app: AppTest, label: str):
    return next(each for each in app.button if each.label == label)


def tick(app: AppTest, key: str, *rows: int) -> AppTest:
    app.session_state[key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return app.run()


def test_an_empty_store_says_so_and_points_to_fine_tuning(open_page: Open):
    app = open_page("runs")
    assert "no runs yet" in texts(app)
    assert not app.dataframe
    assert app.get("page_link")


def test_jobs_are_listed_newest_first_with_status_progress_and_best_score(open_page: Open, store: Store):
    add_job(store, title="old.csv", status="failed", reason="It broke. `rm` $5$ <b>now</b>")
    time.sleep(1.1)  # ids sort by second
    add_job(store, title="new.csv")
    table = open_page("runs").dataframe[0].value
    assert list(table["title"]) == ["new.csv", "old.csv"]
    assert [status[0] for status in table["status"]] == ["done", "failed"]
    assert table["runs"][0] == "4 of 4"
    assert table["best"][0] == max(100 * run.record["report"]["accuracy"] for run in store.runs()[:4])
    assert "It broke" in table["reason"][1]


def test_a_failed_job_shows_its_reason_as_plain_text(open_page: Open, store: Store):
    add_job(store, status="failed", reason="no **room** in $HOME$ <b>")
    [error] = open_page("runs").error
    assert "\\*\\*room\\*\\*" in error.value
    assert "\\$HOME\\$" in error.value


@pytest.mark.parametrize(
    ("status", "can_resume"), [("done", False), ("stopped", True), ("interrupted", True), ("failed", True)]
)
def test_only_what_did_not_end_well_can_be_resumed(
    open_page: Open, store: Store, status: str, can_resume: bool
):
    add_job(store, status=status)
    labels = {each.label for each in open_page("runs").button}
    assert ("Resume" in labels) == can_resume
    assert {"Open", "Delete"} <= labels
    assert "Stop" not in labels


def test_a_running_job_can_be_stopped_but_not_deleted(open_page: Open, store: Store):
    job = add_job(store, status="running")
    lock = try_lock(job.folder / "lock")
    assert lock is not None
    with lock:
        app = open_page("runs")
        assert button(app, "Delete").disabled
        button(app, "Stop").click().run()
        assert not app.exception
    assert (job.folder / "stop").exists()


def test_a_job_is_deleted_only_after_a_question(open_page: Open, store: Store):
    job = add_job(store)
    app = open_page("runs")
    button(app, "Delete").click().run()
    assert "cannot be undone" in texts(app)
    assert {"Keep it", "Delete"} <= {each.label for each in app.button}
    assert store.job(job.id)


def dialog() -> None:
    """Both questions on every run of a script, since AppTest cannot run a dialog alone."""
    from pages.components import resources
    from pages.views.runs.delete import ask_to_delete_job, ask_to_delete_run

    store = resources.store()
    if len(store.runs()) == 4:
        ask_to_delete_run(store, store.runs()[0])
    elif store.jobs():
        ask_to_delete_job(store, store.jobs()[0])


def test_a_yes_deletes_the_run_or_the_job_with_its_runs(store: Store):
    add_job(store)
    app = AppTest.from_function(dialog, default_timeout=30).run()
    app.button(key="runs.really.run").click().run()
    assert not app.exception
    assert len(store.runs()) == 3
    app.button(key="runs.keep.job").click().run()
    assert len(store.jobs()) == 1
    app.button(key="runs.really.job").click().run()
    assert not app.exception
    assert not store.jobs()
    assert not store.runs()


def test_a_job_that_has_come_alive_is_not_deleted_and_the_dialog_says_why(store: Store):
    add_job(store, seeds=1)
    app = AppTest.from_function(dialog, default_timeout=30).run()
    [job] = store.jobs()
    store.update_job(job.id, status="running")
    lock = try_lock(job.folder / "lock")
    assert lock is not None
    with lock:
        app.button(key="runs.really.job").click().run()
    assert "Stop it before" in app.error[0].value
    assert store.jobs()


def test_one_ticked_run_shows_its_settings_and_asks_before_it_is_deleted(open_page: Open, store: Store):
    job = add_job(store)
    app = tick(open_page("runs"), f"runs.of.{job.id}", 2)
    asked = app.dataframe[2].value
    assert "LoRA, seed 1" in texts(app)
    assert dict(zip(asked["name"], asked["value"]))["rank"] == "16"
    button(app, "Delete this run").click().run()
    assert "cannot be undone" in texts(app)
    assert len(store.runs()) == 4


def test_several_ticked_runs_of_any_job_are_compared(open_page: Open, store: Store):
    add_job(store, title="a.csv", seeds=1)
    add_job(store, title="b.csv", seeds=1)
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("All runs").run()
    runs = sorted(store.runs(), key=lambda run: -run.record["started"])
    app = tick(app, f"runs.all.4.{runs[0].id}", 0, 1, 2)
    assert not app.exception
    compared = app.dataframe[1].value
    assert {"data", "strategy", "accuracy, %"} <= set(compared["setting"])
    assert list(compared.columns[1:]) == ["run 0", "run 1", "run 2"]
    accuracies = compared[compared["setting"] == "accuracy, %"].iloc[0, 1:]
    assert list(accuracies) == [f"{100 * run.record['report']['accuracy']:.1f}" for run in runs[:3]]
    assert "Holm" in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_imported_runs_without_a_job_stand_among_all_runs(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    run = add_run(store, job, "lora", 1, made_up_examples(("a", "b"), 20))
    store.write_run(run.id, {**run.record, "job": ""})
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("All runs").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 2


def test_open_goes_to_the_fine_tune_page_with_the_job_in_its_address(open_page: Open, store: Store):
    job = add_job(store)
    app = open_page("runs")
    button(app, "Open").click().run()
    assert not app.exception
    assert app.query_params[state.JOB] == job.id
    assert app.title[0].value == "Fine-tune"


def test_the_import_view_takes_zips(open_page: Open, store: Store):
    add_job(store, ("tfidf",), seeds=1)
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("Import").run()
    assert not app.exception
    assert app.get("file_uploader")
