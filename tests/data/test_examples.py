from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tl_core.data.columns import Columns
from tl_core.data.examples import (
    Examples,
    label_key,
    read_examples,
    text_key,
    texts_of,
    to_examples,
    write_examples,
)
from tl_core.data.tables import Refused, Table, read_table
from tl_core.errors import DataError

TEXT_LABEL = Columns(("text",), "label")


def table(content: str) -> Table:
    return read_table(content.encode(), "a.csv", has_header=True)


def test_rows_become_stripped_examples() -> None:
    examples = to_examples(table("text,label\n  good <br /> film , pos \nbad,neg\n"), TEXT_LABEL).examples
    assert examples == Examples(("good <br /> film", "bad"), ("pos", "neg"), (2, 3))
    assert len(examples) == 2
    assert examples.classes == ("neg", "pos")


def test_counts_are_sorted_by_label() -> None:
    examples = Examples(("a", "b", "c"), ("z", "a", "z"), (1, 2, 3))
    assert list(examples.counts.items()) == [("a", 1), ("z", 2)]


def test_take_keeps_the_given_order_and_accepts_arrays() -> None:
    examples = Examples(("a", "b", "c"), ("x", "y", "z"), (5, 6, 7))
    assert examples.take(np.array([2, 0])) == Examples(("c", "a"), ("z", "x"), (7, 5))
    assert len(examples.take([])) == 0


def test_rows_without_text_or_label_are_refused_in_order() -> None:
    found = to_examples(table("text,label\n ,pos\na,b,c\nfine,pos\ngood, \n,\n"), TEXT_LABEL)
    assert found.examples.rows == (4,)
    assert [each.row for each in found.refused] == [2, 3, 5, 6]
    assert found.refused[0] == Refused(2, "empty text")
    assert found.refused[2] == Refused(5, "empty label")
    assert found.refused[3] == Refused(6, "empty text")


def test_several_text_columns_become_lines_without_empty_ones() -> None:
    read = table("title,text,label\nHead,Body,x\n,Only,x\nTop,,x\n,,x\n")
    found = to_examples(read, Columns(("title", "text"), "label"))
    assert found.examples.texts == ("Head\nBody", "Only", "Top")
    assert found.refused == (Refused(5, "empty text"),)


def test_unicode_forms_are_left_as_they_are() -> None:
    decomposed = "가나"
    assert to_examples(table(f"text,label\n{decomposed},x\n"), TEXT_LABEL).examples.texts == (decomposed,)


def test_labels_merge_to_the_most_frequent_spelling_only_when_asked() -> None:
    read = table("text,label\na,POS\nb,pos\nc,pos \nd,New  York\ne,new york\n")
    assert to_examples(read, TEXT_LABEL).examples.labels == ("POS", "pos", "pos", "New  York", "new york")
    merged = to_examples(read, TEXT_LABEL, merge_labels=True).examples
    assert merged.labels == ("pos", "pos", "pos", "New  York", "New  York")


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(DataError, match=r"a\.csv has no column 'klass'\. It has: text, label\."):
        to_examples(table("text,label\na,b\n"), Columns(("text",), "klass"))
    with pytest.raises(DataError, match="no column 'body'"):
        texts_of(table("text,label\na,b\n"), ("body",))


@pytest.mark.parametrize(
    "columns", [Columns(("text",), None), Columns((), "label"), Columns(("text",), "text")]
)
def test_columns_that_cannot_make_examples_are_refused(columns: Columns) -> None:
    with pytest.raises(DataError):
        to_examples(table("text,label\na,b\n"), columns)


def test_texts_to_predict_keep_order_and_empty_ones() -> None:
    assert texts_of(table("text,label\n a ,x\n,y\nc,z\n"), ("text",)) == ["a", "", "c"]


def test_the_key_of_a_text_ignores_case_and_white_space() -> None:
    assert text_key("  Straße\n NR  1 ") == text_key("STRASSE nr 1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Caf\u00e9 au lait", "Cafe\u0301 au lait"),
        ("\uc88b\uc544\uc694", "\u110c\u1169\u11c2\u110b\u1161\u110b\u116d"),
        ("a zero\u200bwidth space", "a zerowidth space"),
        ("\uff27\uff4f\uff4f\uff44 film", "Good film"),
        ("<b>Good</b> film<br />", "good film"),
        ("salt &amp; pepper", "salt & pepper"),
        ("Good film!!!", "good, film."),
    ],
)
def test_near_equal_texts_share_a_key(one: str, other: str):
    assert text_key(one) == text_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("3.5 stars", "35 stars"), (":-)", ":-("), ("!!!", "???"), ("a < b", "a > c")]
)
def test_texts_that_differ_in_more_keep_their_own_key(one: str, other: str):
    assert text_key(one) != text_key(other)


def test_labels_keep_their_punctuation():
    assert label_key("C++") != label_key("C") != label_key("C#")
    assert label_key("\uff21 b\u200b") == label_key("a  B")


def test_examples_come_back_from_disk_as_they_were(tmp_path: Path) -> None:
    examples = Examples(('영화 \n "good" \u2028 x\x85', "b"), ("긍정", "neg"), (2, 7))
    write_examples(tmp_path / "data.jsonl", examples)
    assert read_examples(tmp_path / "data.jsonl") == examples
    assert "영화" in (tmp_path / "data.jsonl").read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["data.jsonl"]


def test_no_examples_come_back_as_none(tmp_path: Path) -> None:
    write_examples(tmp_path / "data.jsonl", Examples((), (), ()))
    assert len(read_examples(tmp_path / "data.jsonl")) == 0


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[1]",
        b'"text"',
        b"",
        b'{"text": "a", "label": "b"}',
        b'{"text": 1, "label": "b", "row": 1}',
        b'{"text": "a", "label": "b", "row": true}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_broken_line_is_named_by_file_and_number(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "data.jsonl").write_bytes(b'{"text": "a", "label": "b", "row": 1}\n' + line + b"\n")
    with pytest.raises(DataError, match=r"data\.jsonl, line 2:"):
        read_examples(tmp_path / "data.jsonl")


def test_a_missing_file_of_examples_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.jsonl cannot be opened"):
        read_examples(tmp_path / "data.jsonl")


def test_groups_come_from_their_column_and_back_from_disk(tmp_path: Path) -> None:
    rows = table("text,label,customer\na,x,kim\nb,y,\n,y,lee\nc,x, kim \n")
    examples = to_examples(rows, Columns(("text",), "label", "customer")).examples
    assert examples.groups == ("kim", "", "kim")
    assert examples.take([2, 0]).groups == ("kim", "kim")
    write_examples(tmp_path / "rows.jsonl", examples)
    assert read_examples(tmp_path / "rows.jsonl") == examples
    (tmp_path / "rows.jsonl").write_text(
        '{"text": "a", "label": "x", "row": 1, "group": "g"}\n{"text": "b", "label": "y", "row": 2}\n',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match="some of its lines only"):
        read_examples(tmp_path / "rows.jsonl")


@pytest.mark.parametrize("group", ["text", "label", "nowhere"])
def test_a_group_column_that_cannot_be_one_is_refused(group: str) -> None:
    with pytest.raises(DataError, match=f"'{group}'"):
        to_examples(table("text,label\na,b\n"), Columns(("text",), "label", group))
