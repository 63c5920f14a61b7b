from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.pages.made_up import add_job, add_run, made_up_examples
from tl_core.convert import to_json
from tl_core.jobs.classify.plan import WITHOUT_SOURCE
from tl_core.outcomes.runs import (
    compare_in_words,
    differing_settings,
    facts_of,
    job_lines,
    run_title,
    titles_of,
)
from tl_core.outcomes.tasks import preferred
from tl_core.runs.store import Run, Store
from tl_core.settings import Settings


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def test_a_job_line_counts_runs_and_knows_the_best_score(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=2)
    [line] = job_lines(store)
    assert (line.id, line.status, line.done, line.planned, line.share) == (job.id, "done", 4, 4, 1.0)
    means = means_by_arm(store.runs())
    assert line.best == pytest.approx(max(means.values()))
    assert line.best < max(run.record.report["accuracy"] for run in store.runs())


def means_by_arm(runs: list[Run]) -> dict[str, float]:
    """The mean accuracy of each arm over its seeds."""
    arms: dict[str, list[float]] = {}
    for run in runs:
        arms.setdefault(run.record.arm, []).append(run.tested["accuracy"])
    return {arm: sum(shares) / len(shares) for arm, shares in arms.items()}


def test_the_run_to_look_at_first_is_not_the_luckiest_one(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=3)
    runs = store.runs_of(job.id)
    means = means_by_arm(runs)
    chosen = preferred(runs)
    assert chosen.record.arm == max(means, key=means.__getitem__)
    assert chosen.record.seed == 1
    untested = [replace(run, record=replace(run.record, report=None)) for run in runs]
    assert preferred(untested) == untested[0]


def test_a_failed_job_keeps_its_reason_and_what_was_planned(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=2, status="failed", reason="no room")
    shutil.rmtree(store.runs()[0].folder)
    [line] = job_lines(store)
    assert (line.status, line.reason, line.done, line.planned) == ("failed", "no room", 3, 4)
    assert line.id == job.id


def test_a_job_of_another_recipe_or_version_is_still_listed(store: Store):
    store.add_job("predict", "a file", {"run": "x"})
    store.add_job(
        "compare", "from another version", {"comparison": {"strange": 1}, "source": to_json(WITHOUT_SOURCE)}
    )
    assert [(line.planned, line.best) for line in job_lines(store)] == [(0, None), (0, None)]


def test_titles_are_told_apart_by_data_and_then_by_id(store: Store):
    first, second = add_job(store, ("tfidf",), title="a.csv"), add_job(store, ("tfidf",), title="b.csv")
    third = add_job(store, ("tfidf",), title="a.csv")
    of = {job.id: store.runs_of(job.id)[0] for job in (first, second, third)}
    assert list(titles_of([of[first.id]]).values()) == ["TF-IDF, seed 1"]
    assert set(titles_of([of[first.id], of[second.id]]).values()) == {
        "TF-IDF, seed 1 · a.csv",
        "TF-IDF, seed 1 · b.csv",
    }
    assert titles_of([of[first.id], of[third.id]])[of[third.id].id] == f"TF-IDF, seed 1 · {of[third.id].id}"


def test_only_settings_that_differ_are_told_and_those_of_one_strategy_among_its_own(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=2)
    tfidf, _, lora, other = store.runs_of(job.id)
    store.write_run(replace(other.record, config={**other.record.config, "rank": 4}))
    found = {each.name: each.values for each in differing_settings([tfidf, lora, store.run(other.id)])}
    assert found["rank"] == ("", "16", "4")
    assert found["strategy"] == ("TF-IDF", "LoRA", "LoRA")
    assert found["seed"] == ("1", "1", "2")
    assert not {"alpha", "strength", "data", "test rows"} & set(found)
    assert differing_settings([lora]) == []


def test_facts_have_units_and_hold_what_the_training_found(store: Store):
    job = add_job(store, ("lora",), seeds=1)
    [run] = store.runs_of(job.id)
    facts = facts_of(run)
    assert facts["peak memory"] == "500 MB"
    assert facts["trained parameters"] == "1,234"
    assert facts["best_epoch"] == "2"


def test_runs_on_the_same_test_rows_are_compared_in_words_even_of_two_jobs(store: Store):
    first, second = add_job(store, ("tfidf",), seeds=1), add_job(store, ("lora",), seeds=1)
    lines = compare_in_words(store, [*store.runs_of(first.id), *store.runs_of(second.id)])
    assert "TF-IDF, seed 1" in lines[0]
    assert "LoRA, seed 1" in lines[0]


def test_runs_on_other_test_rows_or_without_their_job_are_not_compared(store: Store):
    first, second = add_job(store, ("tfidf",), seeds=1), add_job(store, ("tfidf",), seeds=1, rows=30)
    runs = [*store.runs_of(first.id), *store.runs_of(second.id)]
    assert "different test rows" in compare_in_words(store, runs)[0]
    imported = add_run(store, first, "lora", 1, made_up_examples(("a", "b"), 10))
    store.write_run(replace(imported.record, job=""))
    assert "not here" in compare_in_words(store, [runs[0], store.run(imported.id)])[0]


def test_the_training_on_a_source_task_is_named_as_such(store: Store):
    job = add_job(store, ("lora",), seeds=1)
    [run] = store.runs_of(job.id)
    store.write_run(replace(run.record, role="source"))
    assert run_title(store.run(run.id)) == "LoRA, source task"
