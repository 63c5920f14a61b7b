"""Word vectors as text: a word and its numbers a line, parted by single spaces (GloVe, word2vec, fastText .vec).

A word may hold spaces (". . ." in GloVe 840B), so the last D fields of a line are its numbers.
Numbers are parsed a block of lines at a time; only a block that does not parse is looked at line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.training.events import Training
from tl_core.vectors.files.rows import Header, ReadVectors, RowCollector, check_words, decode_lines, quoted
from tl_core.vectors.files.stream import VectorFile, VectorStream, size_text

BOM = b"\xef\xbb\xbf"
LONGEST_LINE = 4 * 2**20  # bytes
SAMPLE_LINES = 100
ESTIMATE_MARGIN = 1.5  # the first lines may be longer or shorter than the others
NUMBER = re.compile(rb"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)", re.IGNORECASE)
SPACE_BETWEEN = (b"  ", b"\t", b"\r", b"\v", b"\f")  # what NumPy would skip, but is not one space
FORMS = (
    "Read are GloVe text (a word and its numbers a line, parted by single spaces), word2vec text and fastText .vec "
    "(the same under a line 'words width'), word2vec binary, fastText .bin, and a NumPy .npy with a word list"
)


def read_text_events(file: VectorFile, head: bytes, header: Header | None) -> Training[ReadVectors]:
    """The words and rows of a text, with a header (word2vec) or without (GloVe); DataError with the line."""
    form = "word2vec text" if header else "GloVe text"
    width = header.width if header else _learn_width(head, file.name)
    lines_of = _LineParser(file.name, width, "the header says" if header else "the other lines have")
    rows = RowCollector(file, form, width, "line", declared=header.words if header else None)
    with VectorStream(file) as stream:
        if header and header.words * (2 * width + 2) <= stream.plain_bound:
            rows.expect(header.words)
        for first, lines in line_blocks(stream, file.name, strip=b" \r"):
            if first == 1 and header:
                first, lines = 2, lines[1:]
            elif first == 1 and not stream.packed:
                _expect_about(rows, stream, lines)
            for part in rows.parts(len(lines)):
                _check_count(rows, header, first + part.start, part.stop - part.start)
                words, values = lines_of.parse(lines[part], first + part.start)
                rows.add(words, values, first + part.start)
            yield stream.progress
            if rows.more:
                break
    if header and rows.seen < header.words and not rows.more:
        raise DataError(
            "{file}: the header (line 1) says {words:,} words of width {width:,}, but the file ends "
            "after line {seen:,} with {rows:,}. Load the whole file, or mend its first line.",
            file=file.name,
            words=header.words,
            width=width,
            seen=rows.seen + 1,
            rows=rows.seen,
        )
    return rows.result()


def line_blocks(stream: VectorStream, name: str, *, strip: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Lines a block at a time with the number of the first (from 1), without the empty ones at the end.

    `strip` are the bytes taken off at a line's end; DataError for a line that is empty or too long.
    """
    rest, number, empty = b"", 1, 0
    block = stream.read_block().removeprefix(BOM)
    while block or rest:
        lines = (rest + block).split(b"\n")
        rest = lines.pop() if block else b""
        if len(rest) > LONGEST_LINE:
            raise DataError(
                "{name}, line {number} has more than {size}. {forms}.",
                name=name,
                number=number + empty + len(lines),
                size=size_text(LONGEST_LINE),
                forms=FORMS,
            )
        lines = [line.rstrip(strip) for line in lines]
        kept = len(lines)
        while kept and not lines[kept - 1]:
            kept -= 1
        if kept:
            if empty or b"" in lines[:kept]:
                at = number if empty else number + lines.index(b"")
                raise DataError(
                    "{name}, line {line} is empty. Each line needs a word; take the empty line out.",
                    name=name,
                    line=at,
                )
            yield number, lines[:kept]
            number += kept
        empty += len(lines) - kept
        block = stream.read_block()


def write_word2vec_text(path: Path, words: Sequence[str], rows: NDArray[np.float32]) -> None:
    """Write V words and their rows (V, D) as word2vec text, with the digits that give the same float32 back.

    Words with spaces are read back here, but not by every other program. DataError for a word
    that is empty or holds a line end, a tab or a NUL.
    """
    if rows.ndim != 2 or len(words) != len(rows) or not rows.size:
        raise DataError(
            "{words:,} words and rows of shape {shape}; there must be one row a word.",
            words=len(words),
            shape=rows.shape,
        )
    check_words(words, path.name, "word", 1)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(f"{len(words)} {rows.shape[1]}\n")
        for word, row in zip(words, rows, strict=True):
            out.write(f"{word} {' '.join(f'{value:#.9g}' for value in row.tolist())}\n")


class _LineParser:
    """Lines of a word and D numbers in, words and rows out."""

    def __init__(self, name: str, width: int, says: str) -> None:
        self.name, self.width, self.says = name, width, says

    def parse(self, lines: Sequence[bytes], first: int) -> tuple[list[str], NDArray[np.float32]]:
        """The words and rows (n, D) of n lines, of which `first` is the first one's number."""
        words, numbers = [], []
        for at, line in enumerate(lines):
            word, _, values = line.partition(b" ")
            if not values or values.count(b" ") != self.width - 1:
                word, values = self._split(line, first + at)
            words.append(word)
            numbers.append(values)
        rows = _parse_numbers(numbers, self.width)
        if rows is None:
            rows = self._scan(numbers, first)
        return decode_lines(words, self.name, first), rows

    def _split(self, line: bytes, number: int) -> tuple[bytes, bytes]:
        """The word and the last D fields of a line that has not one space for each number.

        A field before them that looks like one of the numbers is one too many: a word may end in a number
        ("apollo 11"), but not in one with a point or an exponent, nor where all values are whole numbers.
        """
        fields = line.rsplit(b" ", min(self.width, len(line)))
        if len(fields) <= self.width:
            self._refuse_count(number, len(fields) - 1)
        word = fields[0]
        _, space, last = word.rpartition(b" ")
        whole = all(field.lstrip(b"+-").isdigit() for field in fields[1:])
        if space and NUMBER.fullmatch(last) and (whole or not last.lstrip(b"+-").isdigit()):
            self._refuse_count(number, _trailing_numbers(line))
        return (word if word.strip(b" ") else b""), line[len(word) + 1 :]

    def _refuse_count(self, number: int, came: int) -> None:
        raise DataError(
            "{name}, line {number}: {came:,} values, but {says} {width:,}. "
            "Every line must be a word and as many numbers, parted by single spaces.",
            name=self.name,
            number=number,
            came=came,
            says=self.says,
            width=self.width,
        )

    def _scan(self, numbers: Sequence[bytes], first: int) -> NDArray[np.float32]:
        """The rows value by value; DataError with line and value of the first that is not a number."""
        rows = np.empty((len(numbers), self.width), dtype=np.float32)
        for at, values in enumerate(numbers):
            fields = values.split(b" ")
            for field in fields:
                if not NUMBER.fullmatch(field):
                    raise DataError(
                        "{name}, line {first}: {text} is not a number. Every line must be a word "
                        "and {width:,} numbers such as -0.25, parted by single spaces.",
                        name=self.name,
                        first=first + at,
                        text=quoted(field),
                        width=self.width,
                    )
            with np.errstate(over="ignore"):  # infinity is refused with its word later
                rows[at] = [float(field) for field in fields]
        return rows


def _parse_numbers(numbers: Sequence[bytes], width: int) -> NDArray[np.float32] | None:
    """The rows (n, D) of n strings of D fields; None if anything in them is not a number."""
    joined = b" ".join(numbers)
    if joined.startswith(b" ") or any(space in joined for space in SPACE_BETWEEN):
        return None
    try:
        flat = np.fromstring(joined, dtype=np.float32, sep=" ")
    except ValueError:
        return None
    return flat.reshape(-1, width) if len(flat) == len(numbers) * width else None


def _check_count(rows: RowCollector, header: Header | None, first: int, count: int) -> None:
    if header and rows.seen + count > header.words:
        line = first + header.words - rows.seen
        raise DataError(
            "{file}, line {line:,}: the header (line 1) says {words:,} words of width "
            "{width:,}, but more lines came. Mend the first line, or take the lines after it out.",
            file=rows.file.name,
            line=line,
            words=header.words,
            width=header.width,
        )


def _expect_about(rows: RowCollector, stream: VectorStream, lines: Sequence[bytes]) -> None:
    """Refuse a text without a header by its first lines, if its size says that it holds far too many words."""
    read = sum(map(len, lines)) + len(lines)
    words = round(stream.size / read * len(lines))
    if words > ESTIMATE_MARGIN * rows.file.most_bytes / (4 * rows.width):
        rows.expect(words, about=True)


def _learn_width(head: bytes, name: str) -> int:
    """D of a text without a header: how many numbers most of the first 100 lines end in, never their first field.

    Of two widths that are as frequent, the one that came first.
    """
    lines = [line.rstrip(b" \r") for line in head.removeprefix(BOM).split(b"\n")[:SAMPLE_LINES]]
    lines = [line for line in lines if line] or [b""]
    width = Counter(map(_trailing_numbers, lines)).most_common(1)[0][0]
    if width:
        return width
    if not any(b" " in line for line in lines):
        parted = next((delimiter for delimiter in (b"\t", b",", b";") if delimiter in lines[0]), b"")
        hint = f" Its fields seem to be parted by {quoted(parted)}." if parted else ""
        raise DataError(
            "{name} has only one column (line 1: {text}).{hint} {forms}.",
            name=name,
            text=quoted(lines[0]),
            hint=hint,
            forms=FORMS,
        )
    raise DataError(
        "{name}, line 1: {text} is not a word with its numbers. {forms}.",
        name=name,
        text=quoted(lines[0]),
        forms=FORMS,
    )


def _trailing_numbers(line: bytes) -> int:
    """In how many numbers a line ends; its first field is a word, whatever it is."""
    fields = line.split(b" ")[1:]
    return next((at for at, field in enumerate(reversed(fields)) if not NUMBER.fullmatch(field)), len(fields))
