from __future__ import annotations

import numpy as np
import pytest

from tl_core.errors import ConfigError, DataError
from tl_core.vectors.movement import find_movement

WORDS = ("dull", "boring", "sharp", "knife")
BEFORE = np.array([[1.0, 0.1], [1, 0], [0.1, 1], [0, 1]], dtype=np.float32)


def after(**moved: tuple[float, float]) -> np.ndarray:
    table = BEFORE.copy()
    for word, vector in moved.items():
        table[WORDS.index(word)] = vector
    return table


def names(neighbours) -> list[str]:
    return [each.word for each in neighbours]


def test_four_words_of_which_one_changes_sides():
    """`sharp` was beside `knife`; in reviews it comes to stand opposite `dull`, beside nothing."""
    found = find_movement(WORDS, BEFORE, after(sharp=(1, 0)), k=2)
    [sharp] = found.most
    assert (sharp.word, sharp.row) == ("sharp", 2)
    assert sharp.distance == pytest.approx(1 - 0.1 / np.hypot(0.1, 1))
    assert names(sharp.before) == ["knife", "dull"]
    assert names(sharp.after) == ["boring", "dull"]
    assert sharp.after[0].score == pytest.approx(1)
    assert found.distances.tolist() == [0, 0, pytest.approx(sharp.distance), 0]
    assert found.moved == 1


def test_the_farthest_stand_first_and_length_does_not_count():
    table = after(dull=(-1, -0.1), knife=(1, 1), boring=(9, 0))
    found = find_movement(WORDS, BEFORE, table)
    assert names(found.most) == ["dull", "knife"]
    assert [each.distance for each in found.most] == pytest.approx([2, 1 - np.sqrt(0.5)])
    assert len(find_movement(WORDS, BEFORE, table, most=1).most) == 1


def test_a_vector_without_direction_is_left_out():
    found = find_movement(WORDS, BEFORE, after(knife=(0, 0), dull=(0, 1)))
    assert names(found.most) == ["dull"]
    assert np.isnan(found.distances[3])
    assert names(found.most[0].after) == ["sharp", "boring", "knife"]


def test_nothing_moved():
    found = find_movement(WORDS, BEFORE, BEFORE)
    assert found.most == ()
    assert found.moved == 0


def test_distances_and_neighbours_are_those_of_brute_force():
    random = np.random.default_rng(0)
    before = random.normal(size=(1500, 7)).astype(np.float32)
    table = before + random.normal(size=before.shape).astype(np.float32) / 3
    words = [f"w{at}" for at in range(1500)]
    found = find_movement(words, before, table, most=5, k=4)
    units = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (before, table)]
    wanted = 1 - (units[0] * units[1]).sum(axis=1)
    assert found.distances == pytest.approx(wanted, abs=1e-6)
    assert [each.row for each in found.most] == np.argsort(-wanted)[:5].tolist()
    for each in found.most:
        for unit, near in zip(units, (each.before, each.after), strict=True):
            cosines = unit @ unit[each.row]
            order = [at for at in np.argsort(-cosines) if at != each.row][:4]
            assert [one.row for one in near] == order
            assert [one.score for one in near] == pytest.approx(cosines[order], abs=1e-5)


def test_a_small_move_is_not_lost_in_rounding():
    table = BEFORE.astype(np.float64)
    turned = table.copy()
    turned[3] = [1e-5, 1]
    found = find_movement(WORDS, table.astype(np.float32), turned.astype(np.float32))
    assert found.most[0].distance == pytest.approx(5e-11, rel=1e-3)


def test_tables_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="same shape"):
        find_movement(WORDS, BEFORE, BEFORE[:, :1])
    with pytest.raises(DataError, match="one vector a word"):
        find_movement(WORDS[:3], BEFORE, BEFORE)
    with pytest.raises(DataError, match="vectors after hold numbers"):
        find_movement(WORDS, BEFORE, after(dull=(np.nan, 0)))
    with pytest.raises(ConfigError, match="at least 1; got 20 and 0"):
        find_movement(WORDS, BEFORE, BEFORE, k=0)
