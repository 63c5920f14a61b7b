"""Word vectors of a fastText model as Facebook's program saves it (.bin).

A word's vector is the mean of its own row and the rows of its subwords, as fastText's `getWordVector`
and gensim's `load_facebook_vectors` give it (Bojanowski et al. 2017, section 3.2). The table is mapped, so
only the rows that are asked for are read, and every size is checked against the file before.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.training.events import Training
from tl_core.vectors.files.rows import FLOAT_BYTES, WIDEST, ReadVectors, RowCollector
from tl_core.vectors.files.stream import VectorFile, read_progress, size_text, unpack_events
from tl_core.whole_files import scratch_folder

MAGIC = struct.pack("<i", 793712314)
START = "<2i 12i d 3i 2q"  # magic, version; settings; words with labels, words, labels, tokens, pruned
ENTRY_BYTES = 9  # count and kind of a word, behind its NUL
TABLE = "<?2q"  # quantised or not, rows, width
LONGEST_WORD = 4 * 2**10  # bytes
LONGEST_SUBWORD = 100  # letters
CHUNK_WORDS = 1_000
PIECE_ROWS = 1_000  # of one word's subwords taken at once
END_OF_LINE = b"</s>"  # fastText gives it no subwords
SUBWORDS_NOTE = (
    "Words outside the list cannot be made from their subwords here: only the listed words are kept."
)


@dataclass(frozen=True, slots=True)
class _Model:
    """The model by its header: W words and B buckets of width D, subwords of `shortest` to `longest` letters."""

    words: int
    buckets: int
    width: int
    shortest: int
    longest: int


def read_fasttext_events(file: VectorFile) -> Training[ReadVectors]:
    """The words of a fastText model and their vectors; DataError if it is cut off, damaged, or not of that kind."""
    with scratch_folder() as folder:
        plain = yield from unpack_events(file, folder)
        rows, has_subwords = yield from _collected(file, plain)
    if has_subwords:
        rows.note(SUBWORDS_NOTE)
    return rows.result()


def _collected(file: VectorFile, plain: Path) -> Training[tuple[RowCollector, bool]]:
    """The rows of a mapped model, and whether it has subwords; what is mapped is let go with this call."""
    with (
        plain.open("rb") as model_file,
        mmap.mmap(model_file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        parser = _Parser(file.name, content)
        model = parser.model()
        rows = RowCollector(file, "fastText binary", model.width, "word", declared=model.words)
        rows.expect(model.words)
        raw = list(parser.words(model.words))
        table_at = parser.table(model)
    shape = (model.words + model.buckets, model.width)
    table = np.asarray(np.memmap(plain, dtype="<f4", mode="r", offset=table_at, shape=shape))
    for begin in range(0, model.words, CHUNK_WORDS):
        chunk = raw[begin : begin + CHUNK_WORDS]
        for part in rows.parts(len(chunk)):
            vectors = _mean_rows(table, begin + part.start, chunk[part], model)
            rows.add(rows.decode(chunk[part]), vectors, begin + part.start + 1)
        yield read_progress(file, plain, (begin + len(chunk)) / model.words)
        if rows.more:
            break
    return rows, bool(model.longest)


class _Parser:
    """Goes through the file's parts in their order (dictionary.cc and matrix.cc of fastText 0.9)."""

    def __init__(self, name: str, content: mmap.mmap) -> None:
        self.name, self.content, self.size = name, content, len(content)
        self.at = 0

    def model(self) -> _Model:
        """The model by its header, checked against the size of the file."""
        _, _, *settings, _, listed, words, labels, _, pruned = self._take(START)
        width, buckets, shortest, longest = settings[0], *settings[8:11]
        if labels > 0:
            raise DataError(
                "{name} is a fastText classifier with {labels:,} labels, not word vectors. "
                "Load a model that was trained with 'skipgram' or 'cbow'.",
                name=self.name,
                labels=labels,
            )
        if pruned > 0:
            raise self._quantised()
        longest = longest if shortest <= longest and buckets else 0
        if words < 1 or listed != words or not 1 <= width <= WIDEST or min(buckets, shortest, longest) < 0:
            raise self._damaged(
                f"its header says {words:,} words of width {width:,} and {buckets:,} subword rows"
            )
        if longest > LONGEST_SUBWORD:
            raise self._damaged(f"its header says subwords of up to {longest:,} letters")
        least = words * (2 + ENTRY_BYTES) + (words + buckets) * width * FLOAT_BYTES
        if self.at + least > self.size:
            raise DataError(
                "{name} is cut off, or its header is wrong: {words:,} words and {buckets:,} subword rows of "
                "width {width:,} need {size}, but the file has {whole_size}. "
                "Load the whole file anew.",
                name=self.name,
                words=words,
                buckets=buckets,
                width=width,
                size=size_text(self.at + least),
                whole_size=size_text(self.size),
            )
        return _Model(words, buckets, width, shortest, longest)

    def words(self, count: int) -> Iterator[bytes]:
        """The words as they stand."""
        for number in range(1, count + 1):
            end = self.content.find(b"\0", self.at, self.at + LONGEST_WORD)
            if end < 0:
                raise self._damaged(f"word {number:,} of {count:,} has no end")
            yield self.content[self.at : end]
            self.at = end + 1 + ENTRY_BYTES

    def table(self, model: _Model) -> int:
        """The place where the rows of words and subwords begin, once both tables were found whole."""
        begin = self._skip_table(model.words + model.buckets, model.width)
        self._skip_table(None, model.width)
        return begin

    def _skip_table(self, expected: int | None, width: int) -> int:
        quantised, rows, columns = self._take(TABLE)
        if quantised:
            raise self._quantised()
        if columns != width or rows < 0 or (expected is not None and rows != expected):
            raise self._damaged(f"it holds a table of shape ({rows}, {columns})")
        begin = self.at
        self.at += rows * columns * FLOAT_BYTES
        if self.at > self.size:
            raise self._cut_off()
        return begin

    def _take(self, layout: str) -> tuple[int, ...]:
        if self.at + struct.calcsize(layout) > self.size:
            raise self._cut_off()
        taken = struct.unpack_from(layout, self.content, self.at)
        self.at += struct.calcsize(layout)
        return taken

    def _cut_off(self) -> DataError:
        return DataError(
            "{name} is cut off: it ends after {size}, within its tables. Load the whole file anew.",
            name=self.name,
            size=size_text(self.size),
        )

    def _damaged(self, why: str) -> DataError:
        return DataError(
            "{name} is a damaged fastText model: {why}. Load it anew from where it came.",
            name=self.name,
            why=why,
        )

    def _quantised(self) -> DataError:
        return DataError(
            "{name} is a compressed fastText model (.ftz), whose vectors are only approximate. "
            "Load the .bin or the .vec file.",
            name=self.name,
        )


def _mean_rows(
    table: NDArray[np.float32], first: int, raw: Sequence[bytes], model: _Model
) -> NDArray[np.float32]:
    """The vectors (n, D) of n words, the first of which has row `first`."""
    from gensim.models.fasttext import ft_hash_bytes

    vectors = np.empty((len(raw), model.width), dtype=np.float32)
    for at, word in enumerate(raw):
        places = [first + at]
        if model.longest and word != END_OF_LINE:
            subwords = _subwords(b"<" + word + b">", model.shortest, model.longest)
            places.extend(model.words + ft_hash_bytes(subword) % model.buckets for subword in subwords)
        pieces = range(0, len(places), PIECE_ROWS)
        vectors[at] = sum(table[places[begin : begin + PIECE_ROWS]].sum(axis=0) for begin in pieces)
        vectors[at] /= len(places)
    return vectors


def _subwords(word: bytes, shortest: int, longest: int) -> Iterator[bytes]:
    """The character n-grams of a word with its marks < and >, those marks alone left out (dictionary.cc)."""
    starts = [
        at for at, byte in enumerate(word) if byte & 0xC0 != 0x80
    ]  # where a letter begins, also if broken
    ends = [*starts[1:], len(word)]
    letters = len(starts)
    for begin in range(letters):
        for length in range(max(1, shortest), min(longest, letters - begin) + 1):
            if length > 1 or 0 < begin < letters - 1:
                yield word[starts[begin] : ends[begin + length - 1]]
