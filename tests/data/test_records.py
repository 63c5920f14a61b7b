from __future__ import annotations

import csv
from itertools import chain, repeat

import pytest

from tl_core.data import records
from tl_core.data.records import UnclosedQuote, csv_records, fasttext_records, is_fasttext
from tl_core.errors import DataError


def read(text: str, delimiter: str = ",", *, quoted: bool = True) -> list[tuple[int, tuple[str, ...]]]:
    found = csv_records(text.splitlines(keepends=True), delimiter, "a.csv", quoted=quoted)
    return [(each.row, each.cells) for each in found if not each.problem]


def test_quotes_follow_rfc_4180() -> None:
    assert read('"a, ""b""",c\n,""\n') == [(1, ('a, "b"', "c")), (2, ("", ""))]


def test_a_record_has_the_number_of_its_first_line() -> None:
    assert [row for row, _ in read('a,b\n"x\ny\nz",1\n\nc,d\n')] == [1, 2, 6]


def test_blank_lines_are_skipped_but_a_quoted_empty_cell_is_a_record() -> None:
    assert read('a\n\n   \n""\n') == [(1, ("a",)), (4, ("",))]


def test_a_quote_inside_a_word_is_part_of_the_text() -> None:
    assert read('5" disk,a\n') == [(1, ('5" disk', "a"))]


def test_a_quote_inside_a_quoted_cell_costs_its_record_only() -> None:
    found = list(csv_records(['"say "hi" to",a\n', "good,b\n"], ",", "a.csv"))
    assert found[0].row == 1
    assert "quote inside a quoted cell" in found[0].problem
    assert found[1].cells == ("good", "b")


def test_a_problem_over_several_lines_names_them() -> None:
    found = list(csv_records(['"open,a\n', '"x",b\n', "good,c\n"], ",", "a.csv"))
    assert "lines 1 to 2" in found[0].problem
    assert found[1].row == 3


@pytest.mark.parametrize(
    ("text", "line"), [('"a,b\nc,d\n', 1), ('a,b\nc,d\n"e,f\ng,h\n', 3), ('a,b\n"c,d', 2)]
)
def test_an_unclosed_quote_is_named_by_its_line(text: str, line: int) -> None:
    with pytest.raises(UnclosedQuote, match=rf"a\.csv, line {line}: the quote .* before the file ends"):
        read(text)


def test_an_unclosed_quote_after_a_closed_one_is_named_by_its_own_line() -> None:
    with pytest.raises(UnclosedQuote, match="line 3:"):
        read('a,b\n"x\ny","z\nmore\nmore\n')


def test_a_quote_that_spans_too_many_lines_stops_the_reading_there() -> None:
    endless = chain(["a,b\n", '"open,x\n'], repeat("c,d\n"))
    with pytest.raises(UnclosedQuote, match=r"line 2: .* within 200 lines"):
        list(csv_records(endless, ",", "a.csv"))


def test_a_cell_of_many_lines_below_the_limit_is_read() -> None:
    cell = "line\n" * 150
    assert read(f'"{cell}","{cell}"\n') == [(1, (cell, cell))]


def test_an_endless_line_is_refused() -> None:
    with pytest.raises(DataError, match="line 1: a record of more than 10,000,000"):
        read("a" * (records.MAX_RECORD_CHARACTERS + 1))


def test_too_many_cells_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_CELLS", 10)
    with pytest.raises(DataError, match="more than 10 cells"):
        read("a,b,c,d\n" * 3)


def test_a_low_limit_of_the_csv_module_is_raised_and_a_high_one_kept() -> None:
    before = csv.field_size_limit(100)
    try:
        assert read("a" * 200_000 + ",b\n")[0][1][1] == "b"
        csv.field_size_limit(2**30)
        read("a,b\n")
        assert csv.field_size_limit() == 2**30
    finally:
        csv.field_size_limit(max(before, records.MAX_RECORD_CHARACTERS + 1))


def test_unquoted_reading_takes_quotes_literally() -> None:
    assert read('"open\tb\n', "\t", quoted=False) == [(1, ('"open', "b"))]


def test_fasttext_lines_need_exactly_one_label() -> None:
    lines = ["__label__pos good film", "no label here", "", "__label__a __label__b two", "end __label__neg"]
    found = list(fasttext_records(f"{line}\n" for line in lines))
    assert [each.row for each in found] == [1, 2, 4, 5]
    assert found[0].cells == ("pos", "good film")
    assert found[1].problem == "no label"
    assert found[2].problem == "several labels; one is allowed"
    assert found[3].cells == ("neg", "end")


def test_fasttext_is_told_by_most_lines() -> None:
    assert is_fasttext(["__label__a x\n", "\n", "__label__b y\n", "z\n"])
    assert not is_fasttext(["__label__a,x\n", "__label__b,y\n"])
    assert not is_fasttext([])
