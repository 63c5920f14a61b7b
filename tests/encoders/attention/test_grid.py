"""Small pictures of heads."""

from __future__ import annotations

import numpy as np
import pytest

from tl_core.encoders.attention.grid import thumbnails
from tl_core.errors import ConfigError


def test_cells_are_pooled_by_their_mean_as_in_a_worked_example() -> None:
    maps = np.array([[[[4, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0], [0, 0, 0, 1]]]], dtype=np.float32) / 4
    made = thumbnails(maps, size=2)
    # block means 0.25, 0.5, 0, 0.0625
    assert made.pixels.tolist() == [[[[128, 255], [0, 32]]]]
    assert made.largest.tolist() == [[0.5]]
    assert made.pixels.dtype == np.uint8


@pytest.mark.parametrize(("units", "size"), [(7, 3), (25, 24), (50, 24), (9, 9), (5, 1)])
def test_pixels_are_those_of_plain_loops_over_nearly_equal_blocks(units: int, size: int) -> None:
    maps = np.random.default_rng(1).random((2, 3, units, units)).astype(np.float32)
    borders = [-(-units * at // size) for at in range(size + 1)]
    lengths = np.diff(borders)
    assert lengths.max() - lengths.min() <= 1
    pooled = np.zeros((2, 3, size, size))
    for i in range(size):
        for j in range(size):
            block = maps[:, :, borders[i] : borders[i + 1], borders[j] : borders[j + 1]]
            pooled[:, :, i, j] = block.astype(np.float64).mean((-2, -1))
    made = thumbnails(maps, size)
    largest = pooled.max((-2, -1))
    assert made.largest == pytest.approx(largest, rel=1e-6)
    assert np.abs(made.pixels - pooled / largest[..., None, None] * 255).max() <= 0.501
    assert (made.pixels.max((-2, -1)) == 255).all()


def test_fewer_units_than_pixels_are_one_pixel_each() -> None:
    maps = np.eye(3, dtype=np.float32)[None, None] * np.float32(0.3)
    made = thumbnails(maps)
    assert np.array_equal(made.pixels[0, 0], 255 * np.eye(3))
    assert made.largest == pytest.approx(np.array([[0.3]]))


def test_each_head_has_its_own_scale_and_a_head_of_zeros_stays_black() -> None:
    maps = np.zeros((1, 3, 2, 2), dtype=np.float32)
    maps[0, 0] = 1e-3
    maps[0, 1] = [[1, 0], [0.5, 0.5]]
    made = thumbnails(maps)
    assert made.pixels[0].tolist() == [[[255, 255], [255, 255]], [[255, 0], [128, 128]], [[0, 0], [0, 0]]]
    assert made.largest[0].tolist() == pytest.approx([1e-3, 1, 0])


@pytest.mark.parametrize("size", [0, -3])
def test_a_picture_without_pixels_is_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=f"at least one pixel a side; got {size}"):
        thumbnails(np.ones((1, 1, 1, 1), dtype=np.float32), size)
