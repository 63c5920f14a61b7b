"""Report of an evaluation of a reader: the official scores, and where it does well and badly."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tl_core.data.reading import Question, ReadingSet
from tl_core.tasks.intervals import Interval, mean_interval
from tl_core.tasks.read.answers import Reply
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.evaluate import Judged, Scores, best_threshold, judge, rule_for, scores_at, values_at
from tl_core.tasks.read.metrics import Rule
from tl_core.tasks.read.reader import Asked, Reader
from tl_core.training.events import Training

NEVER = float("-inf")  # the threshold of someone who always answers

ENGLISH_WORDS = ("how many", "how much", "how", "what", "when", "where", "which", "who", "whose", "why")
KOREAN_WORDS = {
    "누구": ("누구", "누가", "누군"),
    "언제": ("언제", "몇 년", "몇년", "며칠", "날짜"),
    "어디": ("어디", "어딘"),
    "몇": ("몇", "얼마"),
    "왜": ("왜", "이유"),
    "어떻게": ("어떻게",),
    "어느, 어떤": ("어느", "어떤"),
    "무엇": ("무엇", "무슨", "뭐", "뭘"),
}
ANSWER_WORDS = ((1, 1, "1 word"), (2, 3, "2-3 words"), (4, 6, "4-6 words"), (7, None, "7 words or more"))
ANSWER_LETTERS = (
    (1, 3, "1-3 characters"),
    (4, 7, "4-7 characters"),
    (8, 15, "8-15 characters"),
    (16, None, "16 characters or more"),
)
PASSAGE_WORDS = (
    (0, 99, "under 100 words"),
    (100, 149, "100-149 words"),
    (150, 249, "150-249 words"),
    (250, None, "250 words or more"),
)
Bounds = tuple[tuple[int, int | None, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that have something in common, `by` question word, answer or passage length."""

    by: str
    name: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class Spans:
    """The 95 % intervals of both scores, for questions on other articles: those on one article are right together.

    `articles` is how many there were, or passages where all stand in one article.
    """

    articles: int
    exact_match: Interval
    f1: Interval


@dataclass(frozen=True, slots=True)
class ReadReport:
    """Scores of a reader on a reading set, 0 to 1, by its official rule.

    `scores` count an answer below `threshold` as none where the set has unanswerable questions;
    else every question is answered. `other_josa` are the scores with the josa rule switched the
    other way (None but for Korean), `best` those at the no-answer threshold that suits this set
    best (None without unanswerable questions). `spans` are the intervals of `scores`, None in an earlier version's.
    """

    rule: Rule
    answerable: int
    scores: Scores
    threshold: float | None
    josa: bool
    other_josa: Scores | None
    best_threshold: float | None
    best: Scores | None
    groups: tuple[Group, ...]
    spans: Spans | None = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report, and what it stands on: each question's reply and judgement, (N,) both."""

    report: ReadReport
    replies: tuple[Reply, ...]
    judged: tuple[Judged, ...]


def spans_of(data: ReadingSet, judged: Sequence[Judged], threshold: float) -> Spans | None:
    """The intervals of the scores at a threshold; None without questions."""
    articles = np.array(data.places, dtype=np.int64)
    exact, f1 = (mean_interval(values, articles) for values in values_at(judged, threshold))
    return Spans(len(np.unique(articles)), exact, f1) if exact is not None and f1 is not None else None


def evaluate_events(reader: Reader, data: ReadingSet, how: Reading) -> Training[Evaluation]:
    """Ask every question of a set and judge the answers. Yields Progress in questions."""
    from dataclasses import replace

    asked = [Asked(question.text, data.passage_of(question)) for question in data.questions]
    replies = yield from reader.ask_events(asked, replace(how, strip_josa=False))
    rule = rule_for(data)
    korean = rule == "korquad"
    judged = judge(data, replies, rule, josa=korean and how.strip_josa)
    threshold = reader.calibration.threshold if data.answerable < len(data) else None
    cut = NEVER if threshold is None else threshold
    other = judge(data, replies, rule, josa=not how.strip_josa) if korean else None
    best = best_threshold(judged) if threshold is not None else None
    report = ReadReport(
        rule=rule,
        answerable=data.answerable,
        scores=scores_at(judged, cut),
        threshold=threshold,
        josa=korean and how.strip_josa,
        other_josa=scores_at(other, cut) if other is not None else None,
        best_threshold=best,
        best=scores_at(judged, best) if best is not None else None,
        groups=tuple(groups_of(data, judged, cut)),
        spans=spans_of(data, judged, cut),
    )
    return Evaluation(report, tuple(replies), tuple(judged))


def groups_of(data: ReadingSet, judged: Sequence[Judged], threshold: float) -> list[Group]:
    """Scores by question word, answer length and passage length; unanswerable questions have no answer."""
    korean = rule_for(data) == "korquad"
    word = korean_question_word if korean else english_question_word
    kinds: tuple[tuple[str, Callable[[Question], str]], ...] = (
        ("question word", lambda question: word(question.text)),
        ("answer length", lambda question: _answer_length(question, korean)),
        ("passage length", lambda question: _bucket(len(data.passage_of(question).split()), PASSAGE_WORDS)),
    )
    groups: list[Group] = []
    for by, name_of in kinds:
        members: dict[str, list[Judged]] = {}
        for question, outcome in zip(data.questions, judged, strict=True):
            members.setdefault(name_of(question), []).append(outcome)
        names = sorted(members, key=lambda name: _order(by, name, len(members[name])))
        groups += [Group(by, name, scores_at(members[name], threshold)) for name in names]
    return groups


def english_question_word(question: str) -> str:
    """The first question word of an English question: 'how many' before 'how'; 'other' without one."""
    words = re.findall(r"[a-z']+", question.lower())
    for at, word in enumerate(words):
        pair = " ".join(words[at : at + 2])
        if pair in ENGLISH_WORDS:
            return pair
        bare = "who" if word in ("whom", "who's") else word.removesuffix("'s")
        if bare in ENGLISH_WORDS:
            return bare
    return "other"


def korean_question_word(question: str) -> str:
    """The question word of a Korean question, wherever it stands; 'other' without one."""
    for name, forms in KOREAN_WORDS.items():
        if any(form in question for form in forms):
            return name
    return "other"


def _answer_length(question: Question, korean: bool) -> str:
    if not question.answerable:
        return "no answer"
    text = question.answers[0].text
    return _bucket(len(text), ANSWER_LETTERS) if korean else _bucket(len(text.split()), ANSWER_WORDS)


def _bucket(number: int, bounds: Bounds) -> str:
    return next(name for low, high, name in bounds if high is None or number <= high)


def _order(by: str, name: str, count: int) -> tuple[int, str]:
    """Question words by how many ask so, lengths as they grow."""
    if by == "question word":
        return (-count if name != "other" else 1, name)
    names = [label for _, _, label in (*ANSWER_WORDS, *ANSWER_LETTERS, *PASSAGE_WORDS)]
    return (names.index(name) if name in names else len(names), name)
