"""Two vector sets compared: a planted rotation is found back, and a planted moved word comes first."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.errors import ConfigError, DataError
from tl_core.vectors.alignment import align, overlaps, shared_words
from tl_core.vectors.space import WordVectors, make_vectors


def random_rotation(width: int, seed: int = 7) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0].astype(np.float32)


def turned(vectors: WordVectors, rotation: np.ndarray) -> WordVectors:
    """The same words backwards, their vectors turned and made longer."""
    return make_vectors("turned", vectors.words[::-1], (3 * vectors.rows @ rotation)[::-1])


def test_a_planted_rotation_is_found_back_and_nothing_has_moved() -> None:
    vectors, rotation = random_vectors(60, 6), random_rotation(6)
    found = align(vectors, turned(vectors, rotation))
    assert found.rotation == pytest.approx(rotation, abs=1e-5)
    assert found.moved == pytest.approx(np.zeros(60), abs=1e-5)
    assert found.words == tuple(vectors.words)
    assert found.rows_b.tolist() == list(range(60))[::-1]
    assert found.notes == ()


def test_a_planted_moved_word_comes_first() -> None:
    vectors, rotation = random_vectors(60, 6), random_rotation(6)
    rows = vectors.rows.copy()
    rows[17] = -rows[17]
    found = align(vectors, turned(make_vectors("moved", vectors.words, rows), rotation))
    word, distance = found.most_moved(1)[0]
    assert word == "w17"
    assert distance > 1.5
    assert found.most_moved(3)[1][1] < 0.1
    least = [distance for _, distance in found.least_moved(60)]
    assert least == sorted(least)
    assert found.least_moved(60)[-1] == (word, distance)


def test_the_rotation_is_orthogonal_and_no_worse_than_many_others() -> None:
    a, b = random_vectors(30, 3), random_vectors(30, 3, seed=1)
    found = align(a, b)
    ours, theirs = a.unit_rows(range(30)), b.unit_rows(range(30))
    assert found.rotation @ found.rotation.T == pytest.approx(np.eye(3), abs=1e-5)
    best = np.linalg.norm(ours @ found.rotation - theirs)
    others = [np.linalg.norm(ours @ random_rotation(3, seed) - theirs) for seed in range(200)]
    assert best <= min(others) + 1e-6


def test_shared_words_are_spelled_alike_in_the_order_of_the_first_set() -> None:
    a = make_vectors("a", ["the", "Ice", "steam", "zero", "ice"], np.eye(5, dtype=np.float32))
    rows = np.eye(4, dtype=np.float32)
    rows[1] = 0
    b = make_vectors("b", ["ice", "zero", "steam", "THE"], rows)
    found = shared_words(a, b)
    assert found.words == ("steam", "ice")  # zero has no direction in b
    assert found.rows_a.tolist() == [2, 4]
    assert found.rows_b.tolist() == [2, 0]


def test_first_keeps_to_the_most_frequent_shared_words() -> None:
    vectors = random_vectors(60, 6)
    found = align(vectors, turned(vectors, random_rotation(6)), first=10)
    assert found.words == tuple(f"w{at}" for at in range(10))
    with pytest.raises(ConfigError, match="At least 2 shared words must be compared; got 1"):
        align(vectors, vectors, first=1)


def test_few_shared_words_are_noted_and_one_is_refused() -> None:
    vectors = random_vectors(60, 20)
    assert "5 shared words for 20 dimensions" in align(vectors, vectors, first=5).notes[0]
    other = make_vectors("other", ["w0", "x"], vectors.rows[:2])
    with pytest.raises(
        DataError, match="Words that random and other share: 1; a comparison needs at least 2"
    ):
        align(vectors, other)


def test_different_widths_cannot_be_turned_but_their_neighbours_can_be_compared() -> None:
    vectors = random_vectors(60, 6)
    wide = make_vectors("wide", vectors.words, np.pad(vectors.rows, ((0, 0), (0, 3))))
    with pytest.raises(DataError, match="random has vectors of width 6, wide of width 9"):
        align(vectors, wide)
    shared = shared_words(vectors, wide)
    assert overlaps(vectors, wide, shared.rows_a, shared.rows_b, 5).tolist() == [1.0] * 60


def test_overlaps_agree_with_brute_force_over_the_shared_words_alone() -> None:
    a, b = random_vectors(50, 4), random_vectors(70, 7, seed=1)
    shared = shared_words(a, b, first=40)
    found = overlaps(a, b, shared.rows_a, shared.rows_b, 6)
    units = [a.unit_rows(shared.rows_a), b.unit_rows(shared.rows_b)]
    for row in range(40):
        others = [other for other in range(40) if other != row]
        near = [set(sorted(others, key=lambda each: -float(unit[row] @ unit[each]))[:6]) for unit in units]
        assert found[row] == pytest.approx(len(near[0] & near[1]) / 6)


def test_neighbours_of_a_rotated_set_all_agree() -> None:
    vectors = random_vectors(60, 6)
    other = turned(vectors, random_rotation(6))
    found = align(vectors, other)
    assert overlaps(vectors, other, found.rows_a, found.rows_b).tolist() == [1.0] * 60


def test_a_set_compared_with_itself_has_not_moved() -> None:
    vectors = royal_vectors()
    assert align(vectors, vectors).moved == pytest.approx(np.zeros(5), abs=1e-6)
