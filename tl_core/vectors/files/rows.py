"""Content of a file of word vectors: words and rows, collected a block at a time and checked on the way.

Knows no form of file. Memory grows with what came, never with what a header promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.vectors.files.stream import VectorFile, size_text

QUOTED_CHARACTERS = 20
FORBIDDEN = {"\n": "a line end", "\r": "a line end", "\t": "a tab", "\0": "a NUL"}
FLOAT_BYTES = 4
WIDEST = 100_000  # numbers in a row of a binary; wider ones come from wrong headers only


@dataclass(frozen=True, slots=True)
class Header:
    """A first line: V words of width D; `size` is its length in bytes."""

    words: int
    width: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class ReadVectors:
    """V different words and their rows (V, D), with the form they came in and what the person should know."""

    words: list[str]
    rows: NDArray[np.float32]
    form: str
    notes: tuple[str, ...]


class RowCollector:
    """Takes rows as they come: leaves duplicates out, stops at the first `top` words, keeps to the limit.

    `unit` is what the rows are counted by in messages ("line", "word", "row"); `declared` is how
    many words a header promises.
    """

    def __init__(
        self, file: VectorFile, form: str, width: int, unit: str, *, declared: int | None = None
    ) -> None:
        self.file, self.form, self.width, self.unit, self.declared = file, form, width, unit, declared
        self.words: list[str] = []
        self.seen = 0  # rows that came, with the duplicates
        self.more = False  # whether rows were left because `top` was reached
        self._known: set[str] = set()
        self._floats = bytearray()
        self._duplicates, self._broken = _Tally("duplicate word"), _Tally("word")
        self._notes: list[str] = []

    def expect(self, words: int, *, about: bool = False) -> None:
        """DataError if so many words, or the first `top` of them, are more than are kept in memory."""
        wanted = words if self.file.top is None else min(words, self.file.top)
        needed = wanted * self.width * FLOAT_BYTES
        if needed > self.file.most_bytes:
            self._refuse_size(f"{'about ' if about else ''}{wanted:,}", f"need {size_text(needed)}")

    def parts(self, count: int) -> Iterator[slice]:
        """The slices of the next `count` rows to add one by one, none longer than there is room for."""
        at = 0
        while at < count:
            room = count if self.file.top is None else self.file.top - len(self.words)
            if not room:
                self.more = True
                return
            part = slice(at, min(count, at + room))
            yield part
            at = part.stop

    def decode(self, raw: Sequence[bytes]) -> list[str]:
        """The words of a binary file; bytes that are not UTF-8 become U+FFFD, and are noted."""
        try:
            return [word.decode("utf-8") for word in raw]
        except UnicodeDecodeError:
            words = [word.decode("utf-8", "replace") for word in raw]
        for text, word in zip(words, raw, strict=True):
            if not _is_utf8(word):
                self._broken.count(text)
        return words

    def add(self, words: Sequence[str], rows: NDArray[np.float32], first: int) -> None:
        """Add rows (n, D) of n words, the first of which is the file's line, word or row number `first`."""
        check_words(words, self.file.name, self.unit, first)
        self._check_finite(words, rows, first)
        self.seen += len(words)
        if len(set(words)) < len(words) or not self._known.isdisjoint(words):
            fresh = self._fresh(words)
            words, rows = [words[at] for at in fresh], rows[fresh]
        if (len(self.words) + len(words)) * self.width * FLOAT_BYTES > self.file.most_bytes:
            limit = self.file.most_bytes // (self.width * FLOAT_BYTES)
            self._refuse_size(f"more than {limit:,}", f"need more than {size_text(self.file.most_bytes)}")
        self._known.update(words)
        self.words.extend(words)
        self._floats += rows.tobytes()

    def note(self, text: str) -> None:
        self._notes.append(text)

    def result(self) -> ReadVectors:
        """The words and rows that came; DataError if there are none, or if most words came twice or broken."""
        name = self.file.name
        if not self.words:
            raise DataError(
                "{name} holds no word. Load a file with a word and its numbers a line.", name=name
            )
        if 2 * self._duplicates.number > self.seen:
            raise DataError(
                "{name}: {number:,} of {seen:,} words stand in the file before "
                "(first: {text}), so it is no file of word vectors. "
                "Each word must have one row.",
                name=name,
                number=self._duplicates.number,
                seen=self.seen,
                text=quoted(self._duplicates.first),
            )
        if 2 * self._broken.number > self.seen:
            raise DataError(
                "{name}: {number:,} of {seen:,} words are not UTF-8. The file is damaged, or its "
                "header is wrong (it says vectors of width {width:,}). Load it anew from where it came.",
                name=name,
                number=self._broken.number,
                seen=self.seen,
                width=self.width,
            )
        rows = np.frombuffer(self._floats, dtype=np.float32).reshape(-1, self.width)
        return ReadVectors(self.words, rows, self.form, (*self._told(), *self._notes))

    def _told(self) -> Iterator[str]:
        if self.more:
            whole = self.declared and self.declared > len(self.words)
            of = f"of {self.declared:,} words were taken." if whole else "words were taken; the file goes on."
            yield f"The first {len(self.words):,} {of}"
        if self._duplicates.number:
            first = quoted(self._duplicates.first)
            yield f"{self._duplicates} left out (first: {first}), the first row of each is kept."
        if self._broken.number:
            first = quoted(self._broken.first)
            yield f"{self._broken} not UTF-8, broken bytes stand as \ufffd (first: {first})."

    def _fresh(self, words: Sequence[str]) -> list[int]:
        """The places of words that did not come before; the others are counted."""
        fresh: dict[str, int] = {}
        for at, word in enumerate(words):
            if word in self._known or word in fresh:
                self._duplicates.count(word)
            else:
                fresh[word] = at
        return list(fresh.values())

    def _check_finite(self, words: Sequence[str], rows: NDArray[np.float32], first: int) -> None:
        finite = np.isfinite(rows)
        if finite.all():
            return
        row, column = (int(places[0]) for places in np.nonzero(~finite))
        raise DataError(
            "{file}, {unit} {first}: value {column} of {text} is "
            "{problem}. "
            "Vectors must be of finite numbers: leave the word out, or make the file anew.",
            file=self.file.name,
            unit=self.unit,
            first=first + row,
            column=column + 1,
            text=quoted(words[row]),
            problem="NaN" if np.isnan(rows[row, column]) else "infinite, or too large for 32 bits",
        )

    def _refuse_size(self, words: str, need: str) -> None:
        most = self.file.most_bytes
        fit = most // (self.width * FLOAT_BYTES)
        fit -= fit % 1000 if fit > 1000 else 0
        cure = (
            f"Take the first {fit:,} words (top), or fewer."
            if fit
            else "No file of such a width can be read."
        )
        raise DataError(
            "{file}: {words} words of width {width:,} {need} of memory, and at most {size} are kept. {cure}",
            file=self.file.name,
            words=words,
            width=self.width,
            need=need,
            size=size_text(most),
            cure=cure,
        )


class _Tally:
    """The number of words that were so, and the first of them."""

    def __init__(self, noun: str) -> None:
        self.noun, self.number, self.first = noun, 0, ""

    def count(self, word: str) -> None:
        self.first = self.first if self.number else word
        self.number += 1

    def __str__(self) -> str:
        return f"{self.number:,} {self.noun}{' was' if self.number == 1 else 's were'}"


def check_words(words: Sequence[str], name: str, unit: str, first: int) -> None:
    """DataError, with the place, if a word is empty or holds a line end, a tab or a NUL."""
    joined = "\n".join(words)
    others = (character in joined for character in FORBIDDEN if character != "\n")
    if "" not in words and joined.count("\n") == max(0, len(words) - 1) and not any(others):
        return
    for at, word in enumerate(words):
        place = f"{name}, {unit} {first + at}"
        if not word:
            raise DataError(
                "{place}: the word is empty. Each row needs a word before its numbers.", place=place
            )
        for character, kind in FORBIDDEN.items():
            if character in word:
                raise DataError(
                    "{place}: the word {text} holds {kind}. A word may hold any character but line ends, "
                    "tabs and NULs: leave it out, or load the file anew if it is damaged.",
                    place=place,
                    text=quoted(word),
                    kind=kind,
                )


def decode_lines(lines: Sequence[bytes], name: str, first: int) -> list[str]:
    """Words without line ends as text; DataError with the line of the first that is not UTF-8."""
    try:
        return b"\n".join(lines).decode("utf-8").split("\n") if lines else []
    except UnicodeDecodeError:
        at = next(at for at, line in enumerate(lines) if not _is_utf8(line))
        raise DataError(
            "{name}, line {first}: {text} is not UTF-8. Save the file as UTF-8 text.",
            name=name,
            first=first + at,
            text=quoted(lines[at]),
        ) from None


def quoted(text: str | bytes) -> str:
    """A word or a value for an error sentence, in quotes, at most 20 characters of it."""
    shown = text[: 4 * QUOTED_CHARACTERS].decode("utf-8", "replace") if isinstance(text, bytes) else text
    cut = len(shown) > QUOTED_CHARACTERS
    return repr(shown[:QUOTED_CHARACTERS]) + ("..." if cut else "")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
