from __future__ import annotations

import pytest

from tl_core.data.columns import Columns, guess_columns
from tl_core.data.tables import read_table

TEXTS = [f"A sentence of some length with the number {number}." for number in range(12)]
TITLES = [f"Short title {number}" for number in range(12)]
LABELS = ["pos", "neg", "neg"] * 4


def guess(header: str, *columns: list[str]) -> Columns:
    body = "\n".join("|".join(cells) for cells in zip(*columns))
    content = f"{header}\n{body}\n" if header else body
    return guess_columns(read_table(content.encode(), "a.csv", has_header=bool(header)))


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("text|label", "text", "label"),
        ("review|sentiment", "review", "sentiment"),
        ("Movie Review|Class", "Movie Review", "Class"),
        ("question|question_type", "question", "question_type"),
        ("문서|라벨", "문서", "라벨"),
        ("리뷰내용|감성분류", "리뷰내용", "감성분류"),
        ("foo|bar", "foo", "bar"),
    ],
)
def test_text_and_label_are_found(header: str, text: str, label: str) -> None:
    assert guess(header, TEXTS, LABELS) == Columns((text,), label)
    turned = "|".join(reversed(header.split("|")))
    assert guess(turned, LABELS, TEXTS) == Columns((text,), label)


def test_without_a_header_content_decides() -> None:
    assert guess("", LABELS, TEXTS) == Columns(("column 2",), "column 1")


def test_a_title_beside_a_description_gives_both() -> None:
    both = ("title", "description")
    assert guess("class|title|description", LABELS, TITLES, TEXTS) == Columns(both, "class")
    assert guess("description|title", TEXTS, TITLES) == Columns(both, None)


def test_prose_columns_without_names_are_all_text() -> None:
    titles = [f"A title of words {number}" for number in range(12)]
    assert guess("", LABELS, titles, TEXTS) == Columns(("column 2", "column 3"), "column 1")


@pytest.mark.parametrize("ids", [[str(n * 7) for n in range(12)], [f"abc-{n}" for n in range(12)]])
@pytest.mark.parametrize("name", ["id", "번호", "xyz"])
def test_an_id_is_neither_text_nor_label(ids: list[str], name: str) -> None:
    assert guess(f"{name}|document|label", ids, TEXTS, LABELS) == Columns(("document",), "label")
    assert guess(f"{name}|foo", ids, TEXTS) == Columns(("foo",), None)


def test_an_id_is_taken_where_there_is_nothing_else() -> None:
    assert guess("id", [str(number) for number in range(12)]) == Columns(("id",), None)


def test_a_sentiment_is_preferred_to_a_domain() -> None:
    domains = ["books", "films", "music", "books"] * 3
    assert guess("review|domain|sentiment", TEXTS, domains, LABELS).label == "sentiment"


def test_a_number_may_be_a_label() -> None:
    assert guess("document|label", TEXTS, ["0", "1"] * 6) == Columns(("document",), "label")


def test_one_class_alone_is_a_label_only_by_name() -> None:
    assert guess("text|label", TEXTS, ["pos"] * 12).label == "label"
    assert guess("text|foo", TEXTS, ["pos"] * 12).label is None


def test_every_row_its_own_label_is_allowed_in_a_small_named_table() -> None:
    assert guess("text|label", TEXTS[:3], ["a", "b", "c"]).label == "label"


def test_a_measured_score_is_no_label() -> None:
    texts = TEXTS * 4
    assert guess("text|score", texts, [f"0.{number:03}" for number in range(48)]).label is None


def test_a_date_or_language_is_no_label() -> None:
    assert guess("review|lang", TEXTS, ["en", "ko"] * 6).label is None


def test_an_unlabelled_file_has_no_label() -> None:
    assert guess("review", TEXTS) == Columns(("review",), None)


def test_a_label_text_beside_a_label_stays_out_of_the_text() -> None:
    assert guess("text|label|label_text", TEXTS, ["1", "0", "0"] * 4, LABELS) == Columns(("text",), "label")


def test_fasttext_lines_are_told_apart() -> None:
    table = read_table(b"__label__a some words here\n__label__b other words\n", "a.txt")
    assert guess_columns(table) == Columns(("text",), "label")


def test_a_file_sorted_by_class_shows_all_its_classes() -> None:
    rows = [f"text number {n} of many|{'pos' if n < 4000 else 'neg'}" for n in range(8000)]
    table = read_table("\n".join(rows).encode(), "a.csv", has_header=False)
    assert guess_columns(table).label == "column 2"
