"""Files of word vectors in: which form a file has, its content says; its name decides nothing.

Read are GloVe text, word2vec text and fastText .vec, word2vec binary, fastText .bin, and NumPy's
.npy with a word list, each also as gzip. A pickle is never opened.
"""

from __future__ import annotations

import re
from pathlib import Path

from tl_core.data.decoding import CONTROLS, FEW_BYTES
from tl_core.data.unpacking import BZIP2, foreign_kind
from tl_core.errors import ConfigError, DataError
from tl_core.training.events import Progress, Training, drain
from tl_core.vectors.files import array, fasttext
from tl_core.vectors.files.array import read_array_events
from tl_core.vectors.files.binary import read_binary_events
from tl_core.vectors.files.fasttext import read_fasttext_events
from tl_core.vectors.files.rows import Header, ReadVectors
from tl_core.vectors.files.stream import VectorFile, VectorStream
from tl_core.vectors.files.text import FORMS, NUMBER, read_text_events, write_word2vec_text

__all__ = ["MOST_BYTES", "ReadVectors", "read_vector_file", "read_vectors_events", "write_word2vec_text"]

MOST_BYTES = 2 * 2**30  # of rows kept in memory
HEAD_BYTES = 2**20
HEADER = re.compile(rb"(?:\xef\xbb\xbf)?[ \t]*(\d{1,30})[ \t]+(\d{1,30})[ \t]*\r?(?:\n|\Z)")
PICKLE = re.compile(rb"\x80[\x02-\x05]")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
ZIP = b"PK\x03\x04"
CONVERT = (
    'Convert it on a machine where you trust the file: python -c "from gensim.models import KeyedVectors as K; '
    "K.load('FILE', mmap='r').save_word2vec_format('FILE.txt')\" (for a Word2Vec or FastText model, "
    "Word2Vec.load('FILE').wv.save_word2vec_format('FILE.txt')), and load FILE.txt."
)


def read_vector_file(
    path: Path, name: str, *, top: int | None = None, words_path: Path | None = None
) -> ReadVectors:
    """The words and rows (V, D) of a file; see `read_vectors_events`."""
    return drain(read_vectors_events(path, name, top=top, words_path=words_path))


def read_vectors_events(
    path: Path, name: str, *, top: int | None = None, words_path: Path | None = None
) -> Training[ReadVectors]:
    """Read a file of word vectors: yields Progress in bytes of the file, returns words and rows (V, D).

    `name` is the file's own name for messages; `top` takes only the first so many words;
    `words_path` is the word list of a .npy. DataError, with place and cure, for a file that is not
    word vectors, is damaged, or needs more than MOST_BYTES of memory.
    """
    if top is not None and top < 1:
        raise ConfigError("top must be at least 1; got {top}.", top=top)
    file = VectorFile(path, name, top, MOST_BYTES)
    vectors = yield from _reading(file, words_path)
    yield Progress(file.size, file.size)
    return vectors


def _reading(file: VectorFile, words_path: Path | None) -> Training[ReadVectors]:
    """The reading that fits the file's first bytes; DataError if none does."""
    with VectorStream(file) as stream:
        head = stream.read(HEAD_BYTES)
    if head.startswith(array.MAGIC):
        return read_array_events(file, words_path)
    _refuse_foreign(head, file.name)
    if words_path is not None:
        raise DataError(
            "{file} holds its own words. Leave the word list out: it goes with a NumPy array.", file=file.name
        )
    if head.startswith(fasttext.MAGIC):
        return read_fasttext_events(file)
    header = _read_header(head, file.name)
    if header and _is_binary_body(head[header.size :]):
        return read_binary_events(file, header)
    if not header and _is_binary(head):
        raise DataError(
            "{file} holds binary data of no form that is known. {forms}.", file=file.name, forms=FORMS
        )
    return read_text_events(file, head, header)


def _refuse_foreign(head: bytes, name: str) -> None:
    """DataError for an empty file, a pickle, an archive, UTF-16 and other kinds that are not word vectors."""
    if not head or head.isspace():
        raise DataError("{name} is empty. {forms}.", name=name, forms=FORMS)
    if PICKLE.match(head):
        raise DataError(
            "{name} is a Python pickle, such as gensim's `save` writes; opening one runs code from it, so it is "
            "refused. {convert}",
            name=name,
            convert=CONVERT,
        )
    kind = foreign_kind(head)
    if head.startswith(ZIP) and kind == "a zip archive":
        raise DataError(
            "{name} is a zip archive. If it packs a text (as glove.6B.zip does), unpack it and load the text; if it is "
            "a saved PyTorch model, opening it runs code from it, so it is refused. {convert}",
            name=name,
            convert=CONVERT,
        )
    if head.startswith(BZIP2) and kind:
        raise DataError("{name} is packed with bzip2. Unpack it, or pack it with gzip.", name=name)
    if head.startswith(UTF16):
        raise DataError("{name} is UTF-16 text. Save it as UTF-8.", name=name)
    if kind:
        raise DataError(
            "{name} is {kind}, not a file of word vectors. {forms}.", name=name, kind=kind, forms=FORMS
        )


def _read_header(head: bytes, name: str) -> Header | None:
    """The counts of a first line of two whole numbers; DataError if one of them is 0."""
    match = HEADER.match(head)
    if not match:
        return None
    words, width = int(match[1]), int(match[2])
    if not words or not width:
        raise DataError(
            "{name}, line 1: the header says {words:,} words of width {width:,}; both must be at least 1. "
            "Save the vectors anew.",
            name=name,
            words=words,
            width=width,
        )
    return Header(words, width, match.end())


def _is_binary_body(body: bytes) -> bool:
    """Whether what follows a header is binary: broken or control bytes, and no first line that ends in a number."""
    last = body.split(b"\n", 1)[0].rstrip(b" \r").rpartition(b" ")[2]
    if NUMBER.fullmatch(last):
        return False
    return len(body) > len(body.translate(None, CONTROLS)) or not _is_utf8_head(body)


def _is_binary(head: bytes) -> bool:
    """Whether more than 1 % of the bytes are NULs or other control characters."""
    controls = len(head) - len(head.translate(None, CONTROLS))
    return controls > max(FEW_BYTES, len(head) / 100)


def _is_utf8_head(head: bytes) -> bool:
    """Whether bytes are UTF-8 up to a character that their end may cut."""
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(head) and error.reason == "unexpected end of data"
    return True
