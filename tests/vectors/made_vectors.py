"""Small word vectors for tests."""

import numpy as np

from tl_core.vectors.space import WordVectors, make_vectors

ROYAL = {
    "man": [1.0, 0.0, 0.2],
    "woman": [0.0, 1.0, 0.2],
    "king": [1.0, 0.0, 1.2],
    "queen": [0.0, 1.0, 1.2],
    "apple": [-1.0, -0.9, 0.1],
}


def royal_vectors() -> WordVectors:
    """Five words whose table can be reckoned by hand: king - man + woman = queen exactly."""
    return make_vectors("royal", list(ROYAL), np.array(list(ROYAL.values()), dtype=np.float32))


def random_vectors(words: int = 2_000, width: int = 20, seed: int = 0) -> WordVectors:
    rows = np.random.default_rng(seed).normal(size=(words, width)).astype(np.float32)
    return make_vectors("random", [f"w{at}" for at in range(words)], rows)
