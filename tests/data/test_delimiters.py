from __future__ import annotations

import pytest

from tl_core.data.decoding import Source
from tl_core.data.delimiters import DELIMITERS, guess_delimiter, read_delimited
from tl_core.data.records import NO_DELIMITER, UnclosedQuote


def guess(text: str) -> str:
    return guess_delimiter(text.splitlines(keepends=True))


def cells(text: str, delimiter: str) -> list[tuple[str, ...]]:
    found, records = read_delimited(Source(text.encode(), "utf-8", "a"), 1000)
    assert found == delimiter
    return [each.cells for each in records]


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("header", ["text{0}label\n", ""])
def test_each_delimiter_is_found_with_and_without_header(delimiter: str, header: str) -> None:
    body = ["Good, really good{0}pos\n", "Bad{0}neg\n", "So; what | ever{0}neg\n"] * 5
    quoted = [line.replace("Good, really good", '"Good, really good"') for line in body]
    quoted = [line.replace("So; what | ever", '"So; what | ever"') for line in quoted]
    assert guess("".join([header, *quoted]).format(delimiter)) == delimiter


def test_ties_go_to_the_comma() -> None:
    assert guess("a,b;c\nd,e;f\n") == ","


def test_prose_is_one_column() -> None:
    assert guess("I liked it.\nIt was long, dull, and loud.\nWell, no.\nYes\n") == NO_DELIMITER


def test_a_clear_header_outweighs_ragged_rows() -> None:
    assert guess("text,label\n" + "one, two, three,pos\n" * 5 + "a, b,neg\n" * 5) == ","


def test_stray_quotes_in_a_tab_file_are_text() -> None:
    assert cells('text\tlabel\n"open\t1\nfine\t0\nthe "end"\t1\n', "\t")[1:] == [
        ('"open', "1"),
        ("fine", "0"),
        ('the "end"', "1"),
    ]


def test_a_properly_quoted_tab_file_is_unquoted() -> None:
    text = 'text\tlabel\n"a\nc ""d"""\t1\n"e\tf"\t0\n'
    assert cells(text, "\t")[1:] == [('a\nc "d"', "1"), ("e\tf", "0")]


def test_prose_that_begins_with_a_quote_keeps_it() -> None:
    assert cells('"Wow" he said\nfine\n', NO_DELIMITER) == [('"Wow" he said',), ("fine",)]


def test_one_column_of_quoted_cells_is_unquoted() -> None:
    assert cells('text\n"a, b\nc"\n', NO_DELIMITER) == [("text",), ("a, b\nc",)]


@pytest.mark.parametrize("text", ['a,b\n"c,d\n', '"a,b\nc,d\ne,f\n'])
def test_an_unclosed_quote_in_a_comma_file_ends_the_reading(text: str) -> None:
    with pytest.raises(UnclosedQuote):
        cells(text, ",")


def test_an_unclosed_quote_at_the_start_of_a_tab_file_is_text() -> None:
    assert cells('"a\tb\nc\td\n', "\t") == [('"a', "b"), ("c", "d")]


def test_an_unclosed_quote_in_prose_is_text() -> None:
    assert cells('"Oh, no\nfine\nwell\n', NO_DELIMITER) == [('"Oh, no',), ("fine",), ("well",)]
