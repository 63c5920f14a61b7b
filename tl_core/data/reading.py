"""Questions about passages, with the places of their answers: what reading comprehension works on.

Offsets count characters (Python's: code points) of the passage. Knows no file format;
`reading_files` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

SHORTEST_REST = 80  # characters of a passage without its answer that are still worth reading


@dataclass(frozen=True, slots=True)
class Answer:
    """A reference answer: `passage[start : start + len(text)] == text`."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the last character."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage and the article that it stands in (an index; passages of one article share it)."""

    text: str
    article: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about passage number `passage`; without answers it cannot be answered from it."""

    id: str
    text: str
    passage: int
    answers: tuple[Answer, ...] = ()

    @property
    def answerable(self) -> bool:
        return bool(self.answers)


@dataclass(frozen=True, slots=True)
class RefusedQuestion:
    """A question that was left out, where it stands in its file, and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadingSet:
    """N questions on shared passages, and what of the file was left out."""

    name: str
    passages: tuple[Passage, ...]
    questions: tuple[Question, ...]
    refused: tuple[RefusedQuestion, ...] = ()

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def articles(self) -> int:
        """Number of articles that the passages come from."""
        return len({passage.article for passage in self.passages})

    @property
    def answerable(self) -> int:
        """Number of questions that have an answer."""
        return sum(question.answerable for question in self.questions)

    @property
    def places(self) -> list[int]:
        """The article of each question, or its passage where all stand in one article: what is drawn together."""
        by_passage = self.articles < 2
        return [
            question.passage if by_passage else self.passages[question.passage].article
            for question in self.questions
        ]

    def passage_of(self, question: Question) -> str:
        return self.passages[question.passage].text

    def take(self, indices: Iterable[int]) -> ReadingSet:
        """The questions at these positions, in this order; all passages stay."""
        return replace(self, questions=tuple(self.questions[int(at)] for at in indices))

    def of_articles(self, articles: Iterable[int]) -> ReadingSet:
        """The questions whose passage stands in one of these articles; all passages stay."""
        wanted = set(articles)
        kept = (question for question in self.questions if self.passages[question.passage].article in wanted)
        return replace(self, questions=tuple(kept))


def joined(name: str, sets: Sequence[ReadingSet]) -> ReadingSet:
    """Several sets as one: their articles stay apart, their questions keep their order."""
    passages: list[Passage] = []
    questions: list[Question] = []
    article = 0
    for data in sets:
        questions += [replace(one, passage=one.passage + len(passages)) for one in data.questions]
        passages += [replace(one, article=one.article + article) for one in data.passages]
        article = max((one.article for one in passages), default=-1) + 1
    refused = tuple(one for data in sets for one in data.refused)
    return ReadingSet(name, tuple(passages), tuple(questions), refused)


def distinct(data: ReadingSet) -> ReadingSet:
    """The set with each question once: of those with the same words on the same passage the first; all passages stay."""
    firsts: dict[tuple[str, str], Question] = {}
    for question in data.questions:
        firsts.setdefault((question.text.strip(), data.passage_of(question).strip()), question)
    return replace(data, questions=tuple(firsts.values()))


def split_by_article(data: ReadingSet, share: float, seed: int) -> tuple[ReadingSet, ReadingSet]:
    """(kept, held back): whole articles are held back until they hold at least `share` of the questions.

    Questions of one article would tell each other's answers, so they stay together. With a single
    article, single passages take its place.
    """
    groups = data.places
    counts: dict[int, int] = {}
    for group in groups:
        counts[group] = counts.get(group, 0) + 1
    order = np.random.default_rng([seed, 71]).permutation(sorted(counts))
    held: set[int] = set()
    total = 0
    for group in order[:-1]:  # one group is always left to learn from
        if total >= share * len(data):
            break
        held.add(int(group))
        total += counts[int(group)]
    kept = [at for at, group in enumerate(groups) if group not in held]
    return data.take(kept), data.take([at for at, group in enumerate(groups) if group in held])


def with_unanswerable(data: ReadingSet, share: float, seed: int) -> ReadingSet:
    """The set with made unanswerable questions added, `share` times as many as answerable ones.

    Each pairs a question with another passage of its article that holds none of its answers; where
    there is none, with the longer part of its own passage before or after them all.
    """
    random = np.random.default_rng([seed, 29])
    siblings: dict[int, list[int]] = {}
    for at, passage in enumerate(data.passages):
        siblings.setdefault(passage.article, []).append(at)
    answerable = [asked for asked in data.questions if asked.answerable]
    passages, made = list(data.passages), []
    for at in random.permutation(len(answerable))[: round(share * len(answerable))]:
        question = answerable[int(at)]
        others = siblings[data.passages[question.passage].article]
        place = _without_answer(question, data.passages, random.permutation(others)[:8].tolist())
        if place is None:
            rest = _rest(data.passages[question.passage].text, question.answers)
            if len(rest) < SHORTEST_REST or any(answer.text in rest for answer in question.answers):
                continue
            passages.append(replace(data.passages[question.passage], text=rest))
            place = len(passages) - 1
        made.append(Question(f"{question.id} (unanswerable)", question.text, place))
    return replace(data, passages=tuple(passages), questions=(*data.questions, *made))


def _without_answer(question: Question, passages: Sequence[Passage], others: Sequence[int]) -> int | None:
    for other in others:
        if not any(answer.text in passages[other].text for answer in question.answers):
            return other
    return None


def _rest(text: str, answers: Sequence[Answer]) -> str:
    """The longer part before or after all answers, cut at white space."""
    before = text[: min(answer.start for answer in answers)].rpartition(" ")[0]
    after = text[max(answer.end for answer in answers) :].partition(" ")[2]
    return max(before, after, key=len).strip()


def chosen_reference(answers: Sequence[Answer]) -> Answer:
    """The reference to learn from: the one that most annotators gave, the shortest among equals."""
    votes: Mapping[Answer, int] = {answer: answers.count(answer) for answer in answers}
    return min(votes, key=lambda answer: (-votes[answer], len(answer.text), answer.start))
