"""How far heads moved, against the distance of scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from tl_core.encoders.attention.change import ChangeSum, head_distance
from tl_core.encoders.attention.maps import Maps
from tl_core.errors import DataError


def random_maps(tokens: int, seed: int, layers: int = 2, heads: int = 3) -> Maps:
    rows = np.random.default_rng(seed).dirichlet(np.full(tokens, 0.2), size=(layers, heads, tokens))
    return rows.astype(np.float32)


def test_distance_is_the_mean_over_rows_of_scipys() -> None:
    before, after = random_maps(7, 0), random_maps(7, 1)
    before[0, 0, 0] = [1, 0, 0, 0, 0, 0, 0]
    expected = jensenshannon(before.astype(np.float64), after.astype(np.float64), base=2, axis=-1).mean(-1)
    assert head_distance(before, after) == pytest.approx(expected, abs=1e-9)
    assert head_distance(after, before) == pytest.approx(expected, abs=1e-9)


def test_the_same_attention_is_exactly_0_apart_and_disjoint_attention_1() -> None:
    maps = random_maps(9, 2)
    assert np.array_equal(head_distance(maps, maps.copy()), np.zeros((2, 3)))
    first, second = np.zeros((1, 1, 3, 3), dtype=np.float32), np.zeros((1, 1, 3, 3), dtype=np.float32)
    first[..., 0], second[..., 1:] = 1, 0.5
    assert head_distance(first, second).tolist() == [[1]]


def test_distance_of_a_worked_example() -> None:
    before = np.array([[[[1, 0], [0.5, 0.5]]]], dtype=np.float32)
    after = np.array([[[[0.5, 0.5], [0.5, 0.5]]]], dtype=np.float32)
    divergence = (np.log2(4 / 3) + 0.5 * np.log2(2 / 3) + 0.5 * np.log2(2)) / 2
    assert head_distance(before, after) == pytest.approx(np.array([[np.sqrt(divergence) / 2]]))


def test_a_small_change_stays_a_small_distance() -> None:
    before = np.full((1, 1, 64, 64), 1 / 64, dtype=np.float32)
    after = before * np.float32(1 + 1e-6)  # as rounding leaves it: no change at all
    assert head_distance(before, after).max() < 1e-6


def test_maps_of_different_shapes_are_refused() -> None:
    with pytest.raises(DataError, match="cannot be compared"):
        head_distance(random_maps(3, 0), random_maps(4, 0))


def test_inputs_count_by_their_tokens() -> None:
    change = ChangeSum()
    distances = []
    for tokens in (3, 9):
        before, after = random_maps(tokens, 0), random_maps(tokens, 1)
        change.add(before, after)
        distances.append(head_distance(before, after))
    assert change.rows == 12
    assert change.result() == pytest.approx((3 * distances[0] + 9 * distances[1]) / 12)


def test_a_sum_of_nothing_and_of_two_encoders_is_refused() -> None:
    change = ChangeSum()
    with pytest.raises(DataError, match="No text was compared"):
        change.result()
    change.add(random_maps(3, 0), random_maps(3, 1))
    with pytest.raises(DataError, match="Keep to one encoder"):
        change.add(random_maps(3, 0, heads=1), random_maps(3, 1, heads=1))
    assert change.rows == 3
