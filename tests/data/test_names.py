from __future__ import annotations

import pytest

from tl_core.data.names import LABEL_NAMES, TEXT_NAMES, is_known, is_number, name_rank


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("text", 3),
        ("Text_1", 3),
        ("reviewText", 3),
        ("movie_review", 2),
        ("영화리뷰", 2),
        ("text id", 1),
        ("label", 0),
    ],
)
def test_a_name_ranks_by_how_well_it_fits(name: str, rank: int) -> None:
    assert name_rank(name, TEXT_NAMES) == rank


def test_a_korean_compound_carries_its_head_at_the_end() -> None:
    assert name_rank("감성라벨", LABEL_NAMES) == 2
    assert name_rank("라벨번호", LABEL_NAMES) == 1


def test_prose_with_a_known_word_is_no_name() -> None:
    assert is_known("question_type")
    assert not is_known("a good title")
    assert not is_known("")


@pytest.mark.parametrize("cell", ["1", "-3.5", "1,234", "4e-5", "50%", " 7 ", ".5"])
def test_numbers_are_known(cell: str) -> None:
    assert is_number(cell)


@pytest.mark.parametrize("cell", ["", "a1", "nan", "1-2", "+", "12:30"])
def test_other_cells_are_no_numbers(cell: str) -> None:
    assert not is_number(cell)
