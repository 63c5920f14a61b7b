"""Maps of words: PCA against its definition, overlaps against brute force, and no crash on tiny sets."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.errors import ConfigError, DataError
from tl_core.vectors.projection import (
    MapConfig,
    comparable_neighbours,
    make_map,
    overlap_at_k,
    principal_components,
    shared_share,
)


def unit_vectors(words: int, width: int = 8, seed: int = 0) -> np.ndarray:
    return random_vectors(words, width, seed).columns.T.copy()


def groups_of_twelve(groups: int, width: int = 10) -> np.ndarray:
    """Words in tight groups that lie far from one another."""
    drawn = np.random.default_rng(0)
    rows = np.repeat(np.eye(groups, width), 12, axis=0) + 0.05 * drawn.normal(size=(12 * groups, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def brute_force_overlap(unit: np.ndarray, points: np.ndarray, k: int) -> list[float]:
    shares = []
    for row in range(len(unit)):
        others = [other for other in range(len(unit)) if other != row]
        true = sorted(others, key=lambda other: -float(unit[row] @ unit[other]))[:k]
        near = sorted(others, key=lambda other: float(np.linalg.norm(points[row] - points[other])))[:k]
        shares.append(len(set(true) & set(near)) / k)
    return shares


def test_pca_of_points_on_two_axes_gives_those_axes_and_their_shares() -> None:
    rows = np.array([[3, 0], [-3, 0], [0, 1], [0, -1]], dtype=np.float32)
    points, shares = principal_components(rows, 2)
    assert points == pytest.approx(rows, abs=1e-6)
    assert shares == pytest.approx((0.9, 0.1))  # 2 * 9 and 2 * 1 of 20


def test_pca_keeps_the_distances_of_vectors_that_lie_in_a_plane() -> None:
    drawn = np.random.default_rng(0)
    rows = (drawn.normal(size=(30, 2)) @ drawn.normal(size=(2, 9)) + 5).astype(np.float32)
    points, shares = principal_components(rows, 2)
    before = np.linalg.norm(rows[:, None] - rows[None], axis=2)
    after = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert after == pytest.approx(before, abs=1e-4)
    assert sum(shares) == pytest.approx(1)


def test_pca_agrees_with_the_eigenvectors_of_the_covariance() -> None:
    unit = unit_vectors(60)
    points, shares = principal_components(unit, 3)
    values, axes = np.linalg.eigh(np.cov(unit.astype(np.float64), rowvar=False))
    axes = axes[:, ::-1][:, :3]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(3)])
    assert points == pytest.approx((unit - unit.mean(axis=0)) @ axes, abs=1e-5)
    assert shares == pytest.approx(values[::-1][:3] / values.sum())


def test_pca_gives_zeros_for_axes_that_the_words_do_not_span() -> None:
    points, shares = principal_components(np.array([[1], [2], [3]], dtype=np.float32), 3)
    assert points[:, 0] == pytest.approx([-1, 0, 1])
    assert not points[:, 1:].any()
    assert shares == pytest.approx((1, 0, 0))


def test_a_pca_map_says_its_variance_and_the_neighbours_it_keeps() -> None:
    unit = unit_vectors(60)
    made = make_map(unit, MapConfig(dimensions=3))
    assert made.points.shape == (60, 3)
    assert made.points.dtype == np.float32
    assert len(made.variance) == 3
    assert made.notes == ()
    assert made.k == 10
    assert made.overlaps.tolist() == pytest.approx(brute_force_overlap(unit, made.points, 10))
    assert made.overlap == pytest.approx(made.overlaps.mean())
    assert made.overlap > 1.5 * made.chance
    assert made.chance == 10 / 59


@pytest.mark.parametrize("k", [1, 7, 79])
def test_overlaps_agree_with_brute_force(k: int) -> None:
    unit = unit_vectors(80)
    points = np.random.default_rng(1).normal(scale=50, size=(80, 2)).astype(np.float32)
    assert overlap_at_k(unit, points, k).tolist() == pytest.approx(brute_force_overlap(unit, points, k))


def test_a_map_that_is_the_space_itself_keeps_every_neighbour() -> None:
    angles = np.random.default_rng(0).uniform(0, 6, size=300)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert overlap_at_k(circle, 7 * circle, 10).mean() > 0.99


def test_points_in_one_place_are_no_neighbours_of_themselves() -> None:
    unit = unit_vectors(20)
    found = overlap_at_k(unit, np.zeros((20, 2), dtype=np.float32), 19)
    assert found.tolist() == [1.0] * 20


def test_k_must_leave_the_word_itself_out() -> None:
    with pytest.raises(ConfigError, match="k must be between 1 and 4, the other words; got 5"):
        overlap_at_k(unit_vectors(5), np.zeros((5, 2), dtype=np.float32), 5)


def test_two_lists_share_what_both_hold_in_any_order() -> None:
    found = shared_share(np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([[4, 9, 1, 3], [0, 1, 2, 3]]))
    assert found.tolist() == [0.75, 0.0]


def test_at_most_half_of_the_other_words_are_compared() -> None:
    assert [comparable_neighbours(words, 10) for words in (3, 5, 13, 21, 400)] == [1, 2, 6, 10, 10]


def test_tsne_keeps_groups_together_and_gives_the_same_map_again() -> None:
    unit = groups_of_twelve(4)
    config = MapConfig(method="tsne", perplexity=8, iterations=300)
    made = make_map(unit, config, k=11)
    assert made.points.shape == (48, 2)
    assert made.variance == made.notes == ()
    centres = made.points.reshape(4, 12, 2).mean(axis=1)
    nearest = np.linalg.norm(made.points[:, None] - centres[None], axis=2).argmin(axis=1)
    assert nearest.tolist() == np.repeat(range(4), 12).tolist()
    assert np.array_equal(made.points, make_map(unit, config, k=11).points)


def test_a_perplexity_too_large_is_lowered_with_a_note() -> None:
    made = make_map(unit_vectors(13), MapConfig(method="tsne", iterations=250))
    assert made.notes == (
        "Perplexity 30 needs more than 90 words; 4 was used for 13 words.",
        "Nearest words compared in the overlap: 6, not 10; with only 12 others, most would agree by chance.",
    )


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("kind", ["three words", "four words", "all alike", "pairs", "a vector of zeros"])
def test_the_smallest_and_the_dullest_sets_have_a_map_without_warnings(
    method: str, dimensions: int, kind: str
) -> None:
    unit = unit_vectors({"three words": 3, "four words": 4}.get(kind, 40), width=5)
    if kind == "all alike":
        unit[:] = unit[0]
    if kind == "pairs":
        unit[20:] = unit[:20]
    if kind == "a vector of zeros":
        unit[7] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = make_map(unit, MapConfig(method=method, dimensions=dimensions, iterations=250))
    assert made.points.shape == (len(unit), dimensions)
    assert np.isfinite(made.points).all()
    assert ((made.overlaps >= 0) & (made.overlaps <= 1)).all()
    assert np.isfinite(made.variance).all()


def test_umap_makes_a_quiet_map_of_few_and_of_more_words(capfd: pytest.CaptureFixture[str]) -> None:
    config = MapConfig(method="umap")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = make_map(groups_of_twelve(3), config, k=11)
        again = make_map(groups_of_twelve(3), config, k=11)
        three = make_map(unit_vectors(3), MapConfig(method="umap", dimensions=3))
        alike = make_map(np.repeat(unit_vectors(1), 20, axis=0), config)
    assert made.notes == ("A fixed seed makes UMAP use one core.",)
    assert made.overlap > 0.8 > 2 * made.chance
    assert np.array_equal(made.points, again.points)
    assert three.points.shape == (3, 3)
    assert three.notes[0] == "15 neighbours need as many words; 3 were used for 3 words."
    assert np.isfinite(three.points).all()
    assert np.isfinite(alike.points).all()
    printed = capfd.readouterr()
    assert printed.out + printed.err == ""


def test_two_words_are_too_few_for_a_map() -> None:
    with pytest.raises(DataError, match="A map needs at least 3 words; got 2"):
        make_map(unit_vectors(2), MapConfig())


def test_settings_out_of_bounds_are_refused() -> None:
    with pytest.raises(ConfigError, match="MapConfig.method must be one of pca, tsne, umap; got 'lda'"):
        MapConfig(method="lda")
    with pytest.raises(ConfigError, match="MapConfig.dimensions must be between 2 and 3; got 4"):
        MapConfig(dimensions=4)


def test_the_five_royal_words_have_a_map() -> None:
    vectors = royal_vectors()
    made = make_map(vectors.unit_rows(range(5)), MapConfig())
    assert made.k == 2
    assert made.points.shape == (5, 2)


def test_a_parallelogram_lies_in_its_plane():
    man, woman, king, queen = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]], dtype=np.float32)
    points, variance = principal_components(np.stack([man, woman, king, queen]), 2)
    np.testing.assert_allclose(points[2] - points[0], points[3] - points[1], atol=1e-5)
    assert sum(variance) == pytest.approx(1.0)
