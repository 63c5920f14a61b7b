"""Reading comprehension files: SQuAD 1.1 and 2.0 and KorQuAD 1.0 in, checked questions out.

Every offset is checked against its passage. An answer that does not stand where it says is left
out; a question that loses all its answers so is refused, and named.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any

from tl_core.data.reading import Answer, Passage, Question, ReadingSet, RefusedQuestion
from tl_core.errors import DataError

LARGEST_FILE = 500_000_000
SQUAD_FORM = (
    'a SQuAD file is a JSON object {"data": [{"title", "paragraphs": [{"context", "qas": '
    '[{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}'
)


def read_reading_file(path: Path) -> ReadingSet:
    """The questions of a file, plain or gzip; DataError if it cannot be read or holds none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    return read_reading(content, path.name)


def read_reading(content: bytes, name: str) -> ReadingSet:
    """The questions of an uploaded file's content. DataError, with what was wrong and where."""
    if content[:2] == b"\x1f\x8b":
        content = _unpacked(content, name)
    if len(content) > LARGEST_FILE:
        raise DataError(
            f"{name} has {len(content) / 1e6:,.0f} MB; at most {LARGEST_FILE / 1e6:,.0f} are read."
        )
    return read_squad(content, name)


def _unpacked(content: bytes, name: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, LARGEST_FILE + 1)
        if len(unpacked) <= LARGEST_FILE and not unpacker.eof:
            raise DataError(f"{name} is cut short: its gzip data ends in the middle. Get it again.")
    except (zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name} is not readable gzip ({error}).") from error
    return unpacked


def read_squad(content: bytes, name: str) -> ReadingSet:
    """The questions of a JSON in SQuAD's form (1.1, 2.0, KorQuAD 1.0, SQuADShifts, XQuAD)."""
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not UTF-8 (byte {error.start}). Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON ({error}); {SQUAD_FORM}.") from error
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        raise DataError(f"{name} has no list under 'data'; {SQUAD_FORM}.")
    reader = _SquadReader(name)
    for at, article in enumerate(given["data"]):
        reader.read_article(at, article)
    return reader.result()


class _SquadReader:
    """Collects passages and questions; what cannot be read becomes a RefusedQuestion."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.passages: list[Passage] = []
        self.questions: list[Question] = []
        self.refused: list[RefusedQuestion] = []
        self.seen: set[str] = set()

    def result(self) -> ReadingSet:
        if not self.questions:
            why = (
                f" The first of {len(self.refused)} refused: {_told(self.refused[0])}" if self.refused else ""
            )
            raise DataError(f"{self.name} holds no usable question; {SQUAD_FORM}.{why}")
        return ReadingSet(self.name, tuple(self.passages), tuple(self.questions), tuple(self.refused))

    def read_article(self, at: int, article: Any) -> None:
        place = f"data[{at}]"
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            self._refuse(place, "no list under 'paragraphs'")
            return
        title = article.get("title", "")
        for number, paragraph in enumerate(paragraphs):
            self._read_paragraph(f"{place}.paragraphs[{number}]", at, str(title), paragraph)

    def _read_paragraph(self, place: str, article: int, title: str, paragraph: Any) -> None:
        context = paragraph.get("context") if isinstance(paragraph, dict) else None
        if not isinstance(context, str) or not context.strip():
            self._refuse(place, "no text under 'context'")
            return
        qas = paragraph.get("qas", [])
        if not isinstance(qas, list):
            self._refuse(place, "'qas' is not a list")
            return
        self.passages.append(Passage(context, article, title))
        for number, qa in enumerate(qas):
            self._read_question(f"{place}.qas[{number}]", context, qa)

    def _read_question(self, place: str, context: str, qa: Any) -> None:
        question = qa.get("question") if isinstance(qa, dict) else None
        if not isinstance(question, str) or not question.strip():
            self._refuse(place, "no text under 'question'")
            return
        identifier = str(qa.get("id") or place)
        if identifier in self.seen:
            self._refuse(f"{place} ({identifier})", "this id stands in the file before")
            return
        place = f"{place} ({identifier})"
        given = qa.get("answers", [])
        if not isinstance(given, list):
            self._refuse(place, "'answers' is not a list")
            return
        impossible = bool(qa.get("is_impossible", False))
        good, problem = _checked_answers(context, [] if impossible else given)
        if problem and not good:
            self._refuse(place, problem)
            return
        self.seen.add(identifier)
        self.questions.append(Question(identifier, question, len(self.passages) - 1, good))

    def _refuse(self, place: str, reason: str) -> None:
        self.refused.append(RefusedQuestion(place, reason))


def _checked_answers(context: str, given: list[Any]) -> tuple[tuple[Answer, ...], str]:
    """The answers that stand where they say, and what is wrong with the first other one."""
    good: list[Answer] = []
    problem = ""
    for each in given:
        text = each.get("text") if isinstance(each, dict) else None
        start = each.get("answer_start") if isinstance(each, dict) else None
        if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
            problem = problem or "an answer needs 'text' and a whole number 'answer_start'"
        elif not text.strip():
            problem = problem or "an answer is empty"
        elif start < 0 or context[start : start + len(text)] != text:
            found = context[max(0, start) : max(0, start) + len(text)]
            problem = problem or f"the answer {text[:60]!r} is not at {start}, where {found[:60]!r} stands"
        else:
            good.append(_stripped(text, start))
    return tuple(good), problem


def _stripped(text: str, start: int) -> Answer:
    bare = text.strip()
    return Answer(bare, start + text.index(bare))


def _told(refused: RefusedQuestion) -> str:
    return f"{refused.place}: {refused.reason}"
