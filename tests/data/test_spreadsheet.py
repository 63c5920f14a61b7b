from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tl_core.data.spreadsheet import neutralise, write_csv
from tl_core.data.tables import read_table_file

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("x")', "-", "+82-10-1234", "-3\n=1"]
HIDDEN = ["\tx", "\rx", "\nx", "  =1", "\u00a0=1", "\ufeff=1", "\0=1"]
WIDE = ["＝1+1", "＋1", "－1", "＠a", "\u3000＝1"]
NUMBERS = ["-3.5", "+4", "1e-5", "-1,234.5", "-50%", " -3 ", "-.5", "12"]
PLAIN = ["", "good", "a=b", "don't", "한국어 - 영화", "5 + 5", "'=1"]


@pytest.mark.parametrize("cell", FORMULAS + HIDDEN + WIDE)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert neutralise(cell) == "'" + cell


@pytest.mark.parametrize("cell", NUMBERS + PLAIN)
def test_numbers_and_plain_text_stay(cell: str) -> None:
    assert neutralise(cell) == cell


def test_a_file_opens_in_excel_with_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_csv(path, ("text", "=label", "share"), [("재미, 있다\n정말", "긍정", -0.5), ("=1+1", None, 1)])
    assert path.read_bytes().startswith(b"\xef\xbb\xbftext,'=label,share\r\n")
    table = read_table_file(path, has_header=True)
    assert table.encoding == "utf-8-sig"
    assert table.rows == [("재미, 있다\n정말", "긍정", "-0.5"), ("'=1+1", "", "1")]


def test_streams_of_bytes_and_text_stay_open_and_agree() -> None:
    in_bytes, in_text = io.BytesIO(), io.StringIO(newline="")
    write_csv(in_bytes, ("a",), [("가",)])
    write_csv(in_text, ("a",), [("가",)])
    assert in_bytes.getvalue().decode("utf-8") == in_text.getvalue() == "\ufeffa\r\n가\r\n"


def test_no_cell_can_break_out_of_its_row() -> None:
    stream = io.StringIO(newline="")
    cells = ['"', "a\r=1", ",", '","=1']
    write_csv(stream, ("a", "b", "c", "d"), [cells])
    assert list(csv.reader(io.StringIO(stream.getvalue()[1:], newline="")))[1] == cells
