"""Texts to ask questions about: a plain text, Markdown or PDF file, or the rows of a table's column.

Knows no questions. Offsets that others give count characters (code points) of `Document.text`.
"""

from __future__ import annotations

import io
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_core.data import decoding
from tl_core.data.decoding import BROKEN, decode
from tl_core.data.tables import Table, shown_name
from tl_core.data.unpacking import foreign_kind
from tl_core.errors import DataError

if TYPE_CHECKING:
    import pypdf

MAX_FILE_BYTES = 20 * 2**20
MAX_CHARACTERS = 2_000_000
MOST_DOCUMENTS = 1_000
MOST_PAGES = 500
MOST_SECONDS = 60.0  # for the pages of one PDF
MOST_STREAM_BYTES = 20 * 2**20  # that one packed stream of a PDF may unpack to
MOST_OPERATIONS = 1_000_000  # of one stream; a dense page of text has a few thousand
MOST_FORMS = 500  # drawn on one page

TEXT_ENDINGS = (".txt", ".md")
PDF_START = b"%PDF-"
SAVE = "Save it as plain text in UTF-8 and upload that file."
UNLOCK = "Save a copy without a password (print it to a new PDF, for example) and upload that."

# A letter, a hyphen at the line's end and a small letter: one word, cut by the setting of the lines.
CUT_WORD = re.compile("(?<=[^\\W\\d_])[-\u2010\u00ad]\n(?=([^\\W\\d_]))")
NO_TEXT = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # controls but TAB and LF, halves of characters


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the name that it is shown by: its file's, or the row's of a table."""

    name: str
    text: str


def read_document(content: bytes, name: str) -> Document:
    """The text of a .txt, .md (kept as it is) or .pdf file of at most MAX_FILE_BYTES.

    What begins like a PDF is read as one, whatever its name. Raises DataError for an empty,
    binary, damaged, locked or too large file, and for more than MAX_CHARACTERS of text.
    """
    shown = shown_name(name)
    if len(content) > MAX_FILE_BYTES:
        size, most = len(content) / 2**20, MAX_FILE_BYTES / 2**20
        raise DataError(
            "{shown} has {size:,.1f} MB; at most {most:.4g} MB are read. Upload a part of it.",
            shown=shown,
            size=size,
            most=most,
        )
    if _is_pdf(content, shown):
        text = _pdf_text(content, shown)
    elif not content or content.isspace():
        raise DataError("{shown} is empty. Upload a file with text in it.", shown=shown)
    else:
        text = _plain_text(content, shown)
    if len(text) > MAX_CHARACTERS:
        raise _too_long(shown, f"{len(text):,}")
    return Document(shown, text)


def documents_of(table: Table, column: str) -> tuple[Document, ...]:
    """One document a row that is not empty in `column`, named "row 7" as the table counts.

    Raises DataError for a column that is not there, none but empty cells, or more than
    MOST_DOCUMENTS of the others.
    """
    if column not in table.columns:
        raise DataError(
            "{table} has no column '{column}'. It has: {columns}.",
            table=table.name,
            column=column,
            columns=", ".join(table.columns),
        )
    at = table.columns.index(column)
    filled = [(number, row[at]) for number, row in zip(table.row_numbers, table.rows) if row[at].strip()]
    if not filled:
        raise DataError(
            "{table} holds no text in the column '{column}'. Choose another column.",
            table=table.name,
            column=column,
        )
    if len(filled) > MOST_DOCUMENTS:
        raise DataError(
            "{table} holds {found:,} texts in the column '{column}'; at most {most_documents:,} "
            "are read at once. Upload a part of the table.",
            table=table.name,
            found=len(filled),
            column=column,
            most_documents=MOST_DOCUMENTS,
        )
    return tuple(Document(f"row {number}", text) for number, text in filled)


def _is_pdf(content: bytes, name: str) -> bool:
    """Whether it begins like a PDF; one that is named so may have a little before its beginning."""
    return content.startswith(PDF_START) or (name.lower().endswith(".pdf") and PDF_START in content[:1024])


def _plain_text(content: bytes, name: str) -> str:
    """The text of a file that is no PDF; a few broken bytes come out as U+FFFD each."""
    if name.lower().endswith(".pdf"):
        raise DataError("{name} is not a PDF: it does not begin with '%PDF-'. Get it again.", name=name)
    if not name.lower().endswith(TEXT_ENDINGS):
        raise DataError(
            "{name} is of a kind that is not read here; read are .txt, .md and .pdf files.", name=name
        )
    kind = foreign_kind(content)
    if kind:
        raise DataError("{name} is {kind}, not plain text. {save}", name=name, kind=kind, save=SAVE)
    try:
        source = decode(content, name)
    except DataError as error:
        raise DataError(str(error).replace(decoding.SAVE, SAVE)) from None
    text = BROKEN.sub("\ufffd", "".join(source.lines()))
    if "\0" in text:
        raise DataError("{name} holds a NUL character, which no text does. {save}", name=name, save=SAVE)
    if not text.strip():
        raise DataError("{name} is empty. Upload a file with text in it.", name=name)
    return text


def _pdf_text(content: bytes, name: str) -> str:
    """The text of all pages, a blank line between two; DataError if it cannot be read out."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it has much to say about a damaged file
    limits = pypdf.get_configuration().with_overwrites(
        zlib_maximum_output_length=MOST_STREAM_BYTES,
        lzw_maximum_output_length=MOST_STREAM_BYTES,
        run_length_maximum_output_length=MOST_STREAM_BYTES,
        brotli_maximum_output_length=MOST_STREAM_BYTES,
        array_based_stream_maximum_output_length=MOST_STREAM_BYTES,
        stream_parsing_work_maximum_count=MOST_OPERATIONS,
        xform_maximum_invocations_per_extraction=MOST_FORMS,
    )
    with pypdf.apply_configuration(limits):
        try:
            pages = _page_texts(pypdf.PdfReader(io.BytesIO(content)), name)
        except DataError:
            raise
        except Exception as error:  # a hostile file makes pypdf raise anything
            raise _unreadable(error, name) from error
    text = "\n\n".join(page for page in pages if page)
    if not text:
        raise DataError(
            "{name} holds no text that can be read out, only pictures of pages, as a scan does. "
            "Run text recognition (OCR) on it first and upload the result.",
            name=name,
        )
    return text


def _page_texts(reader: pypdf.PdfReader, name: str) -> list[str]:
    """The text of each page, without control characters and cut words."""
    if reader.is_encrypted and not reader.decrypt(""):
        raise DataError("{name} is locked with a password. {unlock}", name=name, unlock=UNLOCK)
    count = len(reader.pages)
    if not 0 < count <= MOST_PAGES:
        raise DataError(
            "{name} has {count:,} pages; 1 to {most_pages} are read. Upload a part of it.",
            name=name,
            count=count,
            most_pages=MOST_PAGES,
        )
    allowance = _Allowance(name, time.perf_counter() + MOST_SECONDS)
    texts: list[str] = []
    for page in reader.pages:
        text = page.extract_text(visitor_operand_before=allowance.look, visitor_text=allowance.take)
        allowance.look()
        texts.append(_mended(NO_TEXT.sub("", text)).strip())
    return texts


class _Allowance:
    """The time and the characters that one PDF may cost; DataError once either is used up.

    pypdf calls this at each operation of a page. It swallows errors inside nested forms, so the
    next call raises again.
    """

    def __init__(self, name: str, deadline: float) -> None:
        self.name = name
        self.deadline = deadline
        self.characters = 0

    def look(self, *_: object) -> None:
        if time.perf_counter() > self.deadline:
            raise DataError(
                "{name} takes more than {most_seconds:.0f} seconds to read. "
                "Upload a part of it, or its text as a .txt file.",
                name=self.name,
                most_seconds=MOST_SECONDS,
            )
        if self.characters > MAX_CHARACTERS:
            raise _too_long(self.name, f"more than {MAX_CHARACTERS:,}")

    def take(self, text: str, *_: object) -> None:
        self.characters += len(text)
        self.look()


def _mended(text: str) -> str:
    return CUT_WORD.sub(lambda cut: "" if cut[1].islower() else cut[0], text)


def _unreadable(error: Exception, name: str) -> DataError:
    """The DataError for an error that pypdf raised."""
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    if isinstance(error, DependencyError | FileNotDecryptedError):
        return DataError(
            "{name} is encrypted in a way that is not read here. {unlock}", name=name, unlock=UNLOCK
        )
    if isinstance(error, LimitReachedError | MemoryError):
        return DataError(
            "{name} is a PDF that unpacks to more than is read. Upload its text as a .txt file.", name=name
        )
    return DataError(
        "{name} is a damaged PDF ({name2}: {error}). Get it again, or print it to a new PDF.",
        name=name,
        name2=type(error).__name__,
        error=str(error)[:100],
    )


def _too_long(name: str, came: str) -> DataError:
    return DataError(
        "{name} holds {came} characters of text; at most {max_characters:,} are read. Upload a part of it.",
        name=name,
        came=came,
        max_characters=MAX_CHARACTERS,
    )
