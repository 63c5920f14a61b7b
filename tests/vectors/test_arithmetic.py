"""Similarity, odd one out, axes, and a direction projected away."""

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.errors import ConfigError
from tl_core.vectors.arithmetic import axis, neighbours_without, odd_one_out, place_on_axis, similarity
from tl_core.vectors.formula import parse_formula
from tl_core.vectors.space import make_vectors


def test_similarity_is_the_cosine():
    vectors = royal_vectors()
    assert similarity(vectors, "man", "man") == pytest.approx(1)
    assert similarity(vectors, "man", "woman") == pytest.approx(0.04 / 1.04)


def test_the_odd_one_out_is_gensims():
    from gensim.models import KeyedVectors

    vectors = random_vectors(200, 10)
    theirs = KeyedVectors(10)
    theirs.add_vectors(vectors.words, np.asarray(vectors.rows))
    for begin in range(0, 100, 5):
        words = [f"w{at}" for at in range(begin, begin + 5)]
        assert odd_one_out(vectors, words).word == theirs.doesnt_match(words)


def test_the_odd_one_out_needs_three_words():
    with pytest.raises(ConfigError, match="at least three different words; got 2"):
        odd_one_out(royal_vectors(), ["king", "queen", "king"])


def test_places_on_an_axis_are_cosines_with_it():
    vectors = royal_vectors()
    direction = axis(vectors, parse_formula("woman - man", vectors.vocabulary))
    places = {
        each.word: each.place for each in place_on_axis(vectors, direction, ["man", "woman", "king", "queen"])
    }
    assert places["woman"] == pytest.approx(-places["man"])
    assert places["queen"] > 0 > places["king"]


def test_an_axis_of_nothing_is_refused():
    vectors = royal_vectors()
    with pytest.raises(ConfigError, match="points nowhere"):
        axis(vectors, parse_formula("man - man", vectors.vocabulary))


def test_neighbours_after_a_direction_is_projected_away_are_those_of_the_projected_table():
    vectors = random_vectors(400, 12)
    direction = axis(vectors, parse_formula("w1 - w2", vectors.vocabulary))
    units = np.asarray(vectors.columns).T
    projected = units - np.outer(units @ direction, direction)
    oracle = make_vectors("projected", vectors.words, projected.astype(np.float32))
    from tl_core.vectors.search import neighbours

    ours = neighbours_without(vectors, "w9", direction, 15)
    expected = neighbours(oracle, "w9", 15)
    assert [each.word for each in ours] == [each.word for each in expected]
    np.testing.assert_allclose([each.score for each in ours], [each.score for each in expected], atol=1e-4)


def test_a_word_that_is_the_direction_has_nothing_left():
    vectors = royal_vectors()
    direction = axis(vectors, parse_formula("king", vectors.vocabulary))
    with pytest.raises(ConfigError, match="Nothing of 'king' is left"):
        neighbours_without(vectors, "king", direction)
