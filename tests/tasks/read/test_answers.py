"""Candidates become answers: best first, none on top of another."""

from __future__ import annotations

import random

import pytest

from tl_core.tasks.read.answers import Candidate, FoundAnswer, Reply, merge, stripped

PASSAGE = "the king saw the queen on a very good day in the city"


def at(word: str, score: float, window: int = 0) -> Candidate:
    start = PASSAGE.index(word)
    return Candidate(start, start + len(word), score, window)


def test_the_best_of_overlapping_candidates_stays() -> None:
    found = merge([at("king", 3.0), at("the king", 5.0), at("king saw", 4.0), at("day", 1.0)], PASSAGE, top=5)
    assert [(each.text, each.score) for each in found] == [("the king", 5.0), ("day", 1.0)]


def test_neighbours_that_only_touch_both_stay() -> None:
    found = merge([Candidate(0, 4, 1.0, 0), Candidate(4, 8, 2.0, 0)], PASSAGE, top=5)
    assert [each.text for each in found] == ["king", "the "]


def test_the_same_span_from_two_windows_is_one_answer_with_the_better_score() -> None:
    (found,) = merge([at("queen", 2.0, window=0), at("queen", 3.0, window=1)], PASSAGE, top=5)
    assert (found.score, found.window) == (3.0, 1)


def test_a_candidate_frees_what_only_a_dropped_one_covered() -> None:
    # "king saw" falls to "the king", so it does not keep "saw" from being an answer.
    found = merge([at("the king", 3.0), at("king saw", 2.0), at("saw", 1.0)], PASSAGE, top=5)
    assert [each.text for each in found] == ["the king", "saw"]


def test_equal_scores_come_in_the_order_of_the_text() -> None:
    found = merge([at("day", 1.0), at("king", 1.0), at("queen", 1.0)], PASSAGE, top=5)
    assert [each.text for each in found] == ["king", "queen", "day"]


def test_no_more_than_top_are_given() -> None:
    candidates = [at(word, float(score)) for score, word in enumerate(("king", "queen", "day", "city"))]
    assert [each.text for each in merge(candidates, PASSAGE, top=2)] == ["city", "day"]
    assert merge([], PASSAGE, top=2) == []


@pytest.mark.parametrize("seed", range(30))
def test_random_candidates_merge_as_defined(seed: int) -> None:
    dice = random.Random(seed)
    candidates = []
    for _ in range(40):
        start = dice.randrange(len(PASSAGE))
        end = dice.randrange(start + 1, len(PASSAGE) + 1)
        candidates.append(Candidate(start, end, float(dice.randrange(20)), dice.randrange(3)))
    found = merge(candidates, PASSAGE, top=100)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        assert PASSAGE[each.start : each.end] == each.text
    for one, other in ((one, other) for one in found for other in found if one is not other):
        assert one.end <= other.start or other.end <= one.start
    for candidate in candidates:  # who is missing overlaps one that is at least as good
        assert any(
            candidate.start < each.end and each.start < candidate.end and each.score >= candidate.score
            for each in found
        )


def test_a_particle_is_cut_off_the_text_and_the_end_but_not_off_the_score() -> None:
    passage = "대한민국의 수도는 서울특별시에서 멀지 않다"
    start = passage.index("서울")
    whole = FoundAnswer("서울특별시에서", start, start + 7, 1.5, 2, 0.5)
    cut = stripped(whole, passage, "대한민국의 수도는 어디인가?")
    assert cut == FoundAnswer("서울특별시", start, start + 5, 1.5, 2, 0.5)
    assert passage[cut.start : cut.end] == cut.text


def test_an_answer_without_a_particle_stays_as_it_is() -> None:
    (found,) = merge([at("queen", 1.0)], PASSAGE, top=1)
    assert stripped(found, PASSAGE, "who?") is found


def reply(*scores: float, threshold: float = 0.0) -> Reply:
    return Reply(tuple(FoundAnswer(f"answer {each}", 0, 1, each, 0) for each in scores), 1, threshold)


def test_a_reply_says_its_best_answer_from_the_threshold_on() -> None:
    assert (reply(2.0, 1.0).text, reply(2.0, 1.0).has_answer) == ("answer 2.0", True)
    assert reply(2.0, threshold=2.0).has_answer
    assert (reply(2.0, threshold=2.5).text, reply(2.0, threshold=2.5).has_answer) == ("", False)
    assert reply(-3.0, threshold=-4.0).text == "answer -3.0"


def test_no_answer_beats_the_best_answer_by_its_score_turned_round() -> None:
    assert reply(2.0, 1.0).no_answer_score == -2.0
    assert reply(-3.0).no_answer_score == 3.0


def test_a_reply_without_answers_has_none_at_any_threshold() -> None:
    for threshold in (0.0, float("-inf")):
        empty = reply(threshold=threshold)
        assert (empty.text, empty.has_answer, empty.no_answer_score) == ("", False, float("inf"))
