from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest

from tl_core.data import tables
from tl_core.data.tables import Refused, Table, read_table, read_table_file
from tl_core.errors import DataError

GOOD = "text,label\nA fine film,pos\nA dull film,neg\n"
ROWS = [("A fine film", "pos"), ("A dull film", "neg")]
KOREAN = "문서,라벨\n재미있는 영화였다,긍정\n돈이 아깝다,부정\n"


def read(content: str | bytes, name: str = "reviews.csv", has_header: bool | None = None) -> Table:
    return read_table(content.encode() if isinstance(content, str) else content, name, has_header=has_header)


def test_a_plain_file_is_read() -> None:
    table = read(GOOD)
    assert table.columns == ("text", "label")
    assert table.rows == ROWS
    assert table.row_numbers == [2, 3]
    assert table.refused == ()
    assert (table.encoding, table.delimiter_name) == ("utf-8", "comma")
    assert (table.has_header, table.form) == (True, "csv")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compressed_files_are_read_under_any_name(pack) -> None:
    assert read(pack(GOOD.encode()), "reviews.txt").rows == ROWS


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_every_line_end_is_read(line_end: str) -> None:
    table = read(GOOD.replace("\n", line_end))
    assert table.rows == ROWS
    assert table.row_numbers == [2, 3]


@pytest.mark.parametrize(
    ("delimiter", "name"), [(",", "comma"), ("\t", "tab"), (";", "semicolon"), ("|", "vertical bar")]
)
def test_every_delimiter_is_read_and_named(delimiter: str, name: str) -> None:
    table = read(GOOD.replace(",", delimiter))
    assert (table.rows, table.delimiter, table.delimiter_name) == (ROWS, delimiter, name)


@pytest.mark.parametrize(
    ("codec", "encoding"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("cp949", "cp949"),
    ],
)
def test_a_korean_file_is_read_in_every_encoding(codec: str, encoding: str) -> None:
    table = read(KOREAN.encode(codec))
    assert table.encoding == encoding
    assert table.columns == ("문서", "라벨")
    assert table.rows[0] == ("재미있는 영화였다", "긍정")


def test_a_german_excel_file_is_read() -> None:
    table = read("Text;Klasse\nSchön und groß;gut\nÖde;schlecht\n".encode("cp1252"))
    assert (table.encoding, table.delimiter_name) == ("cp1252", "semicolon")
    assert table.rows[0] == ("Schön und groß", "gut")


@pytest.mark.parametrize(
    "content", ["", "   \n\n", "text,label\n", "\ufeff", b"\x89PNG\r\n\x1a\n", b"\x80\x04\x95"]
)
def test_a_file_without_rows_of_text_is_refused(content: str | bytes) -> None:
    with pytest.raises(DataError, match=r"reviews\.csv"):
        read(content)


def test_one_class_alone_is_no_matter_of_the_reader() -> None:
    assert len(read("text,label\na,pos\nb,pos\n").rows) == 2


def test_ragged_rows_are_refused_with_their_number_and_reason() -> None:
    table = read("text,label\ngood, really,pos\nfine,pos\nalone\n")
    assert table.rows == [("fine", "pos")]
    assert table.refused == (
        Refused(2, "3 cells, but the header has 2 columns. Put the text in quotes if it holds a comma."),
        Refused(4, "1 cell, but the header has 2 columns. Fill in what is missing."),
    )


def test_ragged_rows_without_a_header_are_measured_by_the_others() -> None:
    table = read("good;pos\n" * 5 + "a;b;c\n")
    assert table.refused == (
        Refused(6, "3 cells, but most rows have 2 columns. Put the text in quotes if it holds a semicolon."),
    )


def test_row_numbers_count_lines_as_an_editor_does() -> None:
    table = read('text,label\n"two\nlines",pos\n\nlast,neg\n')
    assert table.row_numbers == [2, 5]
    assert table.rows[0][0] == "two\nlines"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('text,label\n"open,pos\nfine,neg\n', 2),
        ('"text,label\na,pos\n', 1),
        (GOOD + '"open,pos\n' + "a,b\n" * 500, 4),
    ],
)
def test_an_unclosed_quote_is_named_and_swallows_nothing(content: str, line: int) -> None:
    with pytest.raises(DataError, match=rf"reviews\.csv, line {line}: the quote"):
        read(content)


def test_a_row_with_a_nul_is_refused_and_the_rest_read() -> None:
    table = read("text,label\nbro\0ken,pos\nfine,neg\n")
    assert table.rows == [("fine", "neg")]
    assert table.refused[0].row == 2
    assert "NUL" in table.refused[0].reason


def test_many_nuls_are_binary() -> None:
    with pytest.raises(DataError, match="binary"):
        read(b"text,label\n" + b"a\0\0\0\0,b\n" * 20)


def test_a_row_with_broken_utf8_is_refused_and_the_rest_read() -> None:
    table = read((KOREAN * 5).encode() + b"\xec\x98,x\n", has_header=True)
    assert table.encoding == "utf-8"
    assert table.refused == (Refused(16, "bytes that are not UTF-8"),)


def test_a_very_long_cell_is_refused_and_the_rest_read() -> None:
    table = read("text,label\n" + "a" * 100_000 + ",pos\n" + "b" * 50_000 + ",neg\n")
    assert table.refused == (Refused(2, "a cell of 100,000 characters; at most 50,000 are read"),)
    assert len(table.rows) == 1


def test_a_very_long_quoted_cell_in_the_first_row_does_no_harm() -> None:
    assert len(read("text,label\n" + '"' + "a, " * 50_000 + '",pos\nfine,neg\n').rows) == 1


def test_a_file_of_which_nothing_can_be_read_says_the_first_reason() -> None:
    with pytest.raises(DataError, match=r"no row can be read\. Row 2: 3 cells"):
        read("text,label\na,b,c\nd,e,f\n")


def test_double_and_empty_header_names_are_mended() -> None:
    assert read("text,text,\na,b,c\n", has_header=True).columns == ("text", "text (2)", "column 3")
    assert read("text,text,label\na,b,c\nd,e,f\n").columns == ("text", "text (2)", "label")


def test_a_file_without_header_gets_numbered_columns() -> None:
    table = read("A fine film,pos\nA dull film,neg\nOh no,neg\nYes,pos\n")
    assert table.columns == ("column 1", "column 2")
    assert (table.has_header, table.row_numbers) == (False, [1, 2, 3, 4])


def test_one_column_of_prose_is_a_table() -> None:
    table = read("review\nGood, really.\nBad\nWell, yes, no\n")
    assert table.columns == ("review",)
    assert table.rows[0] == ("Good, really.",)
    assert table.delimiter_name == "comma"


def test_fasttext_lines_are_read() -> None:
    table = read("__label__pos A fine film\nno label\n__label__a __label__b both\n__label__neg Dull, dull\n")
    assert (table.form, table.columns, table.has_header) == ("fasttext", ("label", "text"), False)
    assert table.rows == [("pos", "A fine film"), ("neg", "Dull, dull")]
    assert table.row_numbers == [1, 4]
    assert table.refused == (Refused(2, "no label"), Refused(3, "several labels; one is allowed"))
    assert table.delimiter_name == "space"


def test_formula_cells_are_data_like_any_other() -> None:
    assert read('text,label\n"=HYPERLINK(""x"")",pos\n@a,neg\n').rows[0] == ('=HYPERLINK("x")', "pos")


def test_a_gzip_bomb_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_PLAIN_BYTES", 100_000)
    with pytest.raises(DataError, match="unpacks to more than"):
        read(gzip.compress(b"a,b\n" * 100_000))


def test_too_large_uploads_and_tables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 1)
    with pytest.raises(DataError, match="more than 1 rows"):
        read(GOOD)
    monkeypatch.setattr(tables, "MAX_LINE_ENDS", 2)
    with pytest.raises(DataError, match="more than 2 line ends"):
        read(GOOD)
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="has more than"):
        read(GOOD)


def test_too_many_columns_are_refused_at_once() -> None:
    with pytest.raises(DataError, match="201 columns; at most 200"):
        read((",".join(["x"] * 201) + "\n") * 3)
    with pytest.raises(DataError):
        read("," * 1_000_000 + "\n" + "," * 1_000_000)


@pytest.mark.parametrize("name", ["../../etc/reviews.csv", "C:\\data\\reviews.csv", "a/reviews\n\x1b.csv"])
def test_only_the_last_part_of_the_name_is_shown(name: str) -> None:
    assert read(GOOD, name).name == "reviews.csv"


def test_a_name_is_never_empty_or_endless() -> None:
    assert read(GOOD, "").name == "The file"
    assert len(read(GOOD, "x" * 5000).name) == 100


def test_a_file_on_disk_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD, encoding="utf-8")
    assert read_table_file(tmp_path / "a.csv").rows == ROWS


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"b\.csv cannot be opened"):
        read_table_file(tmp_path / "b.csv")
    with pytest.raises(DataError, match="cannot be opened"):
        read_table_file(tmp_path)


def test_no_prefix_of_a_file_makes_the_reader_fall_over() -> None:
    """Whatever is uploaded, the answer is a table or a DataError."""
    content = (KOREAN + 'a "b","c""d",\0\n' + "__label__x y\n").encode()
    for source in (content, KOREAN.encode("utf-16"), KOREAN.encode("cp949"), gzip.compress(content)):
        for end in range(len(source)):
            try:
                read(source[:end])
            except DataError:
                pass
