"""The lecture's form of reading comprehension: a line an example, already cut into tokens.

`[CLS] question [SEP] passage [SEP]` TAB start TAB end; tokens stand one space apart and are
counted from [CLS] = 0; start and end, both included, are the answer's tokens in the passage.
`0` and `0` mean that the passage does not answer the question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tl_core.data import decoding
from tl_core.data.decoding import BROKEN, LONGEST_LINE, Source, decode
from tl_core.data.reading import Answer, Passage, Question, ReadingSet, RefusedQuestion
from tl_core.errors import DataError

LECTURE_FORM = (
    "a lecture file has an example a line: [CLS] question [SEP] passage [SEP], tokens one space apart, "
    "then TAB, the answer's first token, TAB, its last, counted from [CLS] = 0"
)
MOST_LINES = 1_000_000
SAMPLE_TOKENS = 200_000  # of the file's beginning, by which the kind of its tokens is told
SPACE = "_"  # among character tokens
GLUED = "##"  # before a word piece that belongs to the one before
FEWEST_SPACES = 0.02  # share of `_` from which it stands for a space; Korean has about 0.25
FEWEST_SINGLE = 0.9  # share of tokens of one character from which all are characters
SPECIAL = frozenset(("[CLS]", "[SEP]", "[PAD]", "[UNK]"))
HANGUL = re.compile("[\uac00-\ud7a3]")
SAVE = "Save it as plain text in UTF-8 and upload that file."

Rebuild = Callable[[Sequence[str]], list[str]]  # tokens -> their parts of the text, in order


class _Unusable(Exception):
    """The reason why a line is refused."""


@dataclass(frozen=True, slots=True)
class _Example:
    question: str
    passage: str
    answer: Answer | None


def read_lecture(content: bytes, name: str) -> ReadingSet:
    """The questions of a file in the lecture's form, in time linear in its size.

    The text is rebuilt from character tokens (`_` is a space) or from words and word pieces; the
    file's beginning tells which. Lines with the same passage share it; each passage is an article
    of its own. A line that cannot be used is refused by its number; DataError if all are.
    """
    try:
        source = decode(content, name)
    except DataError as error:
        raise DataError(str(error).replace(decoding.SAVE, SAVE)) from None
    rebuild = _characters if _holds_characters(source) else _words
    passages: dict[str, int] = {}
    questions: list[Question] = []
    refused: list[RefusedQuestion] = []
    for number, line in _numbered(source):
        try:
            example = _example(line, rebuild)
        except _Unusable as reason:
            refused.append(RefusedQuestion(f"line {number}", str(reason)))
            continue
        place = passages.setdefault(example.passage, len(passages))
        answers = (example.answer,) if example.answer else ()
        questions.append(Question(f"{name} line {number}", example.question, place, answers))
    if not questions:
        first = f" The first refused: {refused[0].place}: {refused[0].reason}." if refused else ""
        raise DataError(
            "{name} holds no usable line; {lecture_form}.{first}",
            name=name,
            lecture_form=LECTURE_FORM,
            first=first,
        )
    texts = tuple(Passage(text, article) for text, article in passages.items())
    return ReadingSet(name, texts, tuple(questions), tuple(refused))


def _numbered(source: Source) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, numbered from 1 with the blank ones counted."""
    number = 1
    for line in source.lines():  # a line beyond LONGEST_LINE comes in pieces, only the last with its end
        if number > MOST_LINES:
            raise DataError(
                "{source} has more than {most_lines:,} lines. Upload a part of it.",
                source=source.name,
                most_lines=MOST_LINES,
            )
        if not line.isspace():
            yield number, line
        number += line.endswith("\n")


def _holds_characters(source: Source) -> bool:
    """Whether tokens are characters: most are one long, and `_` is common among them or Hangul is cut so.

    A lone `_` does not make word pieces characters.
    """
    total = single = spaces = hangul = hangul_single = 0
    for line in source.lines():
        tokens = [token for token in line.partition("\t")[0].split() if token not in SPECIAL]
        short = sum(len(token) == 1 for token in tokens)
        total += len(tokens)
        single += short
        spaces += tokens.count(SPACE)
        if HANGUL.search(line):
            hangul += len(tokens)
            hangul_single += short
        if total > SAMPLE_TOKENS:
            break
    if spaces and spaces >= FEWEST_SPACES * total and 2 * single > total:
        return True
    return hangul > 0 and hangul_single >= FEWEST_SINGLE * hangul


def _is_glued(token: str) -> bool:
    return token.startswith(GLUED) and len(token) > len(GLUED)


def _characters(tokens: Sequence[str]) -> list[str]:
    return [" " if token == SPACE else token for token in tokens]


def _words(tokens: Sequence[str]) -> list[str]:
    return [token[len(GLUED) :] if _is_glued(token) else f" {token}" for token in tokens]


def _example(line: str, rebuild: Rebuild) -> _Example:
    """The example of one line; _Unusable says why there is none."""
    if len(line) >= LONGEST_LINE:
        raise _Unusable(f"a line of {LONGEST_LINE:,} characters or more")
    if not line.isascii() and BROKEN.search(line):
        raise _Unusable("bytes that are not UTF-8")
    cells = line.rstrip("\r\n").split("\t", 3)
    if len(cells) != 3:
        tabs = {1: "no TAB", 2: "one TAB"}.get(len(cells), "more than two TABs")
        raise _Unusable(f"{tabs}; a line has its tokens, TAB, start, TAB, end")
    tokens = cells[0].strip(" ").split(" ")
    first, second = _separators(tokens)
    question = "".join(rebuild(tokens[1:first])).strip()
    parts = rebuild(tokens[first + 1 : second])
    text = "".join(parts)
    if not question or not text.strip():
        raise _Unusable("no question" if not question else "no passage")
    start, end = _token_number(cells[1]), _token_number(cells[2])
    if start == end == 0:
        return _Example(question, text.strip(), None)
    if start > end:
        raise _Unusable(f"the start {start} lies behind the end {end}")
    if not first < start <= end < second:
        raise _Unusable(
            f"tokens {start} to {end} are not in the passage, which has {first + 1} to {second - 1}"
        )
    return _Example(question, text.strip(), _answer(parts, start - first - 1, end - first))


def _separators(tokens: Sequence[str]) -> tuple[int, int]:
    """The places of the first and the second [SEP]; _Unusable if the line is not built of them."""
    if tokens[0] != "[CLS]":
        raise _Unusable("it does not begin with [CLS]")
    if "" in tokens:
        raise _Unusable("two spaces in a row, so that its tokens cannot be counted")
    places = [at for at, token in enumerate(tokens) if token == "[SEP]"]
    if len(places) != 2:
        raise _Unusable(f"{len(places)} [SEP]; a line has two, behind the question and behind the passage")
    if any(token != "[PAD]" for token in tokens[places[1] + 1 :]):
        raise _Unusable("tokens behind the second [SEP]")
    return places[0], places[1]


def _token_number(cell: str) -> int:
    digits = cell.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 10):
        raise _Unusable(f"{digits[:20]!r} where the number of a token should stand")
    return int(digits)


def _answer(parts: Sequence[str], start: int, end: int) -> Answer:
    """The answer made of parts[start:end], its place counted in the passage without outer white space."""
    text = "".join(parts)
    outer = len(text) - len(text.lstrip())
    before = sum(map(len, parts[:start]))
    given = "".join(parts[start:end])
    bare = given.strip()
    if not bare:
        raise _Unusable("the answer is nothing but white space")
    return Answer(bare, before + given.index(bare) - outer)
