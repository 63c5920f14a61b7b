"""Paired tests against scipy and brute force, their behaviour without a difference, and the words."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from tl_core.errors import DataError
from tl_core.tasks.intervals import Interval
from tl_core.tasks.significance import (
    Comparison,
    against_majority,
    compare_all,
    compare_pair,
    holm,
    mcnemar,
    sentence,
    sign_flip,
)

TITLES = {"tfidf": "TF-IDF", "lora": "LoRA", "full": "Full fine-tuning"}


def answers(accuracy, seeds=1, rows=200, seed=0):
    """Right answers (S, N), each independent with the given chance."""
    return np.random.default_rng(seed).random((seeds, rows)) < accuracy


def disagreeing(only_a, only_b, both=5):
    """Answers of two models (1, N) with this many rows that only the one gets right."""
    a = np.array([True] * (only_a + both) + [False] * only_b)
    b = np.array([False] * only_a + [True] * (both + only_b))
    return a[None], b[None]


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (1, 0), (0, 5), (6, 1), (10, 10), (40, 63), (2500, 2680)]
)
def test_mcnemar_is_the_exact_binomial_test_on_rows_where_the_two_differ(only_a, only_b):
    a, b = disagreeing(only_a, only_b)
    wanted = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(a[0], b[0]) == pytest.approx(wanted, rel=1e-8)


def test_one_seed_each_is_tested_by_mcnemar_and_more_by_flipping_signs():
    a, b = answers(0.8, seed=1), answers(0.7, seed=2)
    assert compare_pair(a, b)[2] == mcnemar(a[0], b[0])
    repeated = np.repeat(a, 2, axis=0)
    assert compare_pair(repeated, b)[2] == sign_flip(repeated, b, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(5))
def test_sign_flips_agree_with_all_flips_of_a_small_table(seed):
    a, b = answers(0.8, seeds=2, rows=10, seed=seed), answers(0.4, seeds=3, rows=10, seed=seed + 50)
    differences = 3 * a.sum(axis=0) - 2 * b.sum(axis=0)
    sums = np.array(list(product([-1, 1], repeat=10))) @ differences
    wanted = (np.abs(sums) >= abs(differences.sum())).mean()
    assert sign_flip(a, b, np.random.default_rng(0)) == pytest.approx(wanted, abs=0.02)


def test_sign_flips_of_one_seed_agree_with_mcnemar():
    a, b = disagreeing(30, 18)
    assert sign_flip(a, b, np.random.default_rng(0)) == pytest.approx(mcnemar(a[0], b[0]), abs=0.015)


def test_the_interval_agrees_with_drawing_rows_and_seeds_one_by_one():
    a, b = answers(0.85, seeds=3, seed=1), answers(0.75, seeds=2, seed=2)
    a[0] &= answers(0.9)[0]  # one training that went worse
    generator, values = np.random.default_rng(9), []
    for _ in range(4000):
        rows = generator.integers(0, 200, size=200)
        drawn_a, drawn_b = a[generator.integers(0, 3, size=3)], b[generator.integers(0, 2, size=2)]
        values.append(drawn_a[:, rows].mean() - drawn_b[:, rows].mean())
    low, high = np.percentile(values, [2.5, 97.5])
    difference, interval, _ = compare_pair(a, b)
    assert difference == pytest.approx(a.mean() - b.mean())
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize("seeds", [1, 3])
def test_equal_strategies_are_rarely_called_different(seeds):
    p_values = np.array([
        compare_pair(answers(0.8, seeds, 100, seed=2 * each), answers(0.8, seeds, 100, seed=2 * each + 1))[2]
        for each in range(200)
    ])  # fmt: skip
    assert (p_values < 0.05).mean() < 0.10
    assert (p_values < 0.5).mean() == pytest.approx(
        0.5 if seeds > 1 else 0.42, abs=0.12
    )  # exact tests are shy


def test_a_clear_difference_is_found_and_the_better_one_named():
    found = compare_all({"tfidf": answers(0.6, 2, 500, seed=1), "lora": answers(0.9, 2, 500, seed=2)})
    assert (found[0].better, found[0].worse) == ("lora", "tfidf")
    assert found[0].larger_than_chance
    assert found[0].interval.low > 0.2
    assert found[0].p_value == pytest.approx(1 / 10_001)


def test_strategies_with_the_same_answers_differ_by_nothing():
    (found,) = compare_all({"tfidf": answers(0.7), "lora": answers(0.7)})
    assert (found.better, found.difference, found.p_value) == ("tfidf", 0, 1)
    assert found.interval == Interval(0, 0)


def test_all_pairs_are_compared_largest_difference_first_with_seeds_of_any_number():
    found = compare_all(
        {"tfidf": answers(0.5), "lora": answers(0.9, 3, seed=1), "full": answers(0.7, 2, seed=2)}
    )
    assert (found[0].better, found[0].worse) == ("lora", "tfidf")
    assert len(found) == 3
    assert [each.difference for each in found] == sorted((each.difference for each in found), reverse=True)
    assert [each.adjusted_p for each in found] == holm([each.p_value for each in found])


def test_the_same_seed_gives_the_same_comparisons():
    correct = {"tfidf": answers(0.7, 2, seed=1), "lora": answers(0.75, 2, seed=2)}
    assert compare_all(correct, seed=4) == compare_all(correct, seed=4)
    assert compare_all(correct, seed=4) != compare_all(correct, seed=5)


def test_holm_of_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1, 1]
    assert holm([]) == []


def test_strategies_on_different_rows_are_refused():
    with pytest.raises(DataError, match="tfidf 200, lora 100 rows"):
        compare_all({"tfidf": answers(0.7), "lora": answers(0.7, rows=100)})
    with pytest.raises(ValueError, match="must be \\(seeds, rows\\)"):
        compare_all({"tfidf": answers(0.7)[0]})


LORA_TFIDF = Comparison("lora", "tfidf", 0.016, Interval(0.003, 0.029), 0.007, 0.02, True)
FULL_TFIDF = Comparison("full", "tfidf", 0.012, Interval(0.001, 0.025), 0.03, 0.06, False)
LORA_FULL = Comparison("lora", "full", 0.004, Interval(-0.0091, 0.0168), 0.41, 0.41, False)


def test_a_difference_larger_than_chance_is_said_so():
    assert sentence([LORA_TFIDF], TITLES, rows=2000, seeds=3) == (
        "LoRA is better than TF-IDF by 1.6 points [0.3, 2.9] on the same 2,000 rows (p = 0.02): "
        "larger than chance."
    )


def test_the_best_strategy_is_set_against_each_other_one_the_nearest_first():
    lines = sentence([LORA_TFIDF, FULL_TFIDF, LORA_FULL], TITLES, rows=2000, seeds=3).splitlines()
    assert lines[0] == (
        "Between LoRA and Full fine-tuning the difference of 0.4 points [-0.9, 1.7] may be chance (p = 0.41)."
    )
    assert lines[1].startswith("LoRA is better than TF-IDF")
    assert lines[2:] == ["The p-values are corrected for the 3 pairs compared (Holm)."]


def test_few_rows_and_a_single_seed_end_in_a_caution():
    lines = sentence([LORA_FULL], {}, rows=40, seeds=1).splitlines()
    assert lines[0].startswith("Between lora and full")
    assert lines[1] == "With 40 test rows only large differences can be told from chance."
    assert lines[2] == "With one seed the spread between trainings is not known."


def test_a_difference_that_hangs_on_the_seeds_is_not_overstated():
    shaky = Comparison("lora", "tfidf", 0.016, Interval(-0.0003, 0.029), 0.0002, 0.0002, True)
    text = sentence([shaky], TITLES, rows=2000, seeds=3)
    assert "[0.0, 2.9] on the same 2,000 rows (p < 0.001)" in text
    assert text.endswith("larger than chance for these trainings, but other seeds may turn it.")


def test_a_single_strategy_has_nothing_to_be_compared_with():
    assert compare_all({"lora": answers(0.7)}) == ()
    assert "nothing to compare" in sentence((), TITLES, rows=2000, seeds=3)


def test_a_warning_comes_only_when_the_majority_class_is_not_beaten():
    majority = answers(0.7, seed=7)[0]
    good = {"tfidf": answers(0.71, seed=1), "lora": answers(0.95, 2, seed=2)}
    assert against_majority(good, majority, TITLES) is None
    text = against_majority({"tfidf": answers(0.71, seed=1)}, majority, TITLES)
    assert text is not None
    assert text.startswith(
        "TF-IDF, the best here, is not shown to beat always answering the most frequent class"
    )
    worse = against_majority({"tfidf": answers(0.3, seed=1)}, majority, TITLES)
    assert worse is not None
    assert "p < 0.001" in worse
