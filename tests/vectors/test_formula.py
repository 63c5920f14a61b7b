"""Formulas over words: what they spell and what they refuse."""

import numpy as np
import pytest

from tests.vectors.made_vectors import royal_vectors
from tl_core.errors import ConfigError
from tl_core.vectors.formula import (
    Term,
    analogy_formula,
    evaluate_formula,
    parse_formula,
)
from tl_core.vectors.vocabulary import UnknownWord, Vocabulary

WORDS = Vocabulary(["king", "man", "woman", "well-known", "known", "well", "u.s.", "+", "1.3", "a b", "-"])


def terms(text):
    return [(term.weight, term.word) for term in parse_formula(text, WORDS).terms]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("king", [(1, "king")]),
        ("king - man + woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("king-man+woman", [(1, "king"), (-1, "man"), (1, "woman")]),
        ("King - man + 1.3 * woman", [(1, "king"), (-1, "man"), (1.3, "woman")]),
        ("king - man+1.3*woman", [(1, "king"), (-1, "man"), (1.3, "woman")]),
        ("- man + .5 × king", [(-1, "man"), (0.5, "king")]),
        ("king − man", [(1, "king"), (-1, "man")]),
        ("king – man", [(1, "king"), (-1, "man")]),
        ("king - - man", [(1, "king"), (1, "man")]),
        ("well-known - known", [(1, "well-known"), (-1, "known")]),
        ("well-known-known", [(1, "well-known"), (-1, "known")]),
        ("u.s. + 2 * man", [(1, "u.s."), (2, "man")]),
        ("1.3 + man", [(1, "1.3"), (1, "man")]),
        ('"a b" - man', [(1, "a b"), (-1, "man")]),
        ('man + "+"', [(1, "man"), (1, "+")]),
        ("man + man", [(1, "man"), (1, "man")]),
    ],
)
def test_a_formula_is_read_as_it_is_written(text, expected):
    assert terms(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Write a formula"),
        ("   ", "Write a formula"),
        ("king +", "A word is missing after '\\+'"),
        ("king man", "'man' follows 'king' without"),
        ("king * man", "The number stands before the star"),
        ("2 * ", "A word is missing"),
        ("* king", "A word is missing"),
        ("king + 2 * + man", "A word is missing"),
        ("king + " * 60 + "man", "at most 50 words"),
        ("king " * 500, "at most 2,000 characters"),
    ],
)
def test_what_is_no_formula_is_told_with_its_place(text, message):
    with pytest.raises(ConfigError, match=message):
        parse_formula(text, WORDS)


def test_an_unknown_word_in_a_formula_brings_near_spellings():
    with pytest.raises(UnknownWord, match="'kin' .*Did you mean .*king"):
        parse_formula("kin - man", WORDS)
    with pytest.raises(UnknownWord, match="'womn'"):
        parse_formula("king-womn", WORDS)


def test_a_formula_is_written_back_as_the_course_writes_it():
    assert str(parse_formula("-king+1.30*woman-man", WORDS)) == "- king + 1.3 * woman - man"
    assert str(analogy_formula("man", "king", "woman")) == "king - man + woman"
    assert analogy_formula("man", "king", "woman").terms[1] == Term(-1.0, "man")


def test_the_value_is_the_weighted_sum():
    vectors = royal_vectors()
    formula = parse_formula("king - man + 2 * woman", vectors.vocabulary)
    np.testing.assert_allclose(evaluate_formula(formula, vectors, raw=True), [0, 2, 1.4], atol=1e-6)
    expected = vectors.unit("king") - vectors.unit("man") + 2 * vectors.unit("woman")
    np.testing.assert_allclose(evaluate_formula(formula, vectors), expected, atol=1e-6)
