"""Joint decoding against brute force over every pair of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from tl_core.tasks.read.decode import Logits, best_spans, separate_argmaxes

EVERYTHING = 10**6


def every_span(start: Logits, end: Logits, null: float, longest: int) -> dict[tuple[int, int], float]:
    """The score of every span that may be an answer, by two plain loops."""
    return {
        (first, last): float(start[first]) + float(end[last]) - null
        for first in range(len(start))
        for last in range(first, min(len(start), first + longest))
        if np.isfinite(start[first]) and np.isfinite(end[last])
    }


def check_against_brute_force(start: Logits, end: Logits, null: float, longest: int, top: int) -> None:
    """Scores are the best there are, in order, and each is that of its own span; no span comes twice."""
    wanted = every_span(start, end, null, longest)
    spans = best_spans(start, end, null=null, longest=longest, top=top)
    places = [(each.first, each.last) for each in spans]
    assert len(set(places)) == len(places)
    assert [each.score for each in spans] == pytest.approx(sorted(wanted.values(), reverse=True)[:top])
    for span in spans:
        assert span.first <= span.last < span.first + longest
        assert span.score == pytest.approx(wanted[span.first, span.last])


def random_logits(random: np.random.Generator, count: int) -> tuple[Logits, Logits]:
    return tuple(random.normal(0, 5, size=count).astype(np.float32) for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13, 40])
def test_best_spans_equal_brute_force_for_every_length_bound(count: int) -> None:
    random = np.random.default_rng(count)
    for longest in range(1, count + 1):
        for top in (1, 3, EVERYTHING):
            start, end = random_logits(random, count)
            check_against_brute_force(start, end, float(random.normal()), longest, top)


@pytest.mark.parametrize("longest", [1, 4, 12, 30])
def test_ties_give_the_same_scores_as_brute_force(longest: int) -> None:
    random = np.random.default_rng(longest)
    for _ in range(40):
        start, end = (random.integers(0, 3, size=12).astype(np.float32) for _ in range(2))
        check_against_brute_force(start, end, 1.0, longest, int(random.integers(1, 20)))


def test_minus_infinity_is_never_part_of_a_span() -> None:
    random = np.random.default_rng(5)
    for _ in range(60):
        start, end = random_logits(random, 9)
        start[random.random(9) < 0.5] = -np.inf
        end[random.random(9) < 0.5] = -np.inf
        check_against_brute_force(start, end, 0.5, int(random.integers(1, 10)), int(random.integers(1, 60)))


def test_nothing_allowed_gives_no_span() -> None:
    shut = np.full(4, -np.inf, dtype=np.float32)
    assert best_spans(shut, np.zeros(4, dtype=np.float32), null=0.0, longest=3, top=5) == []
    assert best_spans(np.zeros(4, dtype=np.float32), shut, null=0.0, longest=3, top=5) == []


def test_no_tokens_give_no_span() -> None:
    empty = np.zeros(0, dtype=np.float32)
    assert best_spans(empty, empty, null=0.0, longest=30, top=5) == []


def test_top_larger_than_the_number_of_spans_gives_them_all() -> None:
    start, end = random_logits(np.random.default_rng(1), 4)
    spans = best_spans(start, end, null=0.0, longest=2, top=1000)
    assert sorted((each.first, each.last) for each in spans) == sorted(every_span(start, end, 0.0, 2))


def test_a_length_bound_beyond_the_tokens_changes_nothing() -> None:
    start, end = random_logits(np.random.default_rng(2), 6)
    assert best_spans(start, end, null=0.0, longest=6, top=9) == best_spans(
        start, end, null=0.0, longest=200, top=9
    )


def test_equal_scores_come_in_the_order_of_the_text() -> None:
    flat = np.zeros(3, dtype=np.float32)
    spans = best_spans(flat, flat, null=0.0, longest=3, top=EVERYTHING)
    assert [(each.first, each.last) for each in spans] == [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]


def test_separate_argmaxes_may_cross_where_the_joint_best_does_not() -> None:
    start = np.array([1.0, 0.0, 5.0], dtype=np.float32)
    end = np.array([4.0, 2.0, 1.0], dtype=np.float32)
    assert separate_argmaxes(start, end) == (2, 0)
    (best,) = best_spans(start, end, null=2.0, longest=3, top=1)
    assert (best.first, best.last, best.score) == (2, 2, 4.0)


def test_separate_argmaxes_that_do_not_cross_are_the_joint_best() -> None:
    random = np.random.default_rng(3)
    seen = 0
    for _ in range(200):
        start, end = random_logits(random, 7)
        first, last = separate_argmaxes(start, end)
        if first <= last:
            (best,) = best_spans(start, end, null=0.0, longest=7, top=1)
            assert (best.first, best.last) == (first, last)
            seen += 1
    assert 0 < seen < 200
