"""Counts near words: a corpus reckoned by hand, and the paper's ratios on the bundled one."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tl_core.data.samples import sample_corpus
from tl_core.errors import ConfigError, DataError
from tl_core.vectors.cooccurrence import Context, RatioRow, count_cooccurrences

SENTENCES = [
    ["ice", "is", "solid", "water"],
    ["steam", "is", "water"],
    ["ice", "ice", "solid"],
]


def sample_sentences() -> list[list[str]]:
    return [re.findall(r"\w+", line.lower()) for line in sample_corpus().splitlines()]


def test_counts_reckoned_by_hand() -> None:
    found = count_cooccurrences(SENTENCES, words=["ice", "steam"], window=2)
    # ice, line 1: is, solid. Line 3: the first sees ice and solid, the second sees ice and solid.
    assert found.counts["ice"] == {"is": 1, "solid": 3, "ice": 2}
    assert found.counts["steam"] == {"is": 1, "water": 1}
    assert found.sums == {"ice": 6, "steam": 2}
    assert found.total == 10
    assert found.occurrences == {"ice": 3, "is": 2, "solid": 2, "water": 2, "steam": 1}
    assert found.probability("solid", "ice") == 3 / 6
    assert found.probability("water", "ice") == 0


def test_harmonic_weighting_counts_one_over_the_distance() -> None:
    found = count_cooccurrences(SENTENCES, words=["ice", "water"], weighting="harmonic")
    assert found.counts["ice"] == pytest.approx(
        {"is": 1, "solid": 1 / 2 + 1 / 2 + 1, "water": 1 / 3, "ice": 1 + 1}
    )
    assert found.counts["water"] == pytest.approx({"solid": 1, "is": 1 / 2 + 1, "ice": 1 / 3, "steam": 1 / 2})
    assert found.pairs["ice"] == {"is": 1, "solid": 3, "water": 1, "ice": 2}


def test_ratios_reckoned_by_hand() -> None:
    found = count_cooccurrences(SENTENCES, words=["ice", "steam"])
    assert found.ratio_table("ice", "steam", ["is", "solid", "moon"], few=1) == [
        RatioRow("is", 1, 1, 1 / 7, 1 / 2, pytest.approx(2 / 7), False),
        RatioRow("solid", 3, 0, 3 / 7, 0.0, None, True),
        RatioRow("moon", 0, 0, 0.0, 0.0, None, True),
    ]


def test_the_words_most_often_near_come_first_and_equal_ones_by_spelling() -> None:
    found = count_cooccurrences(SENTENCES, words=["ice"])
    assert found.top("ice", 3) == [
        Context("solid", 3, 3 / 7),
        Context("ice", 2, 2 / 7),
        Context("is", 1, 1 / 7),
    ]
    assert [each.word for each in found.top("ice", least_count=2)] == ["solid", "ice"]


@pytest.mark.parametrize("weighting", ["flat", "harmonic"])
def test_counts_are_symmetric_and_agree_with_brute_force(weighting: str) -> None:
    drawn = np.random.default_rng(0)
    sentences = [[f"w{at}" for at in drawn.integers(0, 8, size=size)] for size in drawn.integers(0, 30, 40)]
    words = [f"w{at}" for at in range(8)]
    found = count_cooccurrences(sentences, words=words, window=3, weighting=weighting)
    for a in words:
        for b in words:
            expected = sum(
                1 if weighting == "flat" else 1 / abs(i - j)
                for sentence in sentences
                for i in range(len(sentence))
                for j in range(len(sentence))
                if sentence[i] == a and sentence[j] == b and 0 < abs(i - j) <= 3
            )
            assert found.count(b, a) == pytest.approx(expected)
            assert found.count(b, a) == pytest.approx(found.count(a, b))
        assert sum(found.probability(k, a) for k in words) == pytest.approx(1)


def test_a_window_never_reaches_into_the_next_sentence() -> None:
    found = count_cooccurrences([["ice"], ["solid"], ("steam", "ice")], words=["ice", "solid"])
    assert found.counts["ice"] == {"steam": 1}
    assert found.counts["solid"] == {}
    assert found.probability("ice", "solid") == 0
    assert found.top("solid") == []


def test_sentences_may_come_one_at_a_time() -> None:
    found = count_cooccurrences((each for each in SENTENCES), words=["ice"])
    assert found.total == 10


def test_a_wanted_word_that_does_not_occur_is_refused() -> None:
    with pytest.raises(DataError, match="'Ice' does not occur in the corpus of 10 running words"):
        count_cooccurrences(SENTENCES, words=["Ice", "steam"])
    with pytest.raises(DataError, match="'a', 'b' do not occur in the corpus of 0 running words"):
        count_cooccurrences([], words=["a", "b"])


def test_mistakes_are_answered_with_what_may_be() -> None:
    with pytest.raises(DataError, match="A sentence must be a list of words; got the text 'ice is'"):
        count_cooccurrences(["ice is"], words=["ice"])
    with pytest.raises(DataError, match="No word to count around"):
        count_cooccurrences(SENTENCES, words=[])
    with pytest.raises(ConfigError, match="at least 1 word on each side; got 0"):
        count_cooccurrences(SENTENCES, words=["ice"], window=0)
    with pytest.raises(ConfigError, match="weighting must be one of flat, harmonic; got 'linear'"):
        count_cooccurrences(SENTENCES, words=["ice"], weighting="linear")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="Nothing was counted around 'solid'. Counted: ice"):
        count_cooccurrences(SENTENCES, words=["ice"]).probability("ice", "solid")


@pytest.mark.parametrize("weighting", ["flat", "harmonic"])
def test_the_bundled_corpus_shows_the_ratios_of_the_glove_paper(weighting: str) -> None:
    found = count_cooccurrences(sample_sentences(), words=["ice", "steam"], weighting=weighting)
    rows = found.ratio_table("ice", "steam", ["solid", "gas", "water", "fashion"])
    solid, gas, water, fashion = (row.ratio for row in rows)
    assert solid is not None
    assert solid > 5  # 8.9 in table 1 of Pennington et al. 2014
    assert gas is not None
    assert gas < 0.2  # 0.085
    assert water == pytest.approx(1.36, abs=0.4)  # 1.36
    assert fashion == pytest.approx(0.96, abs=0.4)  # 0.96
    assert not rows[2].few
    assert rows[3].few
    assert rows[3].count_b > 0


def test_the_bundled_corpus_is_one_sentence_a_line() -> None:
    lines = [line for line in sample_corpus().splitlines() if line]
    assert 120 <= len(lines) <= 200
    assert len(set(lines)) == len(lines)
    assert all(line[0].isupper() and line.endswith(".") and ". " not in line for line in lines)
