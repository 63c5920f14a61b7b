"""Analogies by four methods, against gensim and by hand."""

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.errors import ConfigError
from tl_core.vectors.analogy import pair_of, solve
from tl_core.vectors.formula import Formula, Term, analogy_formula, parse_formula
from tl_core.vectors.space import make_vectors


def keyed(vectors):
    from gensim.models import KeyedVectors

    theirs = KeyedVectors(vectors.width)
    theirs.add_vectors(vectors.words, np.asarray(vectors.rows))
    return theirs


@pytest.mark.parametrize("method", ["add", "mul"])
def test_answers_are_gensims(method):
    vectors = random_vectors(2_000, 20)
    theirs = keyed(vectors)
    ask = theirs.most_similar if method == "add" else theirs.most_similar_cosmul
    rng = np.random.default_rng(1)
    for a, b, c in rng.integers(0, 2_000, size=(200, 3)):
        a, b, c = f"w{a}", f"w{b}", f"w{c}"
        if len({a, b, c}) < 3:
            continue
        found = solve(vectors, analogy_formula(a, b, c), 10, method=method)
        expected = ask(positive=[b, c], negative=[a], topn=10)
        assert [each.word for each in found] == [word for word, _ in expected]
        np.testing.assert_allclose(
            [each.score for each in found], [score for _, score in expected], atol=1e-5
        )


@pytest.mark.parametrize("method", ["add", "mul", "pair", "euclidean"])
def test_a_hand_made_table_gives_the_queen(method):
    found = solve(royal_vectors(), analogy_formula("man", "king", "woman"), 1, method=method)
    assert found[0].word == "queen"


def test_input_words_are_answers_only_when_asked_for():
    vectors = random_vectors(500, 10)
    formula = analogy_formula("w1", "w2", "w3")
    without = solve(vectors, formula, 500)
    assert not {"w1", "w2", "w3"} & {each.word for each in without}
    assert len(solve(vectors, formula, 500, include_inputs=True)) == 500


def test_euclidean_answers_are_distances_to_the_sum_of_raw_vectors():
    rows = np.array([[5, 0, 4], [4, 0, 0], [3.4, 0.8, 0], [3.6, 2, 4]], dtype=np.float32)
    vectors = make_vectors("course", ["king", "man", "woman", "queen"], rows)
    formula = parse_formula("king - man + woman", vectors.vocabulary)
    best = solve(vectors, formula, 1, method="euclidean", include_inputs=True)[0]
    assert best.word == "king"  # the sum is nearest to where it began, as the course found
    assert best.score == pytest.approx(float(np.linalg.norm([4.4 - 5, 0.8, 0])), abs=1e-5)
    assert solve(vectors, formula, 1, method="euclidean")[0].word == "queen"


def test_the_pair_direction_is_the_cosine_of_two_differences():
    vectors = random_vectors(300, 8)
    found = {
        each.word: each.score
        for each in solve(vectors, analogy_formula("w1", "w2", "w3"), 300, method="pair")
    }
    a, b, c, d = (vectors.unit(word) for word in ("w1", "w2", "w3", "w77"))
    expected = (d - c) @ (b - a) / np.linalg.norm(d - c) / np.linalg.norm(b - a)
    assert found["w77"] == pytest.approx(float(expected), abs=1e-5)


def test_the_pair_direction_wants_a_pair():
    vectors = royal_vectors()
    with pytest.raises(ConfigError, match="needs a formula b - a \\+ c"):
        solve(vectors, parse_formula("king - man", vectors.vocabulary), method="pair")
    with pytest.raises(ConfigError, match="points nowhere|no direction"):
        solve(vectors, analogy_formula("king", "king", "man"), method="pair")
    assert pair_of(analogy_formula("man", "king", "woman")) == ("man", "king", "woman")


def test_an_unknown_method_is_refused():
    with pytest.raises(ConfigError, match="method must be one of add, mul, pair, euclidean"):
        solve(royal_vectors(), Formula((Term(1.0, "king"),)), method="best")
