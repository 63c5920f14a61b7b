"""Scores of a reader on a reading set: exact match, F1, with and without unanswerable questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.data.reading import Question, ReadingSet
from tl_core.tasks.read.answers import Reply, stripped
from tl_core.tasks.read.calibration import Calibration, calibrate
from tl_core.tasks.read.metrics import Rule, score_answer
from tl_core.text.script import is_korean

Numbers = NDArray[np.float64]


def rule_for(data: ReadingSet) -> Rule:
    """The official rule that fits a set: KorQuAD's for Korean, SQuAD 2.0's if some have no answer."""
    if is_korean([question.text for question in data.questions]):
        return "korquad"
    return "squad1" if data.answerable == len(data) else "squad2"


@dataclass(frozen=True, slots=True)
class Judged:
    """One question's outcome: the best answer with its score, and both measures of it, 0 to 1.

    `exact_match` and `f1` judge the best answer whatever its score; an unanswerable question has 0.
    """

    given: str
    score: float
    exact_match: float
    f1: float
    answerable: bool


def judge(data: ReadingSet, replies: Sequence[Reply], rule: Rule, *, josa: bool = False) -> list[Judged]:
    """Each of the N replies against its question's references; `josa` cuts particles off first."""
    return [
        _judge(data, question, reply, rule, josa)
        for question, reply in zip(data.questions, replies, strict=True)
    ]


def _judge(data: ReadingSet, question: Question, reply: Reply, rule: Rule, josa: bool) -> Judged:
    if not reply.answers:
        return Judged("", float("-inf"), 0.0, 0.0, question.answerable)
    best = reply.answers[0]
    given = stripped(best, data.passage_of(question), question.text).text if josa else best.text
    if not question.answerable:
        return Judged(given, best.score, 0.0, 0.0, False)
    measured = score_answer(given, [answer.text for answer in question.answers], rule)
    return Judged(given, best.score, measured.exact_match, measured.f1, True)


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over `count` questions, 0 to 1."""

    count: int
    exact_match: float
    f1: float


def values_at(judged: Sequence[Judged], threshold: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(exact match, F1) of each of N questions, where an answer below the threshold counts as 'no answer'."""
    answered = np.array([question.score >= threshold for question in judged], dtype=bool)
    answerable = np.array([question.answerable for question in judged], dtype=bool)
    exact, f1 = (
        np.where(answerable, np.array(values, dtype=np.float64) * answered, ~answered)
        for values in (
            [question.exact_match for question in judged],
            [question.f1 for question in judged],
        )
    )
    return exact, f1


def scores_at(judged: Sequence[Judged], threshold: float) -> Scores:
    """Exact match and F1 where an answer below the threshold counts as 'no answer'."""
    if not judged:
        return Scores(0, 0.0, 0.0)
    exact, f1 = values_at(judged, threshold)
    return Scores(len(judged), float(exact.mean()), float(f1.mean()))


def best_threshold(judged: Sequence[Judged]) -> float:
    """The no-answer threshold with the best F1 (`evaluate-v2.0.py: find_best_thresh`).

    Halfway between two different neighbouring scores; minus infinity where every question has an answer.
    """
    if all(question.answerable for question in judged):
        return float("-inf")
    ordered = sorted(judged, key=lambda question: question.score)
    gains = np.array([-question.f1 if question.answerable else 1.0 for question in ordered])
    total = np.concatenate([[0.0], np.cumsum(gains)])  # gain of leaving the first k unanswered
    values = [question.score for question in ordered]
    parts = [at for at in range(len(values) + 1) if at in (0, len(values)) or values[at - 1] < values[at]]
    best = max(parts, key=lambda at: total[at])
    if best == 0:
        return values[0] - 1.0
    below = values[best - 1]
    if best == len(values):
        return below + 1.0 if np.isfinite(below) else 0.0
    middle = (below + values[best]) / 2
    return middle if middle > below else values[best]  # below may be minus infinity: nothing was found


def calibration_of(replies: Sequence[Reply], judged: Sequence[Judged]) -> Calibration:
    """Threshold and temperature for a reader, from its replies to held-out questions."""
    threshold = best_threshold(judged)
    threshold = threshold if np.isfinite(threshold) else 0.0
    scores = [np.array([answer.score for answer in reply.answers]) for reply in replies]
    right = [bool(question.exact_match) for question in judged]
    return calibrate(scores, right, threshold)
