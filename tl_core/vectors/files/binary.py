"""Word vectors in word2vec's binary form: a line "V D", then for each word its bytes, a space and D float32.

Numbers are little-endian; a line end may follow each row. Nothing is set aside by what the header
says: memory grows with the whole words that came.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tl_core.errors import DataError
from tl_core.training.events import Training
from tl_core.vectors.files.rows import FLOAT_BYTES, WIDEST, Header, ReadVectors, RowCollector
from tl_core.vectors.files.stream import VectorFile, VectorStream, size_text

LONGEST_WORD = 64 * 2**10  # bytes


def read_binary_events(file: VectorFile, header: Header) -> Training[ReadVectors]:
    """The words and rows of a word2vec binary; DataError if it is cut off, or holds more than its header says."""
    with VectorStream(file) as stream:
        stream.read(header.size)
        least = header.words * (header.width * FLOAT_BYTES + 2)  # a letter and a space before each row
        if header.width > WIDEST or least > stream.plain_bound - header.size:
            raise _cut_off(file, header, sum(len(words) for words, _ in _records(stream, file, header)))
        rows = RowCollector(file, "word2vec binary", header.width, "word", declared=header.words)
        rows.expect(header.words)
        for raw, floats in _records(stream, file, header):
            table = np.frombuffer(floats, dtype="<f4").astype(np.float32, copy=False)
            table = table.reshape(-1, header.width)
            for part in rows.parts(len(raw)):
                rows.add(rows.decode(raw[part]), table[part], rows.seen + 1)
            yield stream.progress
            if rows.more:
                break
    if rows.seen < header.words and not rows.more:
        raise _cut_off(file, header, rows.seen)
    return rows.result()


def _records(stream: VectorStream, file: VectorFile, header: Header) -> Iterator[tuple[list[bytes], bytes]]:
    """The whole words of a block and the bytes of their rows, until V came or the file ends."""
    row_bytes, left, buffer = header.width * FLOAT_BYTES, header.words, b""
    if header.width > WIDEST:
        return
    while block := stream.read_block():
        buffer += block
        words, rows, at = [], [], 0
        while left:
            space = buffer.find(b" ", at, at + LONGEST_WORD)
            end = space + 1 + row_bytes
            if space < 0 or end > len(buffer):
                break
            words.append(buffer[at:space].removeprefix(b"\n"))
            rows.append(buffer[space + 1 : end])
            at, left = end, left - 1
        buffer = buffer[at:]
        yield words, b"".join(rows)
        if not left:
            buffer = buffer.strip(b"\r\n")
        if not left and buffer:
            raise DataError(
                "{file}: the header says {words:,} words of width {width:,}, but more bytes come "
                "after them. The header is wrong or the file is damaged: load it anew from where it came.",
                file=file.name,
                words=header.words,
                width=header.width,
            )
        if left and len(buffer) > LONGEST_WORD and b" " not in buffer[:LONGEST_WORD]:
            raise DataError(
                "{file}: word {words:,} has no end within {size}. The "
                "header says vectors of width {width:,}: it is wrong, or the file is damaged. Load it anew.",
                file=file.name,
                words=header.words - left + 1,
                size=size_text(LONGEST_WORD),
                width=header.width,
            )


def _cut_off(file: VectorFile, header: Header, whole: int) -> DataError:
    return DataError(
        "{file} is cut off, or its header is wrong: it says {words:,} words of width {width:,}, "
        "but the file holds {whole:,} whole words. Load the whole file anew.",
        file=file.name,
        words=header.words,
        width=header.width,
        whole=whole,
    )
