"""Quality of word vectors by themselves: analogies they answer, and likeness that people feel too.

Neither says how well the vectors serve a task, but both tell trained vectors from random ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from tl_core.errors import ConfigError, DataError
from tl_core.training.events import Training
from tl_core.vectors.quality_answers import AnalogyMethod, answer_events
from tl_core.vectors.quality_files import AnalogySet, Quadruple, SimilaritySet
from tl_core.vectors.search import counted
from tl_core.vectors.space import WordVectors

SYNTACTIC = "gram"  # how the names of Google's grammatical sections begin
FEWEST_PAIRS = 3


@dataclass(frozen=True, slots=True)
class Score:
    """Number of questions answered rightly, of those whose four words are known, of all."""

    name: str
    correct: int
    covered: int
    total: int

    @property
    def accuracy(self) -> float | None:
        """Share of the covered questions, 0 to 1; None if none is covered."""
        return self.correct / self.covered if self.covered else None


@dataclass(frozen=True, slots=True)
class Answered:
    """One covered question with what the vectors answered, empty if no word was left to answer with."""

    section: str
    a: str
    b: str
    c: str
    d: str
    answer: str
    correct: bool
    is_input: bool  # the answer is a, b or c


@dataclass(frozen=True, slots=True)
class AnalogyReport:
    """Scores by section and over all, and every answer.

    `semantic` and `syntactic` are Google's two halves, by the names of the sections; None for a set
    in which no name begins with 'gram'.
    """

    name: str
    sections: tuple[Score, ...]
    overall: Score
    semantic: Score | None
    syntactic: Score | None
    answers: tuple[Answered, ...]

    @property
    def answered_with_input(self) -> float:
        """Share of the covered questions answered with a, b or c: 0 unless these were allowed."""
        return sum(answer.is_input for answer in self.answers) / len(self.answers)


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two words with people's score and the cosine of their vectors."""

    a: str
    b: str
    score: float
    cosine: float


@dataclass(frozen=True, slots=True)
class SimilarityReport:
    """Rank and linear correlation of people's scores with cosines, over the covered pairs, -1 to 1."""

    name: str
    spearman: float
    pearson: float
    covered: int
    total: int
    rows: tuple[ScoredPair, ...]
    missing: tuple[tuple[str, str], ...]  # pairs with an unknown word


def evaluate_analogies(
    vectors: WordVectors,
    questions: AnalogySet,
    *,
    first: int | None = None,
    include_inputs: bool = False,
    method: AnalogyMethod = "add",
) -> Training[AnalogyReport]:
    """Counts of the analogy questions that the vectors answer rightly; yields Progress in questions.

    The answer to a : b = c : ? is the word of largest cos(b) - cos(a) + cos(c) (`add`, 3CosAdd; Mikolov et
    al. 2013), or cos(b) cos(c) / (cos(a) + 1e-6) with cosines moved to 0..1 (`mul`, 3CosMul; Levy & Goldberg
    2014, eq. 4), among all or the `first` words, without a, b and c unless `include_inputs`. Case is ignored
    as gensim's evaluate_word_analogies does: a word means the most frequent of its forms, and an input's
    other forms are left out with it. A question counts if all its words are among those searched;
    DataError if none does.
    """
    if method not in get_args(AnalogyMethod):
        raise ConfigError(
            "method must be one of {methods}; got {method!r}.",
            methods=", ".join(get_args(AnalogyMethod)),
            method=method,
        )
    count = counted(vectors, first)
    folded = vectors.vocabulary.folded_rows
    known: list[tuple[int, Quadruple]] = []  # section and words of each covered question
    rows: list[list[int]] = []
    for at, section in enumerate(questions.sections):
        for words in section.questions:
            known_rows = [folded.get(word.upper(), count) for word in words]
            if max(known_rows) < count:
                known.append((at, words))
                rows.append(known_rows)
    if not known:
        raise DataError(
            "None of the {total:,} questions of {questions} has all four words among the "
            "{count:,} words searched. Use a set in the language of the vectors, or search more words.",
            total=questions.total,
            questions=questions.name,
            count=count,
        )
    asked = np.array(rows, dtype=np.intp)[:, :3]
    answers = yield from answer_events(
        vectors, asked, count=count, include_inputs=include_inputs, method=method
    )
    answer_words = [vectors.words[row] if row >= 0 else "" for row in answers.tolist()]
    answered = [
        (at, _answered(questions.sections[at].name, words, answer))
        for (at, words), answer in zip(known, answer_words, strict=True)
    ]
    return _report(questions, answered)


def evaluate_similarity(vectors: WordVectors, pairs: SimilaritySet) -> SimilarityReport:
    """Agreement of the cosines of word pairs with people's scores; words whatever their case, as gensim reads them.

    DataError if fewer than 3 pairs are covered, or if all scores or all cosines are equal.
    """
    from scipy.stats import pearsonr, spearmanr

    folded = vectors.vocabulary.folded_rows
    covered = [(a, b, score) for a, b, score in pairs.pairs if {a.upper(), b.upper()} <= folded.keys()]
    missing = tuple((a, b) for a, b, _ in pairs.pairs if not {a.upper(), b.upper()} <= folded.keys())
    if len(covered) < FEWEST_PAIRS:
        raise DataError(
            "{covered} of the {total:,} pairs of {pairs} have both words among these "
            "vectors; at least {fewest_pairs} are needed. Use a set in the language of the vectors.",
            covered=len(covered),
            total=pairs.total,
            pairs=pairs.name,
            fewest_pairs=FEWEST_PAIRS,
        )
    one = vectors.unit_rows([folded[a.upper()] for a, _, _ in covered])
    other = vectors.unit_rows([folded[b.upper()] for _, b, _ in covered])
    cosines = np.einsum("nd,nd->n", one, other, dtype=np.float64).round(6)  # rounding errors rank nothing
    scores = np.array([score for _, _, score in covered])
    if not np.ptp(scores) or not np.ptp(cosines):
        raise DataError(
            "All scores or all cosines of {pairs} are equal, so nothing can follow anything.",
            pairs=pairs.name,
        )
    return SimilarityReport(
        pairs.name,
        spearman=float(spearmanr(scores, cosines).statistic),
        pearson=float(pearsonr(scores, cosines).statistic),
        covered=len(covered),
        total=pairs.total,
        rows=tuple(ScoredPair(*pair, float(cosine)) for pair, cosine in zip(covered, cosines, strict=True)),
        missing=missing,
    )


def _answered(section: str, words: Quadruple, answer: str) -> Answered:
    a, b, c, d = words
    upper = answer.upper()
    is_input = upper in {a.upper(), b.upper(), c.upper()}
    return Answered(section, a, b, c, d, answer, correct=upper == d.upper(), is_input=is_input)


def _report(questions: AnalogySet, answered: Sequence[tuple[int, Answered]]) -> AnalogyReport:
    """The answers, each with the number of its section, counted."""
    covered, correct = (np.zeros(len(questions.sections), dtype=int) for _ in range(2))
    for at, answer in answered:
        covered[at] += 1
        correct[at] += answer.correct
    sections = tuple(
        Score(section.name, int(right), int(known), len(section.questions))
        for section, right, known in zip(questions.sections, correct, covered, strict=True)
    )
    syntactic = [section for section in sections if section.name.startswith(SYNTACTIC)]
    semantic = [section for section in sections if not section.name.startswith(SYNTACTIC)]
    return AnalogyReport(
        name=questions.name,
        sections=sections,
        overall=_sum("all", sections),
        semantic=_sum("semantic", semantic) if syntactic and semantic else None,
        syntactic=_sum("syntactic", syntactic) if syntactic else None,
        answers=tuple(answer for _, answer in answered),
    )


def _sum(name: str, scores: Sequence[Score]) -> Score:
    return Score(
        name,
        correct=sum(score.correct for score in scores),
        covered=sum(score.covered for score in scores),
        total=sum(score.total for score in scores),
    )
