from __future__ import annotations

import pytest

from tl_core.data.headers import column_names, looks_like_header, numbered_columns

BODY = [("A fine film", "pos"), ("A dull film", "neg"), ("Not for me", "neg"), ("Again!", "pos")]


@pytest.mark.parametrize(
    "first",
    [
        ("text", "label"),
        ("Review Text", "sentiment"),
        ("문서", "라벨"),
        ("리뷰내용", "감성분류"),
        ("foo", "bar"),
    ],
)
def test_a_row_of_names_is_a_header(first: tuple[str, str]) -> None:
    assert looks_like_header(first, BODY)


@pytest.mark.parametrize(
    "first",
    [("A good film", "pos"), ("12", "label"), ("x" * 80, "label"), ("", ""), ("Great title here", "neg")],
)
def test_a_row_of_data_is_no_header(first: tuple[str, str]) -> None:
    assert not looks_like_header(first, BODY)


def test_a_word_above_numbers_is_a_header() -> None:
    assert looks_like_header(("phrase", "value"), [("a", "1"), ("b", "2")])
    assert not looks_like_header(("good", "1"), [("bad", "0"), ("fine", "1")])


def test_a_known_name_that_is_a_common_value_is_no_header() -> None:
    body = [(kind, f"Text {number}") for number, kind in enumerate(["review", "story", "review"] * 5)]
    assert not looks_like_header(("review", "First text of all"), body)


def test_names_alone_are_a_header_without_rows() -> None:
    assert looks_like_header(("text", "label"), [])
    assert not looks_like_header(("hello", "pos"), [])


def test_names_are_made_unique_and_never_empty() -> None:
    assert column_names(("text", " text ", "", "text (2)", "a\0\nb")) == (
        "text",
        "text (2)",
        "column 3",
        "text (2) (2)",
        "a b",
    )
    assert len(column_names(("x" * 5000,))[0]) == 100
    assert numbered_columns(2) == ("column 1", "column 2")
