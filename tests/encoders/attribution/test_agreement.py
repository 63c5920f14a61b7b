"""Rank correlation: a worked example, ties, signs, and what says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from tl_core.encoders.attribution.agreement import rank_correlation


def test_ranks_of_a_worked_example() -> None:
    # Ranks 1 2 3 4 and 2 1 4 3: the squares of four differences add up to 4, so 1 - 6 * 4 / (4 * 15).
    found = rank_correlation(np.array([0.1, 5.0, 7.0, 90.0]), np.array([2.0, 1.0, 4.0, 3.0]))
    assert found == pytest.approx(1 - 24 / 60)


def test_ties_share_their_mean_rank() -> None:
    a, b = np.array([1.0, 1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0, 4.0])
    ranks = np.array([1.5, 1.5, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, 4.0])
    assert rank_correlation(a, b) == pytest.approx(np.corrcoef(*ranks)[0, 1])


def test_the_order_alone_counts_and_its_reverse_is_minus_one() -> None:
    a = np.random.default_rng(0).normal(size=9)
    assert rank_correlation(a, np.exp(3 * a)) == pytest.approx(1.0)
    assert rank_correlation(a, -a) == pytest.approx(-1.0)


def test_without_signs_the_sizes_are_compared() -> None:
    attribution, attention = np.array([-3.0, 0.5, 2.0, -0.1]), np.array([0.6, 0.15, 0.2, 0.05])
    assert rank_correlation(attribution, attention, signed=False) == pytest.approx(1.0)
    assert rank_correlation(attribution, attention) == pytest.approx(-0.2)


def test_words_without_a_finite_score_are_left_out() -> None:
    a = np.array([1.0, np.nan, 2.0, 3.0, 9.0])
    b = np.array([1.0, 7.0, 2.0, 3.0, np.inf])
    assert rank_correlation(a, b) == pytest.approx(1.0)
    assert rank_correlation(a[:4], np.array([np.nan, 7.0, 2.0, 3.0])) is None


@pytest.mark.parametrize(
    ("a", "b", "signed"),
    [
        ([], [], True),
        ([1.0, 2.0], [2.0, 1.0], True),
        ([1.0, 1.0, 1.0], [1.0, 2.0, 3.0], True),
        ([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], True),
        ([1.0, -1.0, 1.0], [1.0, 2.0, 3.0], False),
    ],
)
def test_ranks_that_say_nothing_give_none(a: list[float], b: list[float], signed: bool) -> None:
    assert rank_correlation(np.array(a), np.array(b), signed=signed) is None


def test_scores_of_different_words_are_refused() -> None:
    with pytest.raises(ValueError, match="same words"):
        rank_correlation(np.zeros(3), np.zeros(4))
