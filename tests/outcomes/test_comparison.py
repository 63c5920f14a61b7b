from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.pages.made_up import CLASSES, add_job, add_run, made_up_examples
from tl_core.convert import from_json
from tl_core.data.examples import read_examples
from tl_core.errors import DataError, RunError
from tl_core.jobs.classify.compare import runs_done
from tl_core.outcomes.answers import overconfidence, read_answers
from tl_core.outcomes.experiment import same_each_time, summarise
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.metrics import Report, score
from tl_core.tasks.intervals import mean_share_interval


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


def test_a_summary_has_means_and_spread_over_seeds_in_the_order_of_strategies(store: Store):
    job = add_job(store, ("lora", "tfidf"), seeds=3)
    runs = runs_done(store.runs_of(job.id))
    found = summarise(job, runs)
    assert [each.strategy for each in found.points] == ["tfidf", "lora"]
    lora = found.points[1]
    accuracies = [run.record.report["accuracy"] for run in runs if run.record.strategy == "lora"]
    assert lora.seeds == (1, 2, 3)
    assert lora.value == pytest.approx(np.mean(accuracies))
    assert lora.spread == pytest.approx(np.std(accuracies, ddof=1))
    assert lora.seconds == pytest.approx(3.0)  # 1.5, 3 and 4.5
    assert lora.peak_memory == 500_000_003
    assert lora.interval is not None
    assert lora.interval.low <= lora.value <= lora.interval.high
    assert found.best.value == max(each.value for each in found.points)


def test_trainings_that_come_out_the_same_are_told_so(store: Store):
    job = add_job(store, ("tfidf", "lora"), seeds=2)
    points = summarise(job, runs_done(store.runs_of(job.id))).points
    assert same_each_time(points) == ""
    assert not any(point.alike for point in points)
    twice = replace(points[0], alike=True)
    assert same_each_time([twice, points[1]]) == "Right on the same test rows with every seed: TF-IDF."
    more = replace(twice, size=8, rows=1250.0)
    assert "TF-IDF on 240 rows, TF-IDF on 1,250 rows" in same_each_time([twice, more])
    (store.runs_of(job.id)[1].folder / "predictions.npy").write_bytes(
        (store.runs_of(job.id)[0].folder / "predictions.npy").read_bytes()
    )
    assert summarise(job, runs_done(store.runs_of(job.id))).points[0].alike


def test_one_run_has_its_own_interval_and_no_spread(store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    [run] = runs_done(store.runs_of(job.id))
    [only] = summarise(job, [run]).points
    assert only.spread is None
    assert only.interval == from_json(Report, run.record.report).accuracy_interval


def test_the_majority_is_the_most_frequent_class_of_the_training_rows(store: Store):
    job = add_job(store, ("tfidf",), seeds=1, classes=("a", "b", "a"), rows=60)
    found = summarise(job, runs_done(store.runs_of(job.id)))
    assert found.majority == "a"
    assert found.majority_accuracy == pytest.approx(2 / 3)
    assert found.rows == 60


def test_the_sentences_name_every_strategy_by_its_title(store: Store):
    job = add_job(store, ("tfidf", "frozen", "full"), seeds=2)
    text = "\n".join(summarise(job, runs_done(store.runs_of(job.id))).lines)
    for title in ("TF-IDF", "Frozen encoder", "Full fine-tuning"):
        assert title in text
    assert "one seed" not in text


def test_a_model_no_better_than_the_majority_is_warned_of(store: Store):
    poor = add_job(store, ("tfidf",), seeds=2, share_right=0.3)
    good = add_job(store, ("tfidf",), seeds=2, share_right=0.95)
    assert "most frequent class" in summarise(poor, runs_done(store.runs_of(poor.id))).warning
    assert summarise(good, runs_done(store.runs_of(good.id))).warning == ""


def test_a_run_without_predictions_is_scored_but_not_compared(store: Store):
    job = add_job(store)
    runs = runs_done(store.runs_of(job.id))
    (runs[0].folder / "predictions.npy").unlink()
    found = summarise(job, runs)
    assert len(found.points[0].seeds) == 2
    assert any("1 of 4 runs" in line for line in found.lines)
    for run in runs[1:]:
        (run.folder / "predictions.npy").write_bytes(b"not an array")
    assert summarise(job, runs).points[1].interval is None


def test_a_job_without_finished_runs_has_no_summary(store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    with pytest.raises(RunError, match="finished"):
        summarise(job, [])


def test_answers_give_back_the_rows_they_were_given_for(store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    [run] = runs_done(store.runs_of(job.id))
    answers = read_answers(job, run)
    assert answers.classes == tuple(sorted(CLASSES))
    assert answers.correct.mean() == pytest.approx(run.record.report["accuracy"])
    test = read_examples(job.folder / "data" / "test.jsonl")
    rows = answers.rows([5, 0])
    assert [row.text for row in rows] == [test.texts[5], test.texts[0]]
    assert [row.row for row in rows] == [7, 2]
    for row, at in zip(rows, (5, 0)):
        assert row.true == test.labels[at]
        assert row.probability == pytest.approx(answers.probabilities[at].max())
        assert row.probability_of_true <= row.probability
        assert (row.predicted == row.true) == answers.correct[at]


def test_predictions_for_other_rows_are_refused(store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    run = add_run(store, job, "tfidf", 2, made_up_examples(CLASSES, 30))
    with pytest.raises(DataError, match="not those of its test rows"):
        read_answers(job, run)


def test_a_pickled_array_is_not_loaded(store: Store):
    job = add_job(store, ("tfidf",), seeds=1)
    [run] = runs_done(store.runs_of(job.id))
    np.save(run.folder / "predictions.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read"):
        read_answers(job, run)


def test_the_interval_of_a_mean_has_width_and_grows_with_the_spread_of_the_seeds():
    right = mean_share_interval(np.ones((3, 50), dtype=bool))
    assert right is not None
    assert right.low < 1 == right.high
    random = np.random.default_rng(0)
    alike = np.repeat(random.random((1, 400)) < 0.7, 4, axis=0)
    apart = np.stack([random.random(400) < share for share in (0.4, 0.6, 0.8, 1.0)])
    narrow, wide = mean_share_interval(alike), mean_share_interval(apart)
    assert narrow is not None
    assert wide is not None
    assert wide.high - wide.low > narrow.high - narrow.low


def test_overconfidence_is_mean_probability_less_share_right():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    report = score(probabilities, np.array([0, 1, 1, 0]), ("a", "b"), majority=0)
    assert overconfidence(report) == pytest.approx(0.75 - 0.5)
