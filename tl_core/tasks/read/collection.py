"""A collection of documents: shared words find the passages worth reading, a reader finds the answer.

Passages are ranked by BM25 as Lucene counts it (bm25s, `method="lucene"`; k1 = 1.5, b = 0.75). For
N passages of which n hold token t, f times in this passage of d tokens, mean length m:

    score = sum over the question's t of  ln(1 + (N - n + 0.5) / (n + 0.5)) * f / (f + k1 (1 - b + b d / m))

(Robertson & Zaragoza 2009, section 3.4; this idf, and the missing factor k1 + 1, as in Kamphuis et
al. 2020, table 1: "Lucene (accurate)".)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tl_core.errors import ConfigError, DataError
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.config import Reading
from tl_core.training.events import Training

if TYPE_CHECKING:
    from tl_core.tasks.read.reader import Reader

MOST_DOCUMENTS = 1000
PASSAGE_WORDS = 200
SHORTEST_PASSAGE = PASSAGE_WORDS // 2  # words of a part of a document that is cut
K1, B = 1.5, 0.75

UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff"  # Thai, kana, Han: no spaces between words
GLUED = f"가-힣{UNSPACED}"  # here a whole word of the question is rarely one of the text
RUN = re.compile(rf"[{GLUED}]+|[^\W_{GLUED}]+")
WORD = re.compile(rf"[{UNSPACED}]{{1,3}}[^\s\w]*|[^\s{UNSPACED}]{{1,40}}")
SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]」』）]*$")


@dataclass(frozen=True, slots=True)
class Part:
    """A passage: characters `start` to `end` of document number `document`."""

    document: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RankedPart:
    """A passage and its BM25 score for a question, above 0."""

    part: Part
    score: float


@dataclass(frozen=True, slots=True)
class CollectionAnswer:
    """An answer in document number `document`; the offsets of `found` count that document's characters.

    `passage` is where it was read, `found.window` a window of that passage.
    """

    found: FoundAnswer
    document: int
    name: str
    passage: RankedPart


@dataclass(frozen=True, slots=True)
class CollectionReply:
    """Reply of a reader to one question from a collection: answers of all passages read, best first.

    Not `matched` is a question that shares no token with any document: then nothing was read.
    """

    answers: tuple[CollectionAnswer, ...]
    passages: tuple[RankedPart, ...]
    threshold: float = 0.0

    @property
    def matched(self) -> bool:
        return bool(self.passages)

    @property
    def has_answer(self) -> bool:
        return bool(self.answers) and self.answers[0].found.score >= self.threshold

    @property
    def text(self) -> str:
        """The best answer; empty if it does not reach the threshold."""
        return self.answers[0].found.text if self.has_answer else ""


class Collection:
    """Up to 1,000 named texts, cut into passages and indexed once; safe to share between threads.

    DataError if there are too many, or if none of them holds any text.
    """

    def __init__(self, documents: Sequence[tuple[str, str]]) -> None:
        if len(documents) > MOST_DOCUMENTS:
            raise DataError(
                "The collection has {documents:,} documents; at most {most_documents:,} can be searched. "
                "Leave some out.",
                documents=len(documents),
                most_documents=MOST_DOCUMENTS,
            )
        self.documents = tuple(documents)
        self.parts = tuple(
            Part(at, start, end)
            for at, (_, text) in enumerate(self.documents)
            for start, end in passage_ranges(text)
        )
        if not self.parts:
            raise DataError("The collection holds no text. Add at least one document that is not empty.")
        self._index = _index([search_tokens(self.text_of(part)) for part in self.parts])

    def text_of(self, part: Part) -> str:
        return self.documents[part.document][1][part.start : part.end]

    def ranked(self, question: str, count: int = 10) -> list[RankedPart]:
        """At most `count` passages that share a token with the question, best first, then in order."""
        if count < 1:
            raise ConfigError(
                "The number of passages to look at must be at least 1; got {count}.", count=count
            )
        asked = search_tokens(question)
        if not asked or self._index is None:
            return []
        scores = self._index.get_scores(asked).tolist()
        order = sorted((at for at, score in enumerate(scores) if score > 0), key=lambda at: (-scores[at], at))
        return [RankedPart(self.parts[at], scores[at]) for at in order[:count]]

    def candidates(self, question: str, count: int = 5) -> list[tuple[int, float]]:
        """At most `count` documents by the BM25 score of their best passage: (document number, score).

        Documents that share no token with the question are left out; equal ones keep their order.
        """
        best: dict[int, float] = {}
        for place in self.ranked(question, max(count, len(self.parts))):
            best.setdefault(place.part.document, place.score)
        return list(best.items())[:count]


def ask_collection(
    reader: Reader,
    collection: Collection,
    question: str,
    reading: Reading | None = None,
    candidates: int = 10,
) -> Training[CollectionReply]:
    """The answers to a question from the `candidates` passages that share most with it.

    The reader alone ranks answers: its scores are counted from each passage's own 'no answer', so
    they compare across passages. Probabilities are a softmax over the answers given here. Yields
    the reader's Progress in passages; DataError if the question is empty or too long.
    """
    if not question.strip():
        raise DataError("The question is empty. Type what you want to know from the documents.")
    from tl_core.tasks.read.reader import Asked

    how = reading or Reading()
    ranked = collection.ranked(question, candidates)
    asked = [Asked(question, collection.text_of(place.part)) for place in ranked]
    replies = (yield from reader.ask_events(asked, how, strict=True)) if asked else []
    moved_answers = [
        (_moved(answer, place.part.start), place)
        for place, reply in zip(ranked, replies, strict=True)
        for answer in reply.answers
    ]
    kept = _best(moved_answers, how.top)
    sure = reader.calibration.with_probabilities([answer for answer, _ in kept])
    answers = tuple(
        CollectionAnswer(answer, place.part.document, collection.documents[place.part.document][0], place)
        for answer, (_, place) in zip(sure, kept, strict=True)
    )
    return CollectionReply(answers, tuple(ranked), reader.calibration.threshold)


def _best(
    answers: Sequence[tuple[FoundAnswer, RankedPart]], top: int
) -> list[tuple[FoundAnswer, RankedPart]]:
    """The `top` best; in one document an answer that overlaps a better one falls together with it."""
    kept: list[tuple[FoundAnswer, RankedPart]] = []
    for answer, place in sorted(
        answers,
        key=lambda candidate: (
            -candidate[0].score,
            candidate[1].part.document,
            candidate[0].start,
            candidate[0].end,
        ),
    ):
        overlapping = any(
            place.part.document == there.part.document
            and answer.start < other.end
            and other.start < answer.end
            for other, there in kept
        )
        if not overlapping:
            kept.append((answer, place))
        if len(kept) == top:
            break
    return kept


def _moved(answer: FoundAnswer, characters: int) -> FoundAnswer:
    return replace(answer, start=answer.start + characters, end=answer.end + characters)


def search_tokens(text: str) -> list[str]:
    """Tokens that BM25 counts: lower-cased words; of glued scripts each word and its pairs of characters.

    >>> search_tokens("The King, 서울에서")
    ['the', 'king', '서울에서', '서울', '울에', '에서']
    """
    return [
        token
        for run in RUN.findall(unicodedata.normalize("NFKC", text).lower())
        for token in _with_pairs(run)
    ]


def _with_pairs(run: str) -> Iterator[str]:
    yield run
    if len(run) > 2 and re.match(f"[{GLUED}]", run):
        yield from (run[at : at + 2] for at in range(len(run) - 1))


def passage_ranges(text: str) -> list[tuple[int, int]]:
    """The characters of each passage of a text: one, or parts of 100 to 200 words each.

    A part ends at the last paragraph's end among its second hundred words; without one at the last
    end of a sentence, of a line, of a word. Where a script has no spaces, three letters count as a
    word. White space between parts is in none.
    """
    words = [match.span() for match in WORD.finditer(text)]
    following = [start for start, _ in words[1:]] + [len(text)]
    levels = [_end_level(text, *word, then) for word, then in zip(words, following, strict=False)]
    ranges = []
    at = 0
    while len(words) - at > PASSAGE_WORDS:
        longest = min(PASSAGE_WORDS, len(words) - at - SHORTEST_PASSAGE)
        last = max(range(at + SHORTEST_PASSAGE - 1, at + longest), key=lambda word: (levels[word], word))
        ranges.append((words[at][0], words[last][1]))
        at = last + 1
    if at < len(words):
        ranges.append((words[at][0], words[-1][1]))
    return ranges


def _end_level(text: str, start: int, end: int, following: int) -> int:
    """Level of this word as an end: 4 of a paragraph, 3 of a sentence, 2 of a line, 1 of a word, 0 of none."""
    gap = text[end:following]
    if gap.count("\n") > 1:
        return 4
    if SENTENCE_END.search(text[start:end]):
        return 3
    return 2 if "\n" in gap else int(bool(gap))


def _index(passages: list[list[str]]) -> Any:
    """A BM25 index of the passages' tokens; None if there are no tokens at all."""
    if not any(passages):
        return None
    import bm25s

    index = bm25s.BM25(k1=K1, b=B, method="lucene", dtype="float64")
    index.index(passages, show_progress=False)
    return index
