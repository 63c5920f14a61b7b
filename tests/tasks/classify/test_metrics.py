"""Scores against scikit-learn's, worked examples, and the bootstrap against its plain form."""

from __future__ import annotations

import json

import numpy as np
import pytest
import sklearn.metrics as oracle

from tl_core.convert import from_json, to_json
from tl_core.errors import DataError, ModelError
from tl_core.tasks.classify.metrics import Report, cell_rows, confident_errors, score

CLASSES = ("city", "food", "music", "sport", "weather")


def random_case(rows=300, seed=0):
    """Probabilities (N, 5) that favour the true class (N,) somewhat."""
    generator = np.random.default_rng(seed)
    truth = generator.choice(5, size=rows, p=[0.4, 0.3, 0.15, 0.1, 0.05])
    logits = generator.normal(size=(rows, 5)) + 1.2 * np.eye(5)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, truth


def one_hot(predicted, classes):
    return np.eye(classes)[np.asarray(predicted)]


def test_accuracy_macro_f1_classes_and_confusion_equal_scikit_learn():
    probabilities, truth = random_case()
    predicted = probabilities.argmax(axis=1)
    report = score(probabilities, truth, CLASSES, majority=0)
    assert report.accuracy == pytest.approx(oracle.accuracy_score(truth, predicted))
    assert report.macro_f1 == pytest.approx(oracle.f1_score(truth, predicted, average="macro"))
    assert np.array_equal(report.confusion, oracle.confusion_matrix(truth, predicted))
    wanted = oracle.precision_recall_fscore_support(truth, predicted)
    got = zip(
        *((each.precision, each.recall, each.f1, each.support) for each in report.per_class), strict=True
    )
    for ours, theirs in zip(got, wanted, strict=True):
        assert ours == pytest.approx(theirs)
    assert tuple(each.label for each in report.per_class) == CLASSES
    assert report.majority_accuracy == pytest.approx((truth == 0).mean())


def test_log_loss_and_brier_equal_scikit_learn():
    probabilities, truth = random_case(seed=1)
    report = score(probabilities, truth, CLASSES, majority=0)
    assert report.log_loss == pytest.approx(oracle.log_loss(truth, probabilities))
    assert report.brier == pytest.approx(oracle.brier_score_loss(truth, probabilities, labels=range(5)))


def test_two_classes_have_twice_the_brier_score_of_one_probability():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]])
    truth = np.array([0, 0, 1])
    report = score(probabilities, truth, ("no", "yes"), majority=0)
    assert report.brier == pytest.approx(2 * oracle.brier_score_loss(truth, probabilities[:, 1]))


def test_a_class_in_neither_truth_nor_prediction_leaves_macro_f1_alone():
    truth, predicted = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 0])
    report = score(one_hot(predicted, 5), truth, CLASSES, majority=0)
    assert report.macro_f1 == pytest.approx(
        oracle.f1_score(truth, predicted, average="macro", zero_division=0)
    )
    assert [each.support for each in report.per_class] == [2, 2, 1, 0, 0]
    assert report.per_class[2].f1 == report.per_class[4].f1 == 0


def test_the_first_of_equally_probable_classes_is_predicted():
    report = score(np.array([[0.4, 0.4, 0.2]]), np.array([1]), CLASSES[:3], majority=1)
    assert report.confusion[1] == (1, 0, 0)


def test_calibration_error_of_a_worked_example():
    # Bin (0.5, 0.6]: 0.55 right, 0.60 wrong: mean 0.575, accuracy 0.5.
    # Bin (0.8, 0.9]: 0.90 right twice, wrong once: mean 0.9, accuracy 2/3.
    # So 2/5 * 0.075 + 3/5 * 0.2333 = 0.17.
    confidence = np.array([0.55, 0.60, 0.90, 0.90, 0.90])
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    report = score(probabilities, np.array([0, 1, 0, 0, 1]), ("no", "yes"), majority=0)
    assert report.expected_calibration_error == pytest.approx(0.17)
    assert [each.count for each in report.bins] == [0, 0, 0, 0, 0, 2, 0, 0, 3, 0]
    assert (report.bins[8].low, report.bins[8].high) == pytest.approx((0.8, 0.9))
    assert report.bins[8].accuracy == pytest.approx(2 / 3)
    assert (report.bins[0].confidence, report.bins[0].accuracy) == (0, 0)


def test_sure_and_right_is_perfectly_calibrated():
    truth = np.array([0, 1, 2, 1])
    report = score(one_hot(truth, 3), truth, CLASSES[:3], majority=1)
    assert (report.expected_calibration_error, report.log_loss, report.brier) == (0, 0, 0)
    assert report.calibration_error_by_chance == 0
    assert report.bins[9].count == 4
    assert (report.accuracy, report.macro_f1) == (1, 1)


def test_intervals_agree_with_resampling_the_rows_themselves():
    probabilities, truth = random_case(rows=200, seed=2)
    predicted = probabilities.argmax(axis=1)
    generator = np.random.default_rng(5)
    values = []
    for _ in range(1500):
        rows = generator.integers(0, len(truth), size=len(truth))
        drawn, said = truth[rows], predicted[rows]
        values.append(
            ((drawn == said).mean(), oracle.f1_score(drawn, said, average="macro", zero_division=0))
        )
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    report = score(probabilities, truth, CLASSES, majority=0, resamples=4000)
    assert report.accuracy_interval.low == pytest.approx(low[0], abs=0.012)
    assert report.accuracy_interval.high == pytest.approx(high[0], abs=0.012)
    assert report.macro_f1_interval.low == pytest.approx(low[1], abs=0.02)
    assert report.macro_f1_interval.high == pytest.approx(high[1], abs=0.02)


def test_all_wrong_or_all_right_rows_have_intervals_with_width():
    report = score(one_hot([1, 2, 0], 3), np.array([0, 1, 2]), CLASSES[:3], majority=0)
    assert report.accuracy == report.macro_f1 == 0
    assert report.accuracy_interval.low == 0 < report.accuracy_interval.high < 1
    assert report.macro_f1_interval.low == 0 < report.macro_f1_interval.high < 1
    truth = np.arange(119) % 2
    right = score(one_hot(truth, 2), truth, CLASSES[:2], majority=0)
    assert right.accuracy_interval.low == pytest.approx(0.9687, abs=1e-4)
    assert right.macro_f1_interval.low < 1 == right.macro_f1_interval.high


def test_a_perfectly_calibrated_model_shows_the_error_that_chance_gives():
    random = np.random.default_rng(0)
    for rows, wanted in ((50, 0.10), (1000, 0.023)):
        sure = random.uniform(0.5, 1, rows)
        errors, chances = [], []
        for seed in range(20):
            truth = (np.random.default_rng(seed).random(rows) > sure).astype(int)
            report = score(np.stack([sure, 1 - sure], axis=1), truth, ("a", "b"), majority=0, resamples=50)
            errors.append(report.expected_calibration_error)
            chances.append(report.calibration_error_by_chance)
        assert np.mean(chances) == pytest.approx(wanted, rel=0.35)
        assert np.mean(errors) == pytest.approx(np.mean(chances), rel=0.2)


def test_the_same_seed_gives_the_same_report():
    probabilities, truth = random_case()
    first = score(probabilities, truth, CLASSES, majority=0, seed=3)
    assert first == score(probabilities, truth, CLASSES, majority=0, seed=3)
    assert (
        first.macro_f1_interval != score(probabilities, truth, CLASSES, majority=0, seed=4).macro_f1_interval
    )


def test_short_integers_and_single_precision_give_the_same_scores():
    probabilities, truth = random_case()
    short = score(probabilities.astype(np.float32), truth.astype(np.int8), CLASSES, majority=0)
    full = score(probabilities, truth, CLASSES, majority=0)
    assert short.confusion == full.confusion
    assert short.log_loss == pytest.approx(full.log_loss, abs=1e-6)
    many = tuple(str(number) for number in range(100))
    assert score(one_hot([99], 100), np.array([99], dtype=np.int8), many, majority=0).accuracy == 1


def test_a_report_comes_back_whole_from_json():
    probabilities, truth = random_case()
    report = score(probabilities, truth, CLASSES, majority=0)
    plain = to_json(report)
    assert json.loads(json.dumps(plain)) == plain
    assert from_json(Report, plain) == report


def test_wrong_rows_come_most_confident_first():
    probabilities = np.array([[0.6, 0.4], [0.1, 0.9], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]])
    truth = np.array([1, 0, 0, 0, 0])
    assert confident_errors(probabilities, truth, 10).tolist() == [1, 4, 3, 0]
    assert confident_errors(probabilities, truth, 2).tolist() == [1, 4]


def test_the_rows_of_a_confusion_cell_are_as_many_as_it_says():
    probabilities, truth = random_case()
    report = score(probabilities, truth, CLASSES, majority=0)
    for true_class in range(5):
        for predicted_class in range(5):
            rows = cell_rows(probabilities, truth, true_class, predicted_class)
            assert len(rows) == report.confusion[true_class][predicted_class]
            assert (truth[rows] == true_class).all()
            assert (np.diff(probabilities[rows].max(axis=1)) <= 0).all()


def test_no_rows_and_diverged_models_are_said_plainly():
    with pytest.raises(DataError, match="no test rows"):
        score(np.empty((0, 2)), np.empty(0, dtype=int), ("no", "yes"), majority=0)
    with pytest.raises(ModelError, match="1 of 2 rows"):
        score(np.array([[np.nan, 1.0], [0.5, 0.5]]), np.array([0, 1]), ("no", "yes"), majority=0)


@pytest.mark.parametrize(
    ("probabilities", "truth"),
    [
        ([[0.5, 0.5]], [2]),
        ([[0.5, 0.5]], [-1]),
        ([[0.2, 0.3, 0.5]], [0]),
        ([[3.0, -2.0]], [0]),
        ([[0.5, 0.2]], [0]),
    ],
)
def test_what_is_no_probability_or_no_class_is_refused(probabilities, truth):
    with pytest.raises(ValueError, match="must be"):
        score(np.array(probabilities), np.array(truth), ("no", "yes"), majority=0)
