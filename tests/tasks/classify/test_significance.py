"""Paired tests against scipy and brute force, their behaviour without a difference, and the words."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from tl_core.errors import DataError
from tl_core.tasks.intervals import Interval, difference_of, mean_interval, mean_share_interval, wilson
from tl_core.tasks.significance import (
    Comparison,
    against_majority,
    compare_all,
    holm,
    holm_levels,
    sentence,
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
def test_two_models_are_tested_by_mcnemar_and_their_interval_agrees(only_a, only_b):
    a, b = disagreeing(only_a, only_b)
    difference = difference_of(a, b)
    rows = a.shape[1]
    if not only_a + only_b:
        assert difference.p_value == 1
        assert difference.interval().low < 0 < difference.interval().high
        return
    oracle = binomtest(only_a, only_a + only_b)
    assert difference.p_value == pytest.approx(min(1.0, oracle.pvalue), rel=1e-8)
    ends = oracle.proportion_ci(method="exact")
    wanted = [(2 * end - 1) * (only_a + only_b) / rows for end in (ends.low, ends.high)]
    interval = difference.interval()
    assert [interval.low, interval.high] == pytest.approx(wanted)
    assert (difference.p_value < 0.05) == (interval.low > 0 or interval.high < 0)


@pytest.mark.parametrize(
    ("right", "count"), [(0, 20), (1, 20), (19, 20), (119, 119), (17, 200), (2500, 5000)]
)
def test_a_share_has_the_interval_of_wilson(right, count):
    wanted = binomtest(right, count).proportion_ci(method="wilson")
    interval = wilson(right, count)
    assert (interval.low, interval.high) == pytest.approx((wanted.low, wanted.high), abs=1e-9)
    assert interval.low < interval.high
    assert wilson(0, 0) is None


def test_where_the_seeds_alone_differ_the_interval_is_students_t_over_them():
    """Every row is right or wrong as the training is: nothing is left for the rows."""
    a = np.repeat(np.array([[True]] * 5 + [[False]] * 3), 5000, axis=1)
    b = np.repeat(np.array([[True]] * 3 + [[False]] * 5), 5000, axis=1)
    difference = difference_of(a, b)
    wanted = ttest_1samp(a.mean(axis=1) - b.mean(axis=1), 0)
    ends = wanted.confidence_interval(0.95)
    interval = difference.interval()
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), abs=2e-3)
    assert difference.p_value == pytest.approx(wanted.pvalue, abs=2e-3)


def test_where_the_rows_alone_differ_the_interval_is_students_t_over_them():
    a, b = (np.repeat(answers(share, 1, 2000, seed), 4, axis=0) for share, seed in ((0.8, 1), (0.75, 2)))
    wanted = ttest_1samp(a[0].astype(float) - b[0], 0)
    ends = wanted.confidence_interval(0.95)
    interval = difference_of(a, b).interval()
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), abs=1e-3)
    assert difference_of(a, b).p_value == pytest.approx(wanted.pvalue, rel=0.05)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 0.03])
def test_equal_strategies_are_rarely_called_different_however_their_trainings_spread(seeds, spread):
    p_values = np.array(
        [difference_of(*equal_pair(seeds, 1000, spread, seed)).p_value for seed in range(300)]
    )
    assert (p_values < 0.05).mean() <= 0.09  # 5 % and the chance of 300 draws


def equal_pair(seeds, rows, spread, seed):
    """Two strategies that are equal, whose trainings' accuracies spread by so much."""
    random = np.random.default_rng([seeds, seed])
    hard = 0.15 * random.standard_normal(rows)
    shares = (0.8 + hard + spread * random.standard_normal((2, seeds, 1))).clip(0, 1)
    return random.random((2, seeds, rows)) < shares


def test_a_training_without_a_partner_stays_out():
    a, b = answers(0.8, 3, seed=1), answers(0.7, 2, seed=2)
    assert difference_of(a, b) == difference_of(a[:2], b)


def test_the_interval_of_a_difference_stays_within_what_shares_can_differ_by():
    right, wrong = np.ones(100, dtype=bool), np.zeros(100, dtype=bool)
    half = np.arange(100) < 50
    interval = difference_of(np.stack([right, half]), np.stack([wrong, wrong])).interval()
    assert (interval.low, interval.high) == (-1.0, 1.0)  # two trainings 50 points apart: t reaches far beyond
    lowest = difference_of(np.stack([wrong, wrong]), np.stack([right, half])).interval(0.01)
    assert (lowest.low, lowest.high) == (-1.0, 1.0)


def test_a_clear_difference_is_found_and_the_better_one_named():
    found = compare_all({"tfidf": answers(0.6, 2, 500, seed=1), "lora": answers(0.9, 2, 500, seed=2)})
    assert (found[0].better, found[0].worse) == ("lora", "tfidf")
    assert found[0].larger_than_chance
    assert found[0].interval.low > 0.2
    assert found[0].p_value < 0.05


def test_strategies_with_the_same_answers_differ_by_nothing():
    (found,) = compare_all({"tfidf": answers(0.7), "lora": answers(0.7)})
    assert (found.better, found.difference, found.p_value) == ("tfidf", 0, 1)
    assert found.interval.low < 0 < found.interval.high
    assert not found.larger_than_chance


def test_all_pairs_are_compared_largest_difference_first_with_seeds_of_any_number():
    found = compare_all(
        {"tfidf": answers(0.5), "lora": answers(0.9, 3, seed=1), "full": answers(0.7, 2, seed=2)}
    )
    assert (found[0].better, found[0].worse) == ("lora", "tfidf")
    assert len(found) == 3
    assert [each.difference for each in found] == sorted((each.difference for each in found), reverse=True)
    assert [each.adjusted_p for each in found] == holm([each.p_value for each in found])


def test_number_and_words_follow_one_criterion():
    """The interval of each pair leaves out 0 where the pair is called larger than chance, and there alone."""
    for seed in range(40):
        random = np.random.default_rng(seed)
        correct = {
            name: answers(0.75 + 0.05 * at, 1 + seed % 3, 150, 10 * seed + at)
            for at, name in enumerate("abcd")
        }
        for each in compare_all({name: correct[name] for name in random.permutation(list(correct))}):
            assert each.larger_than_chance == (each.interval.low > 0 or each.interval.high < 0), each


def test_the_levels_of_holm_are_those_at_which_each_is_tested():
    assert holm_levels([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])
    assert holm_levels([0.9, 0.6]) == pytest.approx([0.025, 0.025])
    assert holm_levels([0.2]) == [0.05]
    assert holm_levels([]) == []


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
    assert lines[2:] == ["The p-values and intervals are corrected for the 3 pairs compared (Holm)."]


def test_few_rows_and_a_single_seed_end_in_a_caution():
    lines = sentence([LORA_FULL], {}, rows=40, seeds=1).splitlines()
    assert lines[0].startswith("Between lora and full")
    assert lines[1] == "With 40 test rows only large differences can be told from chance."
    assert lines[2].startswith("One training each tells these models apart, not the strategies")


def test_one_training_each_speaks_of_these_models_alone():
    text = sentence([LORA_TFIDF], TITLES, rows=2000, seeds=1)
    assert text.startswith("This model of LoRA is better than this one of TF-IDF by 1.6 points [0.3, 2.9]")
    assert "LoRA is better" not in text.replace("This model of LoRA is better", "")


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


def clustered(seed, share=0.8, clusters=40, each=20, spread=0.15):
    """Right answers (S=1, N) whose clusters differ: articles that are easy or hard as a whole."""
    random = np.random.default_rng(seed)
    chances = (share + spread * random.standard_normal((clusters, 1))).clip(0, 1)
    return (random.random((clusters, each)) < chances).reshape(1, -1), np.repeat(np.arange(clusters), each)


def test_the_interval_of_a_share_holds_where_articles_differ():
    """True shares of clipped chances: by a large simulation. Without the clusters the interval is too narrow."""
    truth = clustered(0, clusters=200_000)[0].mean()
    held, too_narrow = [], []
    for seed in range(1, 301):
        correct, clusters = clustered(seed)
        for known, found in ((held, clusters), (too_narrow, None)):
            interval = mean_share_interval(correct, found)
            known.append(interval.low <= truth <= interval.high)
    assert np.mean(held) >= 0.925
    assert np.mean(too_narrow) < 0.85


def test_rows_that_stand_alone_count_as_rows():
    random = np.random.default_rng(1)
    correct = random.random((1, 4000)) < 0.7
    alone = mean_share_interval(correct, np.arange(4000))
    plain = mean_share_interval(correct)
    assert (alone.low, alone.high) == pytest.approx((plain.low, plain.high), abs=1e-6)
    a, b = correct, random.random((1, 4000)) < 0.7
    assert difference_of(a, b, np.arange(4000)).interval().low == pytest.approx(
        difference_of(a, b).interval().low, abs=5e-3
    )
    assert difference_of(a, b, np.zeros(4000, dtype=int)) == difference_of(a, b)  # one cluster is none


@pytest.mark.parametrize("seeds", [1, 3])
def test_equal_readers_are_rarely_called_different_where_articles_are_right_together(seeds):
    """Each reader is luckier with some articles than with others, neither on the whole."""
    wrong, plain = 0, 0
    clusters = np.repeat(np.arange(30), 20)
    for seed in range(200):
        random = np.random.default_rng([seed, seeds])
        chances = (0.7 + 0.15 * random.standard_normal((2, 1, 30))).clip(0, 1).repeat(20, axis=2)
        a, b = random.random((2, seeds, 600)) < chances
        wrong += difference_of(a, b, clusters).p_value < 0.05
        plain += difference_of(a, b).p_value < 0.05
    assert wrong <= 0.09 * 200
    assert plain > 0.15 * 200


def test_the_interval_of_a_mean_of_f1_holds_and_never_lacks_width():
    """F1 of questions: many 0 and 1, others between; articles differ."""

    def drawn(seed, clusters=40, each=15):
        random = np.random.default_rng(seed)
        easy = random.normal(0.0, 0.12, (clusters, 1))
        chances = random.random((clusters, each)) + easy
        values = np.where(chances < 0.2, 0.0, np.where(chances < 0.75, 1.0, random.random((clusters, each))))
        return values.ravel(), np.repeat(np.arange(clusters), each)

    truth = np.mean([drawn(seed, 2000)[0].mean() for seed in range(50)])
    held = [
        interval.low <= truth <= interval.high
        for interval in (mean_interval(*drawn(seed)) for seed in range(100, 400))
    ]
    assert np.mean(held) >= 0.925
    whole = mean_interval(np.ones(20), np.arange(20))
    assert (whole.low < 0.9, whole.high) == (True, 1.0)
    assert mean_interval(np.zeros(0)) is None
