"""Nearest words: equal to sorting everything, and to gensim."""

import numpy as np
import pytest

from tests.vectors.made_vectors import ROYAL, random_vectors, royal_vectors
from tl_core.errors import ConfigError
from tl_core.vectors.search import batch_neighbours, best_rows, nearest, neighbours
from tl_core.vectors.space import make_vectors
from tl_core.vectors.vocabulary import UnknownWord


@pytest.mark.parametrize("count", [1, 7, 511, 512, 513, 5_000])
@pytest.mark.parametrize("k", [1, 3, 10, 600])
def test_the_best_rows_are_those_of_a_full_stable_sort(count, k):
    rng = np.random.default_rng(count + k)
    scores = np.round(rng.normal(size=count), 1).astype(np.float32)  # many equal ones
    without = [0, count // 2]
    sorted_rows = [row for row in np.argsort(-scores, kind="stable") if row not in without]
    assert best_rows(scores.copy(), k, without).tolist() == sorted_rows[:k]


def test_neighbours_are_gensims():
    from gensim.models import KeyedVectors

    vectors = random_vectors(3_000, 25)
    theirs = KeyedVectors(25)
    theirs.add_vectors(vectors.words, np.asarray(vectors.rows))
    for at in range(0, 200):
        word = f"w{at * 7}"
        ours = neighbours(vectors, word, 10)
        expected = theirs.most_similar(word, topn=10)
        assert [each.word for each in ours] == [each for each, _ in expected]
        np.testing.assert_allclose([each.score for each in ours], [score for _, score in expected], atol=1e-5)


def test_a_frequency_cut_keeps_to_the_first_words():
    vectors = random_vectors(2_000)
    assert all(each.row < 100 for each in neighbours(vectors, "w1500", 20, first=100))
    assert "w5" not in [each.word for each in neighbours(vectors, "w5", 99, first=100)]


def test_euclidean_distance_is_measured_on_the_vectors_as_they_came():
    vectors = royal_vectors()
    target = np.array([0.0, 0.9, 1.0], dtype=np.float32)
    found = nearest(vectors, target, 5, metric="euclidean")
    expected = sorted((float(np.linalg.norm(np.array(at) - target)), word) for word, at in ROYAL.items())
    assert [each.word for each in found] == [word for _, word in expected]
    np.testing.assert_allclose([each.score for each in found], [far for far, _ in expected], atol=1e-5)


def test_batches_give_what_single_queries_give():
    vectors = random_vectors(700)
    rows = batch_neighbours(vectors, [3, 699, 12], 5)
    for at, word in enumerate(["w3", "w699", "w12"]):
        assert [vectors.words[row] for row in rows[at]] == [
            each.word for each in neighbours(vectors, word, 5)
        ]
    assert batch_neighbours(vectors, [3], 5_000).shape == (1, 699)


def test_a_vector_of_zeros_is_near_nothing_and_breaks_nothing():
    vectors = make_vectors("zero", ["a", "b", "c"], np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32))
    assert [each.score for each in neighbours(vectors, "a")] == [0.0, 0.0]


def test_k_and_the_cut_must_be_positive():
    with pytest.raises(ConfigError, match="k must be at least 1; got 0"):
        neighbours(royal_vectors(), "king", 0)
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        neighbours(royal_vectors(), "king", first=0)


def test_an_unknown_word_is_told_with_near_spellings():
    with pytest.raises(UnknownWord, match="'quen' is not among the 5 words .* Did you mean queen") as raised:
        neighbours(royal_vectors(), "quen")
    assert raised.value.suggestions == ("queen",)
