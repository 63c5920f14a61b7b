"""Sets that word vectors are tested with: analogies `a b c d`, or pairs of words that people scored.

The Google analogies (Mikolov et al. 2013, arXiv 1301.3781), WordSim-353 (Finkelstein et al. 2002) and
SimLex-999 (Hill et al. 2015) lie in gensim's wheel; gensim itself is not imported.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass

from tl_core.data import decoding
from tl_core.data.decoding import BROKEN, decode
from tl_core.data.unpacking import inflate
from tl_core.errors import DataError
from tl_core.packages import package_folder

LARGEST_FILE = 5_000_000  # bytes, unpacked
MOST_ROWS = 200_000  # questions or pairs
LONGEST_SHOWN = 60
DELIMITERS = (
    "\t",
    ";",
    ",",
    None,
)  # None is any white space; of those that give three cells the first counts
BUNDLED = {
    "google": "questions-words.txt",
    "wordsim353": "wordsim353.tsv",
    "simlex999": "simlex999.txt",
}
ANALOGY_FORM = "': section' lines, then four words a line with spaces between (Athens Greece Oslo Norway)"
SIMILARITY_FORM = (
    "two words and a number a line, parted by tabs, semicolons, commas or spaces (tiger,cat,7.35)"
)
SAVE = "Save it as plain text in UTF-8 and upload that file."

Line = tuple[int, str]  # its number from 1, and what it holds
Quadruple = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class AnalogySection:
    """Questions (a, b, c, d) of one relation: a is to b as c is to d."""

    name: str
    questions: tuple[Quadruple, ...]


@dataclass(frozen=True, slots=True)
class AnalogySet:
    """Analogy questions by section, none of them empty."""

    name: str
    sections: tuple[AnalogySection, ...]

    @property
    def total(self) -> int:
        return sum(len(section.questions) for section in self.sections)


@dataclass(frozen=True, slots=True)
class SimilaritySet:
    """Pairs (word, word, score); a higher score means more alike, on any scale."""

    name: str
    pairs: tuple[tuple[str, str, float], ...]

    @property
    def total(self) -> int:
        return len(self.pairs)


def read_bundled(name: str) -> AnalogySet | SimilaritySet:
    """A set that comes with gensim; DataError for any other name, or if its file is missing."""
    if name not in BUNDLED:
        raise DataError(
            "{name!r} is not a set that comes with gensim; choose one of: {bundled}.",
            name=name,
            bundled=", ".join(BUNDLED),
        )
    folder = package_folder("gensim")
    if folder is None:
        raise DataError(
            "The set {name} lies in gensim, which is not installed here: pip install gensim.", name=name
        )
    path = folder / "test" / "test_data" / BUNDLED[name]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(
            "{path} cannot be read ({reason}). Reinstall gensim, or upload the set as a file.",
            path=path,
            reason=error.strerror,
        ) from error
    return read_quality(content, name)


def read_quality(content: bytes, name: str) -> AnalogySet | SimilaritySet:
    """The questions or pairs of a file's content, plain or gzip; its lines tell which of the two it holds.

    DataError, with the line, for one that is neither; at most 5 MB and 200,000 questions or pairs are read.
    """
    plain = inflate(content, name, LARGEST_FILE)
    if len(plain) > LARGEST_FILE:
        raise DataError(
            "{name} has {plain:,.1f} MB; at most {largest_file:.0f} are read. Upload a part of it.",
            name=name,
            plain=len(plain) / 1000000.0,
            largest_file=LARGEST_FILE / 1000000.0,
        )
    lines = list(_lines(plain, name))
    first = next((line for line in lines if line[1][0] not in "#:"), None)
    if first is None:
        raise DataError(
            "{name} holds no words. It may hold analogies: {analogy_form}; or pairs: {similarity_form}.",
            name=name,
            analogy_form=ANALOGY_FORM,
            similarity_form=SIMILARITY_FORM,
        )
    if any(text[0] == ":" for _, text in lines):
        return AnalogySet(name, _sections(lines, name, mark=":"))
    for delimiter in DELIMITERS:
        if len(_cells(first[1], delimiter)) == 3:
            return SimilaritySet(name, _pairs(lines, name, delimiter))
    words = first[1].split()
    if len(words) == 4 and _number(words[3]) is None:  # Korean sets name their sections by lines with a #
        return AnalogySet(name, _sections(lines, name, mark="#"))
    raise _refused(name, first, f"must hold analogies: {ANALOGY_FORM}; or pairs: {SIMILARITY_FORM}")


def _lines(plain: bytes, name: str) -> Iterator[Line]:
    """The lines that are not blank, without white space around them."""
    try:
        source = decode(plain, name)
    except DataError as error:
        raise DataError(str(error).replace(decoding.SAVE, SAVE)) from None
    for number, line in enumerate(source.lines(), start=1):
        if BROKEN.search(line):
            raise DataError(
                "{name}, line {number}: bytes that are not UTF-8. {save}", name=name, number=number, save=SAVE
            )
        if text := line.strip():
            yield number, text


def _sections(lines: list[Line], name: str, mark: str) -> tuple[AnalogySection, ...]:
    """Sections are named in lines that begin with `mark`; questions before any are named after the file."""
    sections: list[tuple[str, list[Quadruple]]] = [(name, [])]
    for number, text in lines:
        if text[0] == mark:
            sections.append((text.lstrip(mark).strip() or f"section {len(sections)}", []))
        elif text[0] != "#":
            words = text.split()
            if len(words) != 4:
                raise _refused(name, (number, text), "must be four words with spaces between")
            sections[-1][1].append((words[0], words[1], words[2], words[3]))
    _check_count(name, sum(len(questions) for _, questions in sections), "questions")
    return tuple(AnalogySection(title, tuple(questions)) for title, questions in sections if questions)


def _pairs(lines: list[Line], name: str, delimiter: str | None) -> tuple[tuple[str, str, float], ...]:
    """The pairs; a first line with a word in the number's place is a header."""
    pairs: list[tuple[str, str, float]] = []
    rows = [line for line in lines if line[1][0] != "#"]
    for at, (number, text) in enumerate(rows):
        cells = _cells(text, delimiter)
        score = _number(cells[2]) if len(cells) == 3 and all(cells) else None
        if score is not None:
            pairs.append((cells[0], cells[1], score))
        elif at or len(cells) != 3 or not cells[2][:1].isalpha():
            raise _refused(name, (number, text), f"must be {SIMILARITY_FORM}. Leave other columns out")
    _check_count(name, len(pairs), "pairs")
    return tuple(pairs)


def _cells(text: str, delimiter: str | None) -> list[str]:
    """The parts of a line; one that csv refuses (a cell of 131,072 characters) is a single part."""
    if delimiter is None:
        return text.split()
    try:
        return [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter))]
    except csv.Error:
        return [text]


def _number(cell: str) -> float | None:
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _check_count(name: str, count: int, what: str) -> None:
    if not count:
        raise DataError(
            "{name} holds no {what}, only headings. Upload a file that has some.", name=name, what=what
        )
    if count > MOST_ROWS:
        raise DataError(
            "{name} has {count:,} {what}; at most {most_rows:,} are read. Upload a part of it.",
            name=name,
            count=count,
            what=what,
            most_rows=MOST_ROWS,
        )


def _refused(name: str, line: Line, rule: str) -> DataError:
    number, text = line
    shown = text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
    return DataError(
        "{name}, line {number}: '{shown}' {rule}.", name=name, number=number, shown=shown, rule=rule
    )
