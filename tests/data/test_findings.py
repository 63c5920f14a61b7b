from __future__ import annotations

from tl_core.data.examples import Examples
from tl_core.data.findings import (
    Conflict,
    conflicts,
    duplicates,
    is_unequal,
    label_variants,
    overlap,
    small_classes,
    without_rows,
)


def examples(*pairs: tuple[str, str]) -> Examples:
    texts, labels = zip(*pairs)
    return Examples(texts, labels, tuple(range(2, len(pairs) + 2)))


FOUND = examples(("Good film", "pos"), ("bad", "neg"), ("good  FILM ", "pos"), ("BAD", "pos"), ("bad", "neg"))


def test_spellings_of_one_label_are_grouped() -> None:
    assert label_variants(["pos", "Pos", "neg", " pos", "pos", "New York", "new  york"]) == (
        ("pos", "Pos", " pos"),
        ("New York", "new  york"),
    )
    assert label_variants(["a", "b"]) == ()


def test_duplicates_have_the_same_text_and_label() -> None:
    assert duplicates(FOUND) == ((2, 4), (3, 6))


def test_conflicts_have_the_same_text_under_several_labels() -> None:
    assert conflicts(FOUND) == (Conflict("bad", ("neg", "pos"), (3, 5, 6)),)


def test_small_classes_are_counted() -> None:
    assert small_classes(FOUND, at_least=3) == {"neg": 2}
    assert small_classes(FOUND, at_least=2) == {}


def test_overlap_gives_the_rows_of_train() -> None:
    assert overlap(FOUND, examples(("BAD ", "x"), ("new", "y"))) == (3, 5, 6)
    assert overlap(FOUND, Examples((), (), ())) == ()


def test_rows_can_be_left_out() -> None:
    left = without_rows(FOUND, overlap(FOUND, examples(("bad", "x"))))
    assert left.rows == (2, 4)
    assert left.labels == ("pos", "pos")


def test_a_row_whose_group_is_tested_is_a_leak() -> None:
    train = Examples(("a", "b", "c"), ("x", "x", "y"), (1, 2, 3), ("kim", "", "lee"))
    test = Examples(("d", "e"), ("x", "y"), (1, 2), ("kim", ""))
    assert overlap(train, test) == (1,)
    assert overlap(train, Examples(("d",), ("x",), (1,))) == ()


def test_classes_are_unequal_from_three_times_as_many_rows_on() -> None:
    assert is_unequal([30, 10])
    assert not is_unequal([29, 10])
    assert not is_unequal([5])
    assert not is_unequal([])
