"""What is shown on an axis, and attention between it."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from tests.encoders.tiny import tiny_tokenizer
from tl_core.encoders.attention.maps import Maps
from tl_core.encoders.attention.units import Unit, UnitMaps, filtered, mixed, unit_maps, units_of
from tl_core.errors import ConfigError, DataError
from tl_core.text.inputs import ModelInput, ModelInputs
from tl_core.text.places import members

FAMILIES = ("bert", "roberta", "xlm-roberta", "xlnet", "gpt2")


def read(text: str, pair: str = "", family: str = "bert") -> ModelInput:
    return ModelInputs(tiny_tokenizer(family)[0], text, pair, max_tokens=600)[0]


def random_maps(shown: ModelInput, layers: int = 2, heads: int = 3) -> Maps:
    rows = np.random.default_rng(0).dirichlet(np.ones(len(shown)), size=(layers, heads, len(shown)))
    return rows.astype(np.float32)


def test_words_are_shown_as_they_were_written() -> None:
    made = units_of(read("The  kings", "hating."))
    assert made.units == (
        Unit("The", 0, 0, 3),
        Unit("kings", 0, 5, 10),
        Unit("hating", 1, 0, 6),
        Unit(".", 1, 6, 7),
    )
    # [CLS] the king ##s [SEP] h ##a ##t ##ing . [SEP]
    assert made.groups.tolist() == [
        [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0],
    ]


def test_special_tokens_stand_among_the_words_in_the_order_of_tokens() -> None:
    made = units_of(read("The kings", "cats"), special=True)
    assert [unit.text for unit in made.units] == ["[CLS]", "The", "kings", "[SEP]", "cats", "[SEP]"]
    assert [unit.side for unit in made.units] == [-1, 0, 0, -1, 1, -1]
    assert made.groups.sum(0).tolist() == [1.0] * made.groups.shape[1]


def test_pieces_are_the_characters_at_their_offsets_and_unknown_ones_too() -> None:
    made = units_of(read("The kings 한국"), pieces=True)
    assert [unit.text for unit in made.units] == ["The", "king", "s", "한국"]
    assert made.units[2] == Unit("s", 0, 8, 9)


@pytest.mark.parametrize("family", ["roberta", "gpt2"])
def test_a_blank_before_a_word_is_not_shown_with_it_and_one_alone_as_it_is_spelled(family: str) -> None:
    made = units_of(read("boy  cat", family=family), pieces=True)
    assert [unit.text for unit in made.units][-2:] == ["Ġ", "cat"]
    assert made.units[-1] == Unit("cat", 0, 5, 8)


def test_a_lone_metaspace_is_spelled_as_it_covers_no_character() -> None:
    made = units_of(read("A cat", family="xlm-roberta"), pieces=True)
    assert [unit.text for unit in made.units] == ["▁", "A", "cat"]


def test_a_token_that_reaches_beyond_its_word_is_shown_as_it_is_spelled() -> None:
    shown = read("on.")
    wide = shown.offsets.copy()
    wide[1] = (0, 3)
    made = units_of(replace(shown, offsets=wide, tokens=("[CLS]", "on.", ".", "[SEP]")), pieces=True)
    assert made.units[0] == Unit("on.", 0, 0, 3)


@pytest.mark.parametrize("family", FAMILIES)
def test_all_tokens_of_every_family_are_units_of_their_own(family: str) -> None:
    shown = read('The  "kings", she said.\n한국', "" if family == "gpt2" else "A cat was hating.", family)
    made = units_of(shown, pieces=True, special=True)
    assert np.array_equal(made.groups, np.eye(len(shown)))
    assert all(unit.text for unit in made.units)
    maps = random_maps(shown)
    whole = unit_maps(maps, shown, pieces=True, special=True)
    assert whole.maps == pytest.approx(maps, abs=1e-6)
    assert whole.hidden == pytest.approx(np.zeros((2, 3)), abs=1e-6)


def test_nothing_to_show_is_refused() -> None:
    with pytest.raises(DataError, match="no words that could be shown"):
        units_of(read("   ", family="gpt2"))


def test_a_word_receives_the_sum_and_gives_the_mean_as_in_a_worked_example() -> None:
    shown = read("the kings")  # [CLS] the king ##s [SEP]
    maps = np.zeros((1, 1, 5, 5), dtype=np.float32)
    maps[0, 0] = [
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.2, 0.4, 0.1, 0.1, 0.2],
        [0.0, 0.4, 0.2, 0.2, 0.2],
        [0.2, 0.0, 0.3, 0.1, 0.4],
        [0.0, 0.0, 0.0, 0.0, 1.0],
    ]
    made = unit_maps(maps, shown)
    # the: 0.4, 0.2 of 0.6; kings: mean of (0.4, 0.4) and (0, 0.4) = (0.2, 0.4) of 0.6
    assert made.maps[0, 0] == pytest.approx(np.array([[2 / 3, 1 / 3], [1 / 3, 2 / 3]]), abs=1e-6)
    assert made.hidden == pytest.approx(np.array([[0.4]]), abs=1e-6)
    assert made.maps.dtype == made.hidden.dtype == np.float32


def test_attention_between_words_is_that_of_the_readers_in_double_precision() -> None:
    shown = read("the kings, hating", "a cat")
    maps, groups = random_maps(shown), members(shown.word_of, len(shown.words))
    given = (groups / groups.sum(1, keepdims=True)) @ maps.astype(np.float64) @ groups.T
    made = unit_maps(maps, shown)
    assert made.maps == pytest.approx(given / given.sum(-1, keepdims=True), abs=1e-6)
    assert made.hidden == pytest.approx(1 - given.sum(-1).mean(-1), abs=1e-6)


def test_a_row_that_shows_nothing_stays_zero() -> None:
    shown = read("the cat")
    maps = np.zeros((1, 1, 4, 4), dtype=np.float32)
    maps[..., -1] = 1
    made = unit_maps(maps, shown)
    assert made.maps.tolist() == [[[[0, 0], [0, 0]]]]
    assert made.hidden.tolist() == [[1]]


def test_large_maps_are_not_copied_as_a_whole() -> None:
    shown = read("cat " * 254)
    maps = np.full((8, 2, 256, 256), 1 / 256, dtype=np.float32)
    tracemalloc.start()
    made = unit_maps(maps, shown)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < made.maps.nbytes + maps.nbytes * 0.6


def worked() -> UnitMaps:
    units = (Unit("a", 0, 0, 1), Unit("b", 0, 2, 3))
    first, second = [[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.9, 0.1]]
    maps = np.array([[first, second]], dtype=np.float32)
    return UnitMaps(units, maps, np.zeros((1, 2), dtype=np.float32))


def test_mean_and_largest_value_of_heads() -> None:
    maps = worked()
    heads = [(0, 0), (0, 1)]
    assert mixed(maps, heads, "mean") == pytest.approx(np.array([[0.5, 0.5], [0.7, 0.3]]))
    assert mixed(maps, heads, "max") == pytest.approx(np.array([[1, 1], [0.9, 0.5]]))
    assert mixed(maps, [(0, 0), (0, 1), (0, 0)]) == pytest.approx(mixed(maps, heads))
    assert maps.maps[0, 0].tolist() == [[1, 0], [0.5, 0.5]]


@pytest.mark.parametrize("how", ["mean", "max"])
def test_one_head_is_itself_and_a_copy(how: str) -> None:
    maps = worked()
    alone = mixed(maps, [(0, 1)], how)  # type: ignore[arg-type]
    assert np.array_equal(alone, maps.maps[0, 1])
    assert not np.shares_memory(alone, maps.maps)


@pytest.mark.parametrize("head", [(1, 0), (0, 2), (-1, 0), (0, -1)])
def test_a_head_that_is_not_there_is_refused(head: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="1 layers of 2 heads"):
        mixed(worked(), [(0, 0), head])


def test_no_head_and_another_way_of_mixing_are_refused() -> None:
    with pytest.raises(ConfigError, match="No head is chosen"):
        mixed(worked(), [])
    with pytest.raises(ConfigError, match="mean or max; got 'median'"):
        mixed(worked(), [(0, 0)], "median")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("direction", "kept"),
    [
        ("all", ["sss", "sss", "sss"]),
        ("first to second", ["...", "..s", "..."]),
        ("second to first", ["...", "...", ".s."]),
        ("within", ["...", ".s.", "..s"]),
    ],
)
def test_cells_outside_a_direction_are_nan(direction: str, kept: list[str]) -> None:
    units = [Unit("[CLS]", -1, 0, 0), Unit("a", 0, 0, 1), Unit("b", 1, 0, 1)]
    matrix = np.arange(9, dtype=np.float32).reshape(3, 3)
    left = filtered(matrix, units, direction)  # type: ignore[arg-type]
    expected = np.array([[each == "s" for each in row] for row in kept])
    assert np.array_equal(~np.isnan(left), expected)
    assert np.array_equal(left[expected], matrix[expected])
    assert left.dtype == np.float32
    assert not np.shares_memory(left, matrix)


def test_another_direction_is_refused() -> None:
    with pytest.raises(ConfigError, match="got 'up'"):
        filtered(np.zeros((0, 0), dtype=np.float32), [], "up")  # type: ignore[arg-type]
