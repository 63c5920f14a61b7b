from __future__ import annotations

import pytest

from tl_core.data.decoding import Source
from tl_core.data.layouts import Layout, read_layout
from tl_core.errors import DataError


def read(text: str, has_header: bool | None = None, max_rows: int = 10, max_columns: int = 3) -> Layout:
    source = Source(text.encode(), "utf-8", "a.csv")
    return read_layout(source, has_header, max_rows=max_rows, max_columns=max_columns)


def test_the_header_is_guessed_or_given() -> None:
    text = "text,label\na,b\n"
    assert read(text).columns == ("text", "label")
    assert read(text, has_header=False).columns == ("column 1", "column 2")
    assert len(read(text, has_header=False).records) == 2
    assert read("good,pos\nbad,neg\n", has_header=True).columns == ("good", "pos")


def test_without_a_header_the_usual_width_counts() -> None:
    assert read("a,b,c\n" + "d,e\n" * 5).columns == ("column 1", "column 2")


@pytest.mark.parametrize(
    ("text", "has_header", "message"),
    [
        ("text,label\n", None, "has a header but no rows"),
        ("good,pos\n", True, "has a header but no rows"),
        ("a,b\n" * 11, None, "more than 10 rows"),
        ("a,b,c,d\n" * 3, None, "4 columns; at most 3"),
        ('"a"b,c\nd,e\nf,g\n', True, "header cannot be read"),
        ("\n \n", None, "only white space"),
    ],
)
def test_a_file_that_cannot_be_a_table_says_why(text: str, has_header: bool | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(text, has_header)


def test_the_most_rows_that_are_allowed_are_read_below_a_header() -> None:
    assert len(read("text,label\n" + "a,b\n" * 10).records) == 10
    with pytest.raises(DataError, match="more than 10 rows"):
        read("text,label\n" + "a,b\n" * 11)
