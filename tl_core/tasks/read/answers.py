"""Answers as a person sees them: places in the passage, scores, and what overlaps made one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tl_core.tasks.read.josa import without_josa


@dataclass(frozen=True, slots=True)
class Candidate:
    """Characters `start` to `end` of a passage with their score, from window number `window`."""

    start: int
    end: int
    score: float
    window: int


@dataclass(frozen=True, slots=True)
class FoundAnswer:
    """An answer: `passage[start:end] == text`; `score` is its logits' sum less the null score.

    `window` is the number of the window it came from, `probability` is None where the reader was
    not calibrated.
    """

    text: str
    start: int
    end: int
    score: float
    window: int
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Reply of a reader to one question: answers, best first, none overlapping another.

    An answer counts from the score `threshold` on; `windows` is how many windows were read.
    """

    answers: tuple[FoundAnswer, ...]
    windows: int
    threshold: float = 0.0

    @property
    def no_answer_score(self) -> float:
        """By how much 'no answer' beats the best answer; large where there is nothing to answer with."""
        return -self.answers[0].score if self.answers else float("inf")

    @property
    def text(self) -> str:
        """The best answer; empty if it does not reach the threshold."""
        return self.answers[0].text if self.has_answer else ""

    @property
    def has_answer(self) -> bool:
        return bool(self.answers) and self.answers[0].score >= self.threshold


def merge(candidates: Sequence[Candidate], passage: str, top: int) -> list[FoundAnswer]:
    """At most `top` answers, best first; a candidate that overlaps a better one falls together with it."""
    return keep_best(sorted(candidates, key=lambda one: (-one.score, one.start, one.end)), passage, top)


def keep_best(best_first: Iterable[Candidate], passage: str, top: int) -> list[FoundAnswer]:
    """As `merge`, of candidates that come best first; takes no more of them than it needs."""
    kept: list[Candidate] = []
    for candidate in best_first:
        if any(candidate.start < other.end and other.start < candidate.end for other in kept):
            continue
        kept.append(candidate)
        if len(kept) == top:
            break
    return [
        FoundAnswer(passage[one.start : one.end], one.start, one.end, one.score, one.window) for one in kept
    ]


def stripped(answer: FoundAnswer, passage: str, question: str) -> FoundAnswer:
    """The answer without a Korean particle glued to its end."""
    end = without_josa(passage, answer.start, answer.end, question)
    return replace(answer, text=passage[answer.start : end], end=end) if end != answer.end else answer
