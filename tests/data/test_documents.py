from __future__ import annotations

import codecs
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pypdf
import pytest
from pypdf.errors import DependencyError
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from tl_core.data import documents
from tl_core.data.documents import Document, documents_of, read_document
from tl_core.data.tables import read_table
from tl_core.errors import DataError

KOREAN = "대한민국의 수도는 서울이다.\n한강이 서울을 지난다.\n"
HELVETICA = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}


def names(entries: dict[str, str]) -> DictionaryObject:
    return DictionaryObject({NameObject(key): NameObject(value) for key, value in entries.items()})


def pdf_of(*streams: bytes, packed: bool = False, password: str | None = None) -> bytes:
    """A PDF with a page for each stream of drawing operations."""
    writer = pypdf.PdfWriter()
    for drawn in streams:
        page = writer.add_blank_page(200, 200)
        fonts = DictionaryObject({NameObject("/F1"): names(HELVETICA)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(drawn)
        page[NameObject("/Contents")] = writer._add_object(stream.flate_encode() if packed else stream)
    if password is not None:
        writer.encrypt(password, owner_password="owner", algorithm="RC4-128")
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def drawn(*lines: str) -> bytes:
    """The operations that write these lines."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    return f"BT /F1 12 Tf 10 180 Td {shown} ET".encode("latin-1")


def text_or_error(content: bytes) -> str:
    """What is read of a PDF, or what is said against it; any other error flies."""
    try:
        return read_document(content, "a.pdf").text
    except DataError as error:
        return str(error)


def test_a_text_file_is_one_document() -> None:
    assert read_document(KOREAN.encode(), "C:\\texts\\seoul.TXT") == Document("seoul.TXT", KOREAN)


def test_markdown_stays_as_it_is_written() -> None:
    text = "# Rules\n\n- *No* `food`\n"
    assert read_document(text.encode(), "rules.md").text == text


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp949"])
def test_the_encoding_of_a_text_file_is_found(codec: str) -> None:
    assert read_document(KOREAN.encode(codec), "seoul.txt").text == KOREAN


def test_every_kind_of_line_end_becomes_one() -> None:
    assert read_document(b"one\r\ntwo\rthree\n", "a.txt").text == "one\ntwo\nthree\n"


def test_a_broken_byte_becomes_one_replacement_character() -> None:
    text = read_document((KOREAN * 3).encode() + b"\xec end", "a.txt").text
    assert text == KOREAN * 3 + "\ufffd end"


@pytest.mark.parametrize("content", [b"", b" \n\t\n", codecs.BOM_UTF8 + b"\n"])
def test_an_empty_text_file_is_named_as_such(content: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.txt is empty"):
        read_document(content, "a.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"one\0two", "NUL character"),
        (bytes(range(32)) * 40, r"binary data.*plain text in UTF-8"),
        (b"PK\x03\x04 and more", "a zip archive, not plain text"),
        (codecs.BOM_UTF16_LE + KOREAN.encode("utf-16-le")[:-1], r"cut off.*plain text in UTF-8"),
        ("Это был очень хороший фильм\n".encode("koi8-r") * 5, r"not recognised.*plain text in UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_with_the_cure(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_document(content, "a.txt")


def test_a_file_of_another_kind_is_answered_with_the_kinds_that_are_read() -> None:
    with pytest.raises(DataError, match=r"a\.docx is of a kind.*\.txt, \.md and \.pdf"):
        read_document(b"PK\x03\x04", "a.docx")


def test_too_large_a_file_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_FILE_BYTES", 2**20)
    with pytest.raises(DataError, match=r"a\.txt has 1\.5 MB; at most 1 MB"):
        read_document(b"a" * (3 * 2**19), "a.txt")


def test_too_long_a_text_is_refused_with_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_CHARACTERS", 1_000)
    assert len(read_document(b"a" * 1_000, "a.txt").text) == 1_000
    with pytest.raises(DataError, match=r"1,001 characters of text; at most 1,000"):
        read_document(b"a" * 1_001, "a.txt")


def test_the_pages_of_a_pdf_are_joined_by_a_blank_line() -> None:
    found = read_document(pdf_of(drawn("First page.", "Second line."), b"", drawn("Last page.")), "two.pdf")
    assert found == Document("two.pdf", "First page.\nSecond line.\n\nLast page.")


def test_korean_in_a_pdf_is_read_by_the_fonts_own_table() -> None:
    table = b"begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfchar <0001> <C11C> "
    stream = DecodedStreamObject()
    stream.set_data(table + b"<0002> <C6B8> endbfchar endcmap")
    writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf_of(b"BT /F1 9 Tf <00010002> Tj ET"))))
    font = names({"/Type": "/Font", "/Subtype": "/Type0", "/BaseFont": "/Batang", "/Encoding": "/Identity-H"})
    font[NameObject("/ToUnicode")] = writer._add_object(stream)
    writer.pages[0]["/Resources"]["/Font"][NameObject("/F1")] = font
    target = io.BytesIO()
    writer.write(target)
    assert read_document(target.getvalue(), "seoul.pdf").text == "서울"


def test_a_pdf_is_told_by_its_beginning_whatever_its_name() -> None:
    assert read_document(pdf_of(drawn("Hello")), "hello.txt").text == "Hello"
    assert read_document(b"\n\n" + pdf_of(drawn("Hello")), "hello.pdf").text == "Hello"


def test_words_cut_at_a_lines_end_are_mended_only_before_a_small_letter() -> None:
    found = read_document(pdf_of(drawn("a long hyphen-", "ation, Anglo-", "Saxon, 1990-", "1995")), "a.pdf")
    assert found.text == "a long hyphenation, Anglo-\nSaxon, 1990-\n1995"


def test_controls_and_halves_of_characters_do_not_come_out_of_a_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pypdf.PageObject, "extract_text", lambda *_, **__: "a\0b\ud800c\td")
    assert read_document(pdf_of(b""), "a.pdf").text == "abc\td"


def test_a_scan_is_named_as_such() -> None:
    with pytest.raises(DataError, match=r"only pictures of pages.*OCR"):
        read_document(pdf_of(b"0 0 10 10 re f", b""), "scan.pdf")


def test_a_pdf_without_pages_is_refused() -> None:
    with pytest.raises(DataError, match="has 0 pages"):
        read_document(pdf_of(), "none.pdf")


def test_a_pdf_that_opens_without_a_password_is_read() -> None:
    assert read_document(pdf_of(drawn("Hello"), password=""), "a.pdf").text == "Hello"


def test_a_pdf_with_a_password_is_refused_with_the_cure() -> None:
    with pytest.raises(DataError, match=r"locked with a password.*copy without a password"):
        read_document(pdf_of(drawn("Hello"), password="secret"), "a.pdf")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DependencyError("cryptography>=3.1"), r"encrypted in a way.*copy without"),
        (RecursionError("too deep"), r"damaged PDF \(RecursionError: too deep\)"),
        (MemoryError(), "unpacks to more than is read"),
    ],
)
def test_whatever_pypdf_raises_becomes_a_sentence(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(pypdf.PageObject, "extract_text", fail)
    with pytest.raises(DataError, match=message):
        read_document(pdf_of(b""), "a.pdf")


def test_what_is_only_named_pdf_is_refused() -> None:
    with pytest.raises(DataError, match="not a PDF"):
        read_document(b"Hello", "a.pdf")


def test_a_damaged_pdf_gives_its_text_or_a_clear_error() -> None:
    whole = pdf_of(drawn("Hello there"), drawn("And again"), packed=True)
    random = np.random.default_rng(0)
    for cut in range(5, len(whole), 97):
        broken = bytearray(whole)
        for at in random.integers(5, len(whole), 8):
            broken[at] = random.integers(256)
        for content in (whole[:cut], bytes(broken)):
            assert text_or_error(content)


def test_a_pdf_of_nothing_but_its_first_bytes_is_damaged() -> None:
    with pytest.raises(DataError, match="damaged PDF"):
        read_document(b"%PDF-1.7\n", "a.pdf")


def test_too_many_pages_are_refused_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_PAGES", 2)
    with pytest.raises(DataError, match="has 3 pages; 1 to 2 are read"):
        read_document(pdf_of(b"", b"", b""), "a.pdf")


def test_a_stream_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_STREAM_BYTES", 100_000)
    with pytest.raises(DataError, match="unpacks to more than is read"):
        read_document(pdf_of(b" " * 1_000_000 + drawn("Hello"), packed=True), "bomb.pdf")


def test_a_page_of_endless_operations_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_OPERATIONS", 1_000)
    with pytest.raises(DataError, match="unpacks to more than is read"):
        read_document(pdf_of(b"0 0 m " * 1_000), "drawing.pdf")


def test_a_pdf_ends_where_its_text_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_CHARACTERS", 100)
    with pytest.raises(DataError, match="more than 100 characters of text; at most 100"):
        read_document(pdf_of(*[drawn("Ten letter")] * 20), "a.pdf")


def test_a_pdf_ends_where_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_SECONDS", -1.0)
    with pytest.raises(DataError, match=r"takes more than .* seconds"):
        read_document(pdf_of(drawn("Hello")), "a.pdf")


def test_each_filled_cell_of_a_column_is_a_document_named_by_its_row() -> None:
    table = read_table(b"title,text\na,First text\nb, \nc,Third text\n", "texts.csv")
    assert documents_of(table, "text") == (Document("row 2", "First text"), Document("row 4", "Third text"))


def test_a_missing_column_is_answered_with_those_there_are() -> None:
    table = read_table(b"title,text\na,First text\n", "texts.csv")
    with pytest.raises(DataError, match=r"texts\.csv has no column 'body'\. It has: title, text\."):
        documents_of(table, "body")


def test_a_column_of_empty_cells_is_refused() -> None:
    table = read_table(b"title,text\na,\nb,\n", "texts.csv")
    with pytest.raises(DataError, match="no text in the column 'text'"):
        documents_of(table, "text")


def test_a_thousand_documents_are_read_and_one_more_is_refused() -> None:
    rows = "".join(f"{number},Text {number}\n" for number in range(1_001))
    table = read_table(f"title,text\n{rows}".encode(), "texts.csv")
    with pytest.raises(DataError, match=r"1,001 texts in the column 'text'; at most 1,000"):
        documents_of(table, "text")
    table.rows.pop()
    assert len(documents_of(table, "text")) == 1_000


def test_reading_a_text_file_loads_no_pypdf() -> None:
    script = (
        "import sys; from tl_core.data.documents import read_document; "
        "read_document(b'hello', 'a.txt'); sys.exit('pypdf' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[2]).returncode == 0
