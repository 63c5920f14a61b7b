from __future__ import annotations

import numpy as np
import pytest

from tl_core.encoders.movement.similarity import layer_similarity, linear_cka
from tl_core.errors import DataError


def made(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32) + 3


def cka_by_hsic(a: np.ndarray, b: np.ndarray) -> float:
    """CKA with the unbiased HSIC as Song et al. (2012, eq. 5) write it: kernels without their diagonals."""
    count, ones = len(a), np.ones(len(a))

    def hsic(k: np.ndarray, other: np.ndarray) -> float:
        k, other = k - np.diag(np.diag(k)), other - np.diag(np.diag(other))
        whole = (ones @ k @ ones) * (ones @ other @ ones) / ((count - 1) * (count - 2))
        mixed = 2 / (count - 2) * (ones @ k @ other @ ones)
        return float(np.trace(k @ other) + whole - mixed) / (count * (count - 3))

    k, other = (np.asarray(each, dtype=np.float64) @ np.asarray(each, dtype=np.float64).T for each in (a, b))
    return min(1.0, max(0.0, hsic(k, other) / np.sqrt(hsic(k, k) * hsic(other, other))))


@pytest.mark.parametrize(("rows", "widths"), [(40, (6, 9)), (7, (20, 30)), (12, (4, 25)), (9, (3, 3))])
def test_it_is_what_the_definition_by_hsic_gives(rows: int, widths: tuple[int, int]):
    a, b = made(rows, widths[0], 1), made(rows, widths[1], 2)
    assert linear_cka(a, b) == pytest.approx(cka_by_hsic(a, b), abs=1e-9)
    mixed = np.hstack([a[:, :2], b])
    assert linear_cka(a, mixed) == pytest.approx(cka_by_hsic(a, mixed), abs=1e-9)
    assert linear_cka(a, b) == pytest.approx(linear_cka(b, a), abs=1e-12)


@pytest.mark.parametrize(("rows", "width"), [(50, 8), (8, 50)])
def test_rotation_scale_and_mean_do_not_count(rows: int, width: int):
    a, b = made(rows, width, 1), made(rows, width, 2)
    rotation, _ = np.linalg.qr(made(width, width, 3).astype(np.float64))
    assert linear_cka(a, a) == pytest.approx(1, abs=1e-12)
    assert linear_cka(a, (a - 3) @ rotation * 170 + 5) == pytest.approx(1, abs=1e-6)
    assert linear_cka(a @ rotation * 0.01, b + 9) == pytest.approx(linear_cka(a, b), abs=1e-6)


def test_another_scale_for_each_axis_counts():
    a = made(50, 8)
    assert linear_cka(a, (a - 3) * np.geomspace(1, 50, 8)) < 0.9


def test_a_part_of_the_axes_is_a_part_of_the_similarity():
    a = np.random.default_rng(0).normal(size=(4000, 2))
    assert linear_cka(a, a[:, :1]) == pytest.approx(1 / np.sqrt(2), abs=0.03)  # as without noise: 1 / sqrt(2)
    assert linear_cka(a[:, :1], a[:, 1:]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rows", [20, 100, 1000])
def test_unrelated_states_are_unlike_however_few_the_texts(rows: int):
    """The plain estimate comes to 0.95 with 20 texts and 0.28 with 1,000 for states of 384 numbers."""
    found = [linear_cka(made(rows, 384, 2 * seed), made(rows, 384, 2 * seed + 1)) for seed in range(5)]
    assert np.mean(found) < 0.05


@pytest.mark.parametrize("scale", [1e-20, 1e15])
def test_very_small_and_very_large_states_are_compared(scale: float):
    a, b = made(20, 4, 1).astype(np.float64), made(20, 4, 2).astype(np.float64)
    assert linear_cka(a * scale, b) == pytest.approx(linear_cka(a, b), rel=1e-6)


def test_what_cannot_be_compared_is_refused():
    a = made(5, 3)
    with pytest.raises(DataError, match="same rows"):
        linear_cka(a, made(4, 3))
    with pytest.raises(DataError, match="at least 4 texts"):
        linear_cka(a[:3], a[:3])
    with pytest.raises(DataError, match="not defined"):
        linear_cka(a, np.full((5, 3), 0.3))
    with pytest.raises(DataError, match="not defined"):
        linear_cka(np.zeros((5, 3)), a)
    with pytest.raises(DataError, match="not finite"):
        linear_cka(a, np.full((5, 3), np.nan))
    with pytest.raises(DataError, match="one by one"):
        layer_similarity([a], [a, a])
