from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state
from tests.outcomes.test_runs import means_by_arm
from tests.pages.made_up import (
    add_evaluation_job,
    add_job,
    add_reader_job,
    add_run,
    made_up_examples,
)
from tl_core.records import write_record
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
    assert table["best"][0] == pytest.approx(100 * max(means_by_arm(store.runs()[:4]).values()))
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
    from pages.components.kept import resources
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
    app.segmented_control(key="runs.view").set_value("runs").run()
    runs = sorted(store.runs(), key=lambda run: -run.record.started)
    app = tick(app, f"runs.all.4.{runs[0].id}", 0, 1, 2)
    assert not app.exception
    compared = app.dataframe[1].value
    assert {"data", "strategy", "accuracy, %"} <= set(compared["setting"])
    assert list(compared.columns[1:]) == ["run 0", "run 1", "run 2"]
    accuracies = compared[compared["setting"] == "accuracy, %"].iloc[0, 1:]
    assert list(accuracies) == [f"{100 * run.record.report['accuracy']:.1f}" for run in runs[:3]]
    assert "Holm" in texts(app)
    assert len(app.get("plotly_chart")) == 1


def test_imported_runs_without_a_job_stand_among_all_runs(open_page: Open, store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    run = add_run(store, job, "lora", 1, made_up_examples(("a", "b"), 20))
    store.write_run(replace(run.record, job=""))
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("runs").run()
    assert not app.exception
    assert len(app.dataframe[0].value) == 2


def test_open_goes_to_the_fine_tune_page_with_the_job_in_its_address(open_page: Open, store: Store):
    job = add_job(store)
    app = open_page("runs")
    button(app, "Open").click().run()
    assert not app.exception
    assert app.query_params[state.JOB] == job.id
    assert app.title[0].value == "Fine-tune"


# readers


def test_a_job_of_readers_has_its_own_scores_and_says_what_the_best_one_measures(
    open_page: Open, store: Store
):
    job = add_reader_job(store, sizes=(64, 0))
    jobs, runs = (each.value for each in open_page("runs").dataframe[:2])
    scores = [run.record.report["scores"] for run in store.runs_of(job.id)]
    assert (jobs["kind"][0], jobs["measure"][0], jobs["runs"][0]) == ("reader training", "F1", "4 of 4")
    assert jobs["best"][0] == 100 * max(each["f1"] for each in scores)
    assert list(runs["learned"]) == [64, 64, 200, 200]
    assert list(runs["exact_match"]) == [100 * each["exact_match"] for each in scores]
    assert all(" – " in interval for interval in runs["interval"])


def shown_columns(app: AppTest, at: int) -> list[str]:
    return list(app.dataframe[at].proto.column_order)


def test_the_table_of_runs_has_the_columns_of_the_tasks_in_it(open_page: Open, store: Store):
    add_job(store, seeds=1)
    assert {"accuracy", "macro_f1"} <= set(shown_columns(open_page("runs"), 1))
    assert not {"exact_match", "f1", "learned"} & set(shown_columns(open_page("runs"), 1))
    time.sleep(1.1)  # ids sort by second
    add_reader_job(store)
    assert not {"accuracy", "macro_f1"} & set(shown_columns(open_page("runs"), 1))
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("runs").run()
    both = shown_columns(app, 0)
    assert both[both.index("accuracy") :][:5] == ["accuracy", "exact_match", "interval", "macro_f1", "f1"]


def test_one_ticked_reader_shows_its_settings(open_page: Open, store: Store):
    job = add_reader_job(store)
    app = tick(open_page("runs"), f"runs.of.{job.id}", 0)
    assert not app.exception
    asked = dict(zip(app.dataframe[2].value["name"], app.dataframe[2].value["value"]))
    assert (asked["task"], asked["size"], asked["train questions"]) == ("reading", "64", "64")
    took = dict(zip(app.dataframe[3].value["name"], app.dataframe[3].value["value"]))
    assert took["windows"] == "70"
    assert "64 questions, seed 1" in texts(app)
    assert "English \\*reader\\*" in texts(app), "a title is shown letter by letter"
    assert len(app.get("plotly_chart")) == 1


def test_readers_side_by_side_are_compared_by_exact_match(open_page: Open, store: Store):
    job = add_reader_job(store)
    app = tick(open_page("runs"), f"runs.of.{job.id}", 0, 1)
    assert not app.exception
    compared = app.dataframe[2].value
    assert list(compared["setting"]) == ["source", "exact match, %", "95 % interval", "F1, %"]
    assert "points of exact match" in texts(app)
    assert "on the same 60 questions" in texts(app)


def test_readers_and_classifiers_stand_side_by_side_but_are_not_compared(open_page: Open, store: Store):
    add_job(store, ("lora",), seeds=1)
    add_reader_job(store)
    runs = sorted(store.runs(), key=lambda run: -run.record.started)
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("runs").run()
    app = tick(app, f"runs.all.3.{runs[0].id}", 0, 1, 2)
    assert not app.exception
    compared = app.dataframe[1].value.set_index("setting")
    assert set(compared.loc["task"]) == {"reading", "classification"}
    assert list(compared.loc["accuracy, %"])[:2] == ["", ""]
    assert list(compared.loc["F1, %"])[2] == ""
    assert all(compared.loc["95 % interval"])
    assert "different tasks" in texts(app)
    assert not app.error


@pytest.mark.parametrize("add", [add_reader_job, add_evaluation_job])
def test_open_goes_to_the_reading_page_for_jobs_of_readers(open_page: Open, store: Store, add: Callable):
    job = add(store)
    app = open_page("runs")
    button(app, "Open").click().run()
    assert not app.exception
    assert app.query_params[state.JOB] == job.id
    assert app.title[0].value == "Reading"
    assert not app.error


def test_an_evaluation_stands_among_the_jobs_with_its_score(open_page: Open, store: Store):
    add_evaluation_job(store)
    app = open_page("runs")
    [jobs] = [each.value for each in app.dataframe]
    assert (jobs["kind"][0], jobs["measure"][0], jobs["runs"][0]) == ("reading evaluation", "F1", "")
    assert jobs["best"][0] > 0
    assert "No training" not in texts(app)
    assert {"Open", "Delete"} <= {each.label for each in app.button}


@pytest.mark.parametrize(
    ("add", "said"), [(add_reader_job, "2 of 6 trainings done"), (add_evaluation_job, "10 of 40 questions")]
)
def test_the_panel_of_a_job_counts_what_it_does(open_page: Open, store: Store, add: Callable, said: str):
    job = add(store, status="running")
    progress = {"share": 0.25, "seconds_left": 60.0, "doing": "At work", "finished": 2, "cells": 6}
    write_record(job.folder / "progress.json", progress)
    if store.runs_of(job.id):
        run = store.runs_of(job.id)[0]
        store.write_run(replace(run.record, status="running"))
    lock = try_lock(job.folder / "lock")
    assert lock is not None
    with lock:
        app = open_page("reading", **{state.JOB: job.id})
    assert f"At work · {said} · 1 min 0 s left" in "".join(each.proto.text for each in app.get("progress"))
    assert ("questions held back" in texts(app)) == bool(store.runs_of(job.id))


def test_only_a_job_with_trainings_says_that_they_are_kept(open_page: Open, store: Store):
    for add, kept in ((add_reader_job, True), (add_evaluation_job, False)):
        app = open_page("reading", **{state.JOB: add(store, status="stopped").id})
        assert ("trainings are kept" in texts(app)) == kept


def test_a_reader_among_the_earlier_runs_is_named_by_its_own_score(open_page: Open, store: Store):
    add_reader_job(store)
    app = open_page("fine_tune")
    app.segmented_control(key="source.kind").set_value("run").run()
    assert not app.exception
    [run, _] = store.runs()
    score = run.record.report["scores"]["f1"]
    assert any(f"F1 {score:.1%}" in option for option in app.selectbox(key="source.run").options)


def test_the_import_view_takes_zips(open_page: Open, store: Store):
    add_job(store, ("tfidf",), seeds=1)
    app = open_page("runs")
    app.segmented_control(key="runs.view").set_value("import").run()
    assert not app.exception
    assert app.get("file_uploader")
