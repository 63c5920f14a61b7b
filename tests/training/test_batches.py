from __future__ import annotations

import numpy as np
import pytest

from tl_core.training.batches import length_batches, sorted_batches, token_batches
from tl_core.training.checkpoint import load_checkpoint, save_checkpoint
from tl_core.training.schedule import rate_factor


@pytest.mark.parametrize(("rows", "size"), [(1, 8), (8, 8), (37, 8), (1000, 7)])
def test_every_row_stands_in_exactly_one_batch(rows: int, size: int):
    lengths = np.random.default_rng(0).integers(1, 300, rows)
    for batches in (length_batches(lengths, size, seed=1, epoch=2), sorted_batches(lengths, size)):
        assert sorted(np.concatenate(batches).tolist()) == list(range(rows))
        assert max(map(len, batches)) <= size
        assert len(batches) == -(-rows // size)


def test_rows_of_like_length_stand_together():
    lengths = np.random.default_rng(0).integers(1, 300, 1000)
    padded = sum(lengths[each].max() * len(each) for each in length_batches(lengths, 16, seed=0, epoch=0))
    assert padded < 1.1 * lengths.sum()


def test_batches_depend_on_seed_and_epoch_alone():
    lengths = np.arange(100)

    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(length_batches(lengths, 8, seed=seed, epoch=epoch)).tolist()

    assert order(0, 0) == order(0, 0)
    assert order(0, 0) != order(0, 1) != order(1, 1)


def test_prediction_begins_with_the_longest_rows():
    batches = sorted_batches(np.array([3, 9, 1, 7]), 2)
    assert [each.tolist() for each in batches] == [[1, 3], [0, 2]]


def test_the_rate_grows_then_falls_to_zero():
    factors = [rate_factor(step, 100, 10) for step in range(100)]
    assert factors[0] == 0.1
    assert factors[9] == factors[10] == 1.0
    assert factors[55] == pytest.approx(0.5)
    assert 0 < factors[99] < 0.02
    assert rate_factor(0, 1, 0) == 1.0


def test_only_the_newest_whole_checkpoint_is_kept_and_read(tmp_path):
    import torch

    assert load_checkpoint(tmp_path) is None
    save_checkpoint(tmp_path, 9, {"a": torch.ones(2)}, {"step": 9})
    save_checkpoint(tmp_path, 10, {"a": torch.zeros(2)}, {"step": 10})
    (tmp_path / "writing").mkdir()  # as a killed process leaves it
    saved = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.facts == {"step": 10}
    assert saved.tensors["a"].tolist() == [0, 0]
    assert [each.name for each in tmp_path.glob("step-*")] == ["step-000000010"]


def test_batches_by_tokens_hold_every_row_once_and_at_most_so_many_tokens():
    lengths = np.random.default_rng(0).integers(1, 300, 500)
    batches = token_batches(lengths, 600)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert max(len(each) * lengths[each].max() for each in batches) <= 600
    assert [each.tolist() for each in token_batches(np.array([5, 50]), 10)] == [[1], [0]]
