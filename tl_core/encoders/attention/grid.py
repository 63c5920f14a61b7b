"""Every head at a glance: its attention as a small grey picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.maps import Maps
from tl_core.errors import ConfigError

LARGEST_PIXEL = 255


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnails:
    """A picture of every head, (L, H, s, s), in which 255 stands for `largest` (L, H), its own largest pixel."""

    pixels: NDArray[np.uint8]
    largest: NDArray[np.float32]


def thumbnails(maps: Maps, size: int = 24) -> Thumbnails:
    """Attention between U units, (L, H, U, U), as pictures of at most `size` pixels a side.

    A pixel is the mean over a block of cells; blocks differ by at most one cell a side. A head of zeros
    stays black. ConfigError for a size below one.
    """
    if size < 1:
        raise ConfigError("A picture has at least one pixel a side; got {size}.", size=size)
    layers, heads, units, _ = maps.shape
    pooling = _pooling(units, min(size, units))
    side = len(pooling)
    pixels = np.empty((layers, heads, side, side), dtype=np.uint8)
    largest = np.empty((layers, heads), dtype=np.float32)
    for layer, attention in enumerate(maps):
        pooled = pooling @ (attention @ pooling.T)
        largest[layer] = pooled.max((-2, -1))
        scale = np.where(largest[layer] > 0, largest[layer], 1)[:, None, None]
        pixels[layer] = np.rint(pooled / scale * LARGEST_PIXEL)
    return Thumbnails(pixels, largest)


def _pooling(units: int, side: int) -> NDArray[np.float32]:
    """The mean over each of `side` blocks of units, as a matrix: (side, U), rows sum to one."""
    block_of = np.arange(units) * side // units
    blocks = (block_of == np.arange(side)[:, None]).astype(np.float32)
    shares: NDArray[np.float32] = blocks / blocks.sum(1, keepdims=True)
    return shares
