"""What is said of single heads: corrected for all of them, and nothing where chance would do as well."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from tl_core.encoders.attention.importance import Importance
from tl_core.outcomes.heads import in_words, judged_heads


def importance(rows: int, layers: int, heads: int, seed: int, costly: int = 0) -> Importance:
    """Heads that each flip 4 % of the answers at random; head 1.1 costs `costly` more rows."""
    random = np.random.default_rng(seed)
    right = random.random(rows) < 0.8
    without = right[None, None] ^ (random.random((layers, heads, rows)) < 0.04)
    without[0, 0] = right
    without[0, 0, np.flatnonzero(right)[:costly]] = False
    return Importance(right, without, np.zeros((layers, heads, rows), dtype=np.float32))


def test_a_costly_head_is_found_with_its_p_value_corrected_for_all() -> None:
    found = judged_heads(importance(400, 6, 12, seed=1, costly=30))
    first = found[0]
    assert (first.name, first.lost) == ("1.1", pytest.approx(30 / 400))
    assert first.adjusted_p == pytest.approx(72 * binomtest(0, 30).pvalue)
    assert first.interval.low > 0
    assert first.larger_than_chance
    assert "1.1 +7.5 [" in in_words(found, 400)


def test_heads_that_cost_nothing_are_rarely_called_costly() -> None:
    """Among 72 heads of no worth the largest loss is some points by chance; one is named in at most 5 % of the models."""
    named = 0
    for seed in range(100):
        right = np.random.default_rng([seed, 1]).random(300) < 0.8
        without = np.random.default_rng([seed, 2]).random((6, 12, 300)) < np.where(right, 0.95, 0.2)
        of_none = right & (np.random.default_rng([seed, 3]).random(300) < 0.95) | ~right & (
            np.random.default_rng([seed, 4]).random(300) < 0.2
        )
        found = judged_heads(Importance(of_none, without, np.zeros((6, 12, 300), dtype=np.float32)))
        named += found[0].larger_than_chance
    assert named <= 10


def test_nothing_is_said_of_heads_where_rows_are_few() -> None:
    found = judged_heads(importance(20, 2, 2, seed=3))
    assert not any(worth.larger_than_chance for worth in found)
    assert in_words(found, 20).startswith("Of 4 heads none can be told from one that costs nothing: 20 rows")
