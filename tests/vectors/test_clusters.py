"""Groups of words: planted groups are found, the largest first, and are named by their middle."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors
from tl_core.errors import ConfigError, DataError
from tl_core.vectors.clusters import cluster_words

WORDS = ["snow", "bread", "ice", "rice", "frost", "hail", "soup"]


def planted() -> np.ndarray:
    """Four cold words around 45 degrees, three foods around 225; ice and bread lie in the middle."""
    degrees = np.array([40, 225, 45, 215, 55, 47, 232])
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_planted_groups_are_found_the_largest_first_and_named_by_the_words_in_their_middle() -> None:
    found = cluster_words(planted(), WORDS, 2)
    assert found.labels.tolist() == [0, 1, 0, 1, 0, 0, 1]
    assert found.names == ("hail, ice, snow", "bread, soup, rice")  # their middles: 46.7 and 224 degrees
    assert len(found) == 2


def test_there_are_no_more_groups_than_different_words() -> None:
    unit = np.repeat(planted(), 2, axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = cluster_words(unit, [each + mark for each in WORDS for mark in "12"], 50)
    assert len(found) == 7
    assert found.labels[::2].tolist() == found.labels[1::2].tolist()
    assert found.names[0] == "snow1, snow2"


def test_one_word_is_a_group_of_its_own() -> None:
    found = cluster_words(planted()[:1], ["snow"], 4)
    assert found.labels.tolist() == [0]
    assert found.names == ("snow",)


def test_the_same_seed_gives_the_same_groups_and_sizes_fall() -> None:
    unit = random_vectors(200, 6).columns.T.copy()
    names = [f"w{at}" for at in range(200)]
    one, two = cluster_words(unit, names, 8, seed=3), cluster_words(unit, names, 8, seed=3)
    assert one.labels.tolist() == two.labels.tolist()
    sizes = np.bincount(one.labels)
    assert len(sizes) == 8
    assert sizes.tolist() == sorted(sizes, reverse=True)


def test_no_clusters_and_uneven_lists_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        cluster_words(planted(), WORDS, 0)
    with pytest.raises(DataError, match="1 words, but 7 vectors"):
        cluster_words(planted(), ["snow"], 2)
