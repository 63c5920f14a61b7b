"""Thresholds against brute force, scores and rules by hand."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.tasks.read.answers import FoundAnswer, Reply
from tl_core.tasks.read.evaluate import (
    Judged,
    Scores,
    best_threshold,
    judge,
    rule_for,
    scores_at,
)

INFINITE = float("inf")


def judged(score: float, f1: float = 0.0, *, exact: float = 0.0, answerable: bool = True) -> Judged:
    return Judged("given", score, exact, f1, answerable)


def brute_force(rows: list[Judged]) -> float:
    """The best F1 over every threshold that can make a difference."""
    scores = sorted({each.score for each in rows})
    middles = [(one + other) / 2 for one, other in pairwise(scores)]
    thresholds = [-INFINITE, *scores, *middles, INFINITE]
    return max(scores_at(rows, each).f1 for each in thresholds)


def random_rows(dice: random.Random, *, ties: bool) -> list[Judged]:
    rows = []
    for _ in range(dice.randrange(1, 25)):
        score = float(dice.randrange(-4, 5)) if ties else dice.gauss(0, 4)
        answerable = dice.random() < 0.6
        f1 = dice.choice((0.0, 0.5, 0.8, 1.0)) if answerable else 0.0
        rows.append(judged(score, f1, exact=float(f1 == 1), answerable=answerable))
    return rows


@pytest.mark.parametrize("ties", [False, True])
def test_the_best_threshold_is_the_best_of_all(ties: bool) -> None:
    dice = random.Random(7)
    for _ in range(400):
        rows = random_rows(dice, ties=ties)
        assert scores_at(rows, best_threshold(rows)).f1 == pytest.approx(brute_force(rows))


def test_questions_that_nothing_was_found_for_do_not_spoil_the_threshold() -> None:
    # Two passages of white space: their replies have no answers, so their scores are minus infinity.
    nothing = judged(-INFINITE, answerable=False)
    rows = [nothing, nothing, judged(-1.0, answerable=False), judged(2.0, 1.0, exact=1.0)]
    assert best_threshold(rows) == pytest.approx(0.5)
    rows = [nothing, nothing, judged(-1.0, 1.0), judged(2.0, 1.0)]
    assert scores_at(rows, best_threshold(rows)).f1 == 1.0
    assert best_threshold(rows) > -INFINITE
    assert scores_at([nothing], best_threshold([nothing])).f1 == 1.0


def test_the_threshold_lies_halfway_between_two_scores() -> None:
    rows = [judged(1.0, answerable=False), judged(4.0, 1.0), judged(-2.0, answerable=False)]
    assert best_threshold(rows) == 2.5


def test_neighbouring_numbers_are_told_apart() -> None:
    import math

    low, high = 1.0, math.nextafter(1.0, 2.0)
    rows = [judged(low, answerable=False), judged(high, 1.0)]
    assert scores_at(rows, best_threshold(rows)).f1 == 1.0


def test_sets_on_one_side_of_the_question_need_no_search() -> None:
    assert best_threshold([judged(1.0, 0.2), judged(-8.0, 1.0)]) == -INFINITE
    rows = [judged(1.0, answerable=False), judged(3.0, answerable=False)]
    assert best_threshold(rows) > 3.0
    assert best_threshold([]) == -INFINITE


def test_scores_by_hand() -> None:
    rows = [
        judged(3.0, 1.0, exact=1.0),
        judged(0.5, 0.5),
        judged(2.0, answerable=False),
        judged(-1.0, answerable=False),
    ]
    assert scores_at(rows, -INFINITE) == Scores(4, 1 / 4, 1.5 / 4)
    assert scores_at(rows, 0.0) == Scores(4, 2 / 4, 2.5 / 4)
    assert scores_at(rows, 0.5) == Scores(4, 2 / 4, 2.5 / 4)  # from the threshold on counts as said
    assert scores_at(rows, 2.5) == Scores(4, 3 / 4, 3 / 4)
    assert scores_at(rows, INFINITE) == Scores(4, 2 / 4, 2 / 4)
    assert scores_at([], 0.0) == Scores(0, 0.0, 0.0)


PASSAGES = (Passage("the king saw the queen in the city", 0),)
ANSWERED = Question("1", "who saw?", 0, (Answer("the king", 0), Answer("king", 4)))
UNANSWERABLE = Question("2", "who ate?", 0)


def test_replies_are_judged_by_their_best_answer() -> None:
    data = ReadingSet("x", PASSAGES, (ANSWERED, UNANSWERABLE, ANSWERED, ANSWERED))
    replies = [
        Reply((FoundAnswer("a king!", 0, 1, 2.0, 0), FoundAnswer("queen", 0, 1, 1.0, 0)), 1),
        Reply((FoundAnswer("queen", 0, 1, -3.0, 0),), 1, threshold=5.0),
        Reply((), 1),
        Reply((FoundAnswer("king saw", 0, 1, 0.5, 0),), 1),
    ]
    assert judge(data, replies, "squad2") == [
        Judged("a king!", 2.0, 1.0, 1.0, True),
        Judged("queen", -3.0, 0.0, 0.0, False),
        Judged("", -INFINITE, 0.0, 0.0, True),
        Judged("king saw", 0.5, 0.0, pytest.approx(2 / 3), True),
    ]


def test_particles_are_cut_before_judging_only_if_asked_for() -> None:
    passage = Passage("대한민국의 수도는 서울특별시이며 임금은 서울특별시에서 살았다", 0)
    start = passage.text.index("서울특별시에서")
    question = Question("1", "임금은 어디에서 살았나?", 0, (Answer("서울특별시", start),))
    data = ReadingSet("x", (passage,), (question,))
    reply = Reply((FoundAnswer("서울특별시에서", start, start + 7, 1.0, 0),), 1)
    (bare,) = judge(data, [reply], "korquad")
    assert (bare.given, bare.exact_match) == ("서울특별시에서", 0.0)
    assert bare.f1 == pytest.approx(5 / 6)  # 5 of 7 letters, all 5 of the reference
    assert judge(data, [reply], "korquad", josa=True) == [Judged("서울특별시", 1.0, 1.0, 1.0, True)]


def test_each_set_is_judged_by_the_rule_of_its_kind() -> None:
    assert rule_for(ReadingSet("x", PASSAGES, (ANSWERED,))) == "squad1"
    assert rule_for(ReadingSet("x", PASSAGES, (ANSWERED, UNANSWERABLE))) == "squad2"
    korean = Question("3", "임금은 누구를 보았나?", 0, ANSWERED.answers)
    assert rule_for(ReadingSet("x", PASSAGES, (korean,))) == "korquad"
    assert rule_for(ReadingSet("x", PASSAGES, (korean, UNANSWERABLE))) == "korquad"
