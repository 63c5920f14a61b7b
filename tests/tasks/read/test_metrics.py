"""Exact match and F1 by hand, by the three published rules written out once more, and by ours.

The `official_` functions say what `evaluate-v1.1.py` and `evaluate-v2.0.py` (SQuAD) and
`evaluate-v1.0.py` (KorQuAD) compute, step by step in the order of those scripts.
"""

from __future__ import annotations

import random
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import pytest

from tl_core.tasks.read.metrics import AnswerScore, Rule, normalise_korquad, normalise_squad, score_answer

Pair = tuple[int, Fraction]


def without_punctuation(text: str) -> str:
    return "".join(character for character in text if character not in string.punctuation)


def official_squad_text(text: str) -> str:
    """Lower, then without punctuation, then without articles, then single spaces."""
    bare = without_punctuation(text.lower())
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare, flags=re.UNICODE).split())


def official_korquad_text(text: str) -> str:
    """Its own twelve marks to spaces one by one, then lower, then without punctuation, single spaces."""
    for mark in ["'", '"', "《", "》", "<", ">", "〈", "〉", "(", ")", "‘", "’"]:
        text = text.replace(mark, " ")
    return " ".join(without_punctuation(text.lower()).split())


def harmonic(given: list[str], reference: list[str]) -> Fraction:
    """F1 of two bags; 0 if they share nothing, empty ones included."""
    same = sum((Counter(given) & Counter(reference)).values())
    if same == 0:
        return Fraction(0)
    precision, recall = Fraction(same, len(given)), Fraction(same, len(reference))
    return 2 * precision * recall / (precision + recall)


def official_squad1(given: str, references: Sequence[str]) -> Pair:
    mine = official_squad_text(given)
    theirs = [official_squad_text(each) for each in references]
    exact = max(int(mine == each) for each in theirs)
    return exact, max(harmonic(mine.split(), each.split()) for each in theirs)


def official_squad2(given: str, references: Sequence[str]) -> Pair:
    kept = [each for each in references if official_squad_text(each)] or [""]
    mine = official_squad_text(given)
    f1s = []
    for each in kept:
        gold = official_squad_text(each).split()
        if not gold or not mine.split():
            f1s.append(Fraction(gold == mine.split()))
        else:
            f1s.append(harmonic(mine.split(), gold))
    return max(int(mine == official_squad_text(each)) for each in kept), max(f1s)


def official_korquad(given: str, references: Sequence[str]) -> Pair:
    mine = official_korquad_text(given)
    theirs = [official_korquad_text(each) for each in references]
    exact = max(int(mine == each) for each in theirs)
    letters = [each for token in mine.split() for each in token]
    return exact, max(harmonic(letters, [one for token in each.split() for one in token]) for each in theirs)


OFFICIAL = {"squad1": official_squad1, "squad2": official_squad2, "korquad": official_korquad}

# rule, given, references, exact match, F1
BY_HAND: tuple[tuple[Rule, str, tuple[str, ...], int, Fraction], ...] = (
    # Case, white space, articles.
    ("squad1", "Denver Broncos", ("Denver Broncos",), 1, Fraction(1)),
    ("squad1", "the denver  BRONCOS!", ("Denver Broncos",), 1, Fraction(1)),
    ("squad1", "an apple a day", ("apple day",), 1, Fraction(1)),
    ("squad1", "A Tale", ("tale",), 1, Fraction(1)),
    ("squad1", "theatre", ("the theatre",), 1, Fraction(1)),
    ("squad1", "theatre", ("atre",), 0, Fraction(0)),
    ("squad1", "thé", ("thé",), 1, Fraction(1)),
    ("squad1", "New\u00a0York", ("New York",), 1, Fraction(1)),
    ("squad1", "\tNew\r\nYork ", ("New York",), 1, Fraction(1)),
    ("squad1", "Straße", ("STRASSE",), 0, Fraction(0)),
    # Nothing left on both sides: exact match, and yet no F1.
    ("squad1", "The The", ("the",), 1, Fraction(0)),
    ("squad1", "a", ("an",), 1, Fraction(0)),
    ("squad1", "!!!", ("???",), 1, Fraction(0)),
    ("squad1", "the", ("Denver", "the"), 1, Fraction(0)),
    ("squad1", "", ("Denver",), 0, Fraction(0)),
    # ASCII punctuation goes without leaving a space; all other marks stay.
    ("squad1", "well-known", ("wellknown",), 1, Fraction(1)),
    ("squad1", "well-known", ("well known",), 0, Fraction(0)),
    ("squad1", "the-end", ("end",), 0, Fraction(0)),
    ("squad1", "a-the", ("athe",), 1, Fraction(1)),
    ("squad1", "a_b", ("ab",), 1, Fraction(1)),
    ("squad1", "U.S.", ("US",), 1, Fraction(1)),
    ("squad1", "U.S.", ("U S",), 0, Fraction(0)),
    ("squad1", "$1,000", ("1000",), 1, Fraction(1)),
    ("squad1", "3.5", ("35",), 1, Fraction(1)),
    ("squad1", "it's", ("its",), 1, Fraction(1)),
    ("squad1", "it’s", ("its",), 0, Fraction(0)),
    ("squad1", "“Denver”", ("Denver",), 0, Fraction(0)),
    ("squad1", "Denver…", ("Denver",), 0, Fraction(0)),
    ("squad1", "東京。", ("東京",), 0, Fraction(0)),
    # F1 over words, each counted as often as both have it; the best reference counts.
    ("squad1", "Denver", ("Denver Broncos",), 0, Fraction(2, 3)),
    ("squad1", "Denver Broncos won", ("Denver", "Denver Broncos"), 0, Fraction(4, 5)),
    ("squad1", "B B C", ("B C",), 0, Fraction(4, 5)),
    ("squad1", "red red red", ("red",), 0, Fraction(1, 2)),
    ("squad1", "on 12 May 1990", ("May 1990", "1990", "12 June"), 0, Fraction(2, 3)),
    ("squad1", "May 1990", ("1990", "May, 1990"), 1, Fraction(1)),
    # SQuAD 2.0: the empty answer, and references that normalise to nothing.
    ("squad2", "", (), 1, Fraction(1)),
    ("squad2", "Denver", (), 0, Fraction(0)),
    ("squad2", "the", (), 1, Fraction(1)),
    ("squad2", "", ("Denver",), 0, Fraction(0)),
    ("squad2", "", ("the",), 1, Fraction(1)),
    ("squad2", "an", ("a",), 1, Fraction(1)),
    ("squad2", ".", ("the", "Denver"), 0, Fraction(0)),
    ("squad2", "Denver", ("the", "Denver"), 1, Fraction(1)),
    ("squad2", "Denver", ("the", "..."), 0, Fraction(0)),
    ("squad2", "Denver Broncos", ("Denver",), 0, Fraction(2, 3)),
    ("squad2", "the Denver-Broncos", ("DenverBroncos",), 1, Fraction(1)),
    # KorQuAD: F1 over letters, so a particle costs what its letters cost.
    ("korquad", "서울", ("서울",), 1, Fraction(1)),
    ("korquad", "서울은", ("서울",), 0, Fraction(4, 5)),
    ("korquad", "서울에서", ("서울",), 0, Fraction(2, 3)),
    ("korquad", "서울에서부터", ("서울",), 0, Fraction(1, 2)),
    ("korquad", "서울특별시", ("서울시",), 0, Fraction(3, 4)),
    ("korquad", "서울", ("부산", "서울시"), 0, Fraction(4, 5)),
    ("korquad", "부산", ("서울",), 0, Fraction(0)),
    ("korquad", "이순신 장군", ("이순신장군",), 0, Fraction(1)),
    ("korquad", "이순신  장군 ", ("이순신 장군",), 1, Fraction(1)),
    ("korquad", unicodedata.normalize("NFD", "서울"), ("서울",), 0, Fraction(0)),
    # Its own quotes and brackets leave a space.
    ("korquad", "《홍길동전》", ("홍길동전",), 1, Fraction(1)),
    ("korquad", "〈기생충〉의", ("기생충",), 0, Fraction(6, 7)),
    ("korquad", "<기생충>", ("〈기생충〉",), 1, Fraction(1)),
    ("korquad", "‘봄봄’", ("'봄봄'",), 1, Fraction(1)),
    ("korquad", '"봄봄"', ("봄봄",), 1, Fraction(1)),
    ("korquad", "서울(한성)", ("서울 한성",), 1, Fraction(1)),
    ("korquad", "서울(한성)", ("서울한성",), 0, Fraction(1)),
    ("korquad", "it's", ("its",), 0, Fraction(1)),
    # Other ASCII punctuation leaves none, other marks stay.
    ("korquad", "서-울", ("서울",), 1, Fraction(1)),
    ("korquad", "1,000명", ("1000명",), 1, Fraction(1)),
    ("korquad", "1,000명", ("1000",), 0, Fraction(8, 9)),
    ("korquad", "3·1 운동", ("3.1 운동",), 0, Fraction(8, 9)),
    ("korquad", "“봄봄”", ("봄봄",), 0, Fraction(2, 3)),
    ("korquad", "「봄봄」", ("봄봄",), 0, Fraction(2, 3)),
    ("korquad", "서울、", ("서울",), 0, Fraction(4, 5)),
    ("korquad", "서울。", ("서울",), 0, Fraction(4, 5)),
    ("korquad", "서울…", ("서울",), 0, Fraction(4, 5)),
    # No articles to remove; case folds; nothing left on both sides.
    ("korquad", "the theatre", ("theatre",), 0, Fraction(14, 17)),
    ("korquad", "SEOUL", ("Seoul",), 1, Fraction(1)),
    ("korquad", "()", ("《》",), 1, Fraction(0)),
    ("korquad", "", ("서울",), 0, Fraction(0)),
)


@pytest.mark.parametrize(("rule", "given", "references", "exact", "f1"), BY_HAND)
def test_hand_made_scores(
    rule: Rule, given: str, references: tuple[str, ...], exact: int, f1: Fraction
) -> None:
    assert OFFICIAL[rule](given, references) == (exact, f1)
    ours = score_answer(given, references, rule)
    assert ours.exact_match == exact
    assert ours.f1 == pytest.approx(float(f1), abs=1e-12)


WORDS = ("king", "king", "theatre", "King", "the", "The", "a", "an", "A", "3", "1,000", "서울", "은", "에서")
MARKS = (
    *("-", "'", ".", "!", "(", ")", "<", "“", "”", "…", "《", "》", "〉", "‘", "’", "。"),
    *(" ", "\n", "\u00a0"),
)


def random_text(dice: random.Random) -> str:
    """Up to six words or, now and then, marks, most of them behind a space."""
    return "".join(
        dice.choice((" ", " ", "")) + dice.choice(WORDS if dice.random() < 0.75 else MARKS)
        for _ in range(dice.randrange(7))
    )


@pytest.mark.parametrize("rule", ["squad1", "squad2", "korquad"])
def test_two_thousand_random_pairs_score_as_the_published_rule_does(rule: Rule) -> None:
    dice = random.Random(rule)
    partly = 0
    for _ in range(2000):
        given = random_text(dice)
        references = [random_text(dice) for _ in range(dice.randrange(rule != "squad2", 4))]
        exact, f1 = OFFICIAL[rule](given, references)
        ours = score_answer(given, references, rule)
        assert (ours.exact_match, ours.f1) == (exact, pytest.approx(float(f1), abs=1e-12)), (
            given,
            references,
        )
        partly += 0 < f1 < 1
    assert partly > 200  # the alphabet is small enough to meet


def test_normalised_texts_are_the_published_ones() -> None:
    dice = random.Random(4)
    for _ in range(1000):
        text = random_text(dice)
        assert normalise_squad(text) == official_squad_text(text)
        assert normalise_korquad(text) == official_korquad_text(text)


@pytest.mark.parametrize("rule", ["squad1", "squad2", "korquad"])
def test_without_references_only_the_empty_answer_is_right(rule: Rule) -> None:
    assert score_answer("", [], rule) == AnswerScore(1.0, 1.0)
    assert score_answer("Denver", [], rule) == AnswerScore(0.0, 0.0)
