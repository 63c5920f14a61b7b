"""Temperatures are found again on made data, and calibration errors equal those reckoned by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tl_core.convert import to_json
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.calibration import (
    Calibration,
    best_probabilities,
    calibrate,
    expected_calibration_error,
    fit_temperature,
    probabilities,
)


def made_scores(count: int, seed: int = 0) -> list[np.ndarray]:
    """Scores of one to five answers of each question, best first."""
    random = np.random.default_rng(seed)
    return [np.sort(random.normal(1, 3, size=random.integers(1, 6)))[::-1] for _ in range(count)]


def right_at(scores: list[np.ndarray], temperature: float, seed: int = 1) -> list[bool]:
    """Whether each best answer is right, drawn with the probability that this temperature gives it."""
    draws = np.random.default_rng(seed).random(len(scores))
    return (draws < best_probabilities(scores, temperature)).tolist()


def test_probabilities_are_a_softmax_with_no_answer_at_zero() -> None:
    scores = np.array([2.0, -1.0])
    powers = np.exp(scores / 2)
    assert probabilities(scores, 2.0) == pytest.approx(powers / (powers.sum() + 1))
    assert probabilities(np.array([0.0]), 3.0) == pytest.approx([0.5])
    assert probabilities(np.zeros(0), 1.0).shape == (0,)


def test_huge_scores_do_not_overflow() -> None:
    assert probabilities(np.array([5000.0, -5000.0]), 0.2) == pytest.approx([1.0, 0.0])
    assert probabilities(np.array([-5000.0]), 0.2) == pytest.approx([0.0])


def test_a_question_without_answers_has_probability_zero() -> None:
    assert best_probabilities([np.zeros(0), np.array([0.0])], 1.0).tolist() == [0.0, 0.5]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    scores = made_scores(800)
    found = fit_temperature(scores, right_at(scores, temperature))
    assert found == pytest.approx(temperature, rel=0.25)


def test_scores_that_say_nothing_get_the_highest_temperature() -> None:
    scores = [np.array([each]) for each in np.random.default_rng(0).normal(0, 5, size=400)]
    right = (np.arange(400) % 2 == 0).tolist()
    assert fit_temperature(scores, right) > 10


def test_calibrated_probabilities_have_a_small_error() -> None:
    random = np.random.default_rng(2)
    sure = random.random(20_000)
    assert expected_calibration_error(sure, (random.random(20_000) < sure).tolist()) < 0.015


def test_the_error_of_an_overconfident_reader_is_its_gap() -> None:
    # 0.95 sure and right six times of ten: 0.35 off, everywhere.
    assert expected_calibration_error(np.full(10, 0.95), [True] * 6 + [False] * 4) == pytest.approx(0.35)


def test_the_error_is_weighted_by_rows() -> None:
    # Bin 0.9 to 1: four rows at 0.9, one right: 0.65 off. Bin 0.2 to 0.3: one row at 0.25, wrong: 0.25 off.
    sure = np.array([0.9, 0.9, 0.9, 0.9, 0.25])
    right = [True, False, False, False, False]
    assert expected_calibration_error(sure, right) == pytest.approx(0.8 * 0.65 + 0.2 * 0.25)


def test_gaps_within_one_bin_cancel_and_certainty_has_a_bin() -> None:
    assert expected_calibration_error(np.array([0.45, 0.45]), [True, False]) == pytest.approx(0.05)
    assert expected_calibration_error(np.array([1.0, 1.0]), [True, True]) == 0.0
    assert expected_calibration_error(np.zeros(0), []) == 0.0


def test_calibrating_a_reader_fits_and_measures() -> None:
    scores = made_scores(500)
    found = calibrate(scores, right_at(scores, 3.0), threshold=-1.5)
    assert (found.threshold, found.rows, found.calibrated) == (-1.5, 500, True)
    assert found.temperature == pytest.approx(3.0, rel=0.25)
    assert found.error < 0.08


def test_the_error_is_measured_on_rows_that_the_temperature_did_not_see() -> None:
    """By hand: five parts, each judged by the temperature of the other four."""
    scores = made_scores(40, seed=3)
    right = right_at(scores, 2.0)
    sure = np.zeros(40)
    for part in range(5):
        others = [row for row in range(40) if row % 5 != part]
        temperature = fit_temperature([scores[row] for row in others], [right[row] for row in others])
        for row in range(part, 40, 5):
            sure[row] = probabilities(scores[row], temperature)[0]
    found = calibrate(scores, right, threshold=0.0)
    assert found.error == pytest.approx(expected_calibration_error(sure, right))


@pytest.mark.parametrize(("count", "right"), [(0, []), (9, [True, False]), (20, [True]), (20, [False])])
def test_too_few_or_one_sided_rows_give_no_probability(count: int, right: list[bool]) -> None:
    truth = (right * 20)[:count]
    found = calibrate(made_scores(count), truth, threshold=0.7)
    assert (found.threshold, found.calibrated) == (0.7, False)
    answers = [FoundAnswer("x", 0, 1, 3.0, 0)]
    assert found.with_probabilities(answers) == answers
    assert answers[0].probability is None


def test_answers_get_the_probability_of_their_score() -> None:
    answers = [FoundAnswer("x", 0, 1, 3.0, 0), FoundAnswer("y", 4, 5, -1.0, 1)]
    given = Calibration(temperature=2.0).with_probabilities(answers)
    assert [each.probability for each in given] == pytest.approx(probabilities(np.array([3.0, -1.0]), 2.0))
    assert [(each.text, each.score, each.window) for each in given] == [("x", 3.0, 0), ("y", -1.0, 1)]
    assert Calibration(temperature=2.0).with_probabilities([]) == []


def test_a_calibration_becomes_json() -> None:
    made = Calibration(-0.5, 2.0, 0.03, 100)
    values = json.loads(json.dumps(to_json(made)))
    assert Calibration(**values) == made
