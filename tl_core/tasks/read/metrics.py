"""Exact match and F1 of answers, by the official rules of SQuAD and of KorQuAD.

SQuAD 1.1 and 2.0: `evaluate-v1.1.py`, `evaluate-v2.0.py` (Rajpurkar et al. 2016, 2018): words,
without articles. KorQuAD 1.0: `evaluate-v1.0.py` (Lim et al. 2019): characters, its own marks
removed.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Rule = Literal["squad1", "squad2", "korquad"]
ARTICLES = re.compile(r"\b(a|an|the)\b", re.UNICODE)
KORQUAD_MARKS = re.compile(r"['\"《》<>〈〉()‘’]")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_squad(text: str) -> str:
    """Lower case, without ASCII punctuation and the articles a, an, the; single spaces."""
    bare = text.lower().translate(PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


def normalise_korquad(text: str) -> str:
    """Quotes and brackets become spaces, ASCII punctuation goes, lower case, single spaces."""
    bare = KORQUAD_MARKS.sub(" ", text)
    return " ".join(bare.translate(PUNCTUATION).lower().split())


def _words(text: str) -> list[str]:
    return normalise_squad(text).split()


def _characters(text: str) -> list[str]:
    return [character for word in normalise_korquad(text).split() for character in word]


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """One answer against its references: exact match 0 or 1, F1 0 to 1."""

    exact_match: float
    f1: float


def score_answer(given: str, references: Sequence[str], rule: Rule) -> AnswerScore:
    """The best score over the references; without references only the empty answer is right.

    SQuAD 2.0 leaves out references that normalise to nothing, and gives F1 1 where both sides are
    empty; the other two give 0 there, though exact match 1.
    """
    normalise = normalise_korquad if rule == "korquad" else normalise_squad
    units = _characters if rule == "korquad" else _words
    usable = list(references)
    if rule == "squad2":
        usable = [reference for reference in usable if normalise(reference)]
    usable = usable or [""]
    exact = max(float(normalise(given) == normalise(reference)) for reference in usable)
    no_text = exact if rule == "squad2" or not references else 0.0
    return AnswerScore(exact, max(_f1(units(given), units(reference), no_text) for reference in usable))


def _f1(given: list[str], reference: list[str], no_text: float) -> float:
    if not given or not reference:
        return no_text
    shared = sum((Counter(given) & Counter(reference)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(given), shared / len(reference)
    return 2 * precision * recall / (precision + recall)
