"""Reading comprehension files: SQuAD 1.1 and 2.0, KorQuAD 1.0 and the lecture's form in, checked questions out.

Every offset is checked against its passage. An answer that does not stand where it says is left
out; a question that loses all its answers so is refused, and named. What is written is SQuAD 2.0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

from tl_core.data.lecture_form import read_lecture
from tl_core.data.reading import Answer, Passage, Question, ReadingSet, RefusedQuestion
from tl_core.data.unpacking import inflate
from tl_core.errors import DataError

LARGEST_FILE = 500_000_000
SQUAD_FORM = (
    'a SQuAD file is a JSON object {"data": [{"title", "paragraphs": [{"context", "qas": '
    '[{"id", "question", "answers": [{"text", "answer_start"}]}]}]}]}'
)


JSON_START = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\s\0]*(?:\{|\[(?!\0?C\0?L\0?S))")  # not [CLS]
SURROGATE = re.compile("[\ud800-\udfff]")  # JSON can escape half of a character: no text holds one


def read_reading_file(path: Path) -> ReadingSet:
    """The questions of a file, plain or gzip; DataError if it cannot be read or holds none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError("{path} cannot be read ({reason}).", path=path, reason=error.strerror) from error
    return read_reading(content, path.name)


def read_reading(content: bytes, name: str) -> ReadingSet:
    """The questions of an uploaded file's content, plain or gzip; its beginning tells JSON from the lecture's form.

    DataError, with what was wrong and where.
    """
    content = inflate(content, name, LARGEST_FILE)
    if len(content) > LARGEST_FILE:
        raise DataError(
            "{name} has {content:,.0f} MB; at most {largest_file:,.0f} are read.",
            name=name,
            content=len(content) / 1000000.0,
            largest_file=LARGEST_FILE / 1000000.0,
        )
    if JSON_START.match(content):
        return read_squad(content, name)
    try:
        return read_lecture(content, name)
    except DataError as error:
        raise DataError(
            "{error} A file in the other form that is read: {squad_form}.", error=error, squad_form=SQUAD_FORM
        ) from None


def read_squad(content: bytes, name: str) -> ReadingSet:
    """The questions of a JSON in SQuAD's form (1.1, 2.0, KorQuAD 1.0, SQuADShifts, XQuAD)."""
    try:
        given = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(
            "{name} is not UTF-8 (byte {start}). Save it as UTF-8.", name=name, start=error.start
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(
            "{name} is not JSON ({error}); {squad_form}.", name=name, error=error, squad_form=SQUAD_FORM
        ) from error
    if not isinstance(given, dict) or not isinstance(given.get("data"), list):
        raise DataError("{name} has no list under 'data'; {squad_form}.", name=name, squad_form=SQUAD_FORM)
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
            raise DataError(
                "{name} holds no usable question; {squad_form}.{why}",
                name=self.name,
                squad_form=SQUAD_FORM,
                why=why,
            )
        return ReadingSet(self.name, tuple(self.passages), tuple(self.questions), tuple(self.refused))

    def read_article(self, at: int, article: Any) -> None:
        place = f"data[{at}]"
        paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
        if not isinstance(paragraphs, list):
            self._refuse(place, "no list under 'paragraphs'")
            return
        title = _clean(str(article.get("title") or ""))
        for number, paragraph in enumerate(paragraphs):
            self._read_paragraph(f"{place}.paragraphs[{number}]", at, title, paragraph)

    def _read_paragraph(self, place: str, article: int, title: str, paragraph: Any) -> None:
        context = paragraph.get("context") if isinstance(paragraph, dict) else None
        if not isinstance(context, str) or not context.strip():
            self._refuse(place, "no text under 'context'")
            return
        if SURROGATE.search(context):
            self._refuse(place, "half of a character (a lone surrogate) in 'context'")
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
        if SURROGATE.search(question):
            self._refuse(place, "half of a character (a lone surrogate) in 'question'")
            return
        identifier = _clean(str(qa.get("id") or place))
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
    for entry in given:
        text = entry.get("text") if isinstance(entry, dict) else None
        start = entry.get("answer_start") if isinstance(entry, dict) else None
        if not isinstance(text, str) or not isinstance(start, int) or isinstance(start, bool):
            problem = problem or "an answer needs 'text' and a whole number 'answer_start'"
        elif not text.strip():
            problem = problem or "an answer is empty"
        elif start < 0 or context[start : start + len(text)] != text:
            excerpt = context[max(0, start) : max(0, start) + len(text)]
            problem = problem or f"the answer {text[:60]!r} is not at {start}, where {excerpt[:60]!r} stands"
        else:
            good.append(_stripped(text, start))
    return tuple(good), problem


def _stripped(text: str, start: int) -> Answer:
    bare = text.strip()
    return Answer(bare, start + text.index(bare))


def _clean(text: str) -> str:
    return SURROGATE.sub("\ufffd", text)


def _told(refused: RefusedQuestion) -> str:
    return f"{refused.place}: {refused.reason}"


def write_squad(data: ReadingSet) -> bytes:
    """A JSON in SQuAD 2.0's form, UTF-8, that `read_squad` reads back as this set.

    All passages are written, an article's together, in the order of the articles' first passages,
    and each passage's questions with it. So three things may be numbered or ordered anew: articles
    that were not 0, 1, 2 ..., passages if those of an article did not follow one another, and
    questions that did not stand in the order of their passages. An article has the title of its
    first passage; an id that comes again gets a number behind it.
    """
    articles: dict[int, list[int]] = {}
    for at, passage in enumerate(data.passages):
        articles.setdefault(passage.article, []).append(at)
    questions: list[list[dict[str, Any]]] = [[] for _ in data.passages]
    for identifier, question in zip(_distinct_ids(data.questions), data.questions):
        questions[question.passage].append(_qa(identifier, question))
    given = [
        {
            "title": data.passages[places[0]].title,
            "paragraphs": [{"context": data.passages[at].text, "qas": questions[at]} for at in places],
        }
        for places in articles.values()
    ]
    return json.dumps({"version": "v2.0", "data": given}, ensure_ascii=False).encode("utf-8")


def _qa(identifier: str, question: Question) -> dict[str, Any]:
    return {
        "id": identifier,
        "question": question.text,
        "answers": [{"text": answer.text, "answer_start": answer.start} for answer in question.answers],
        "is_impossible": not question.answerable,
    }


def _distinct_ids(questions: Sequence[Question]) -> list[str]:
    """The ids in order, each that came before as "id (2)", "id (3)" and so on."""
    taken: dict[str, None] = {}  # in order
    for question in questions:
        names = chain((question.id,), (f"{question.id} ({number})" for number in count(2)))
        taken[next(name for name in names if name not in taken)] = None
    return list(taken)
