"""Pooling by hand, and padding."""

from __future__ import annotations

import pytest

from tl_core.encoders.batches import pad
from tl_core.encoders.pool import pool
from tl_core.text.tokens import Encoded

LONG, SHORT, EMPTY = Encoded([5, 6, 7], [0, 0, 2]), Encoded([8], [1]), Encoded([], [])


def test_mean_and_last_of_a_worked_example() -> None:
    import torch

    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [9.0, 9.0]], [[7.0, 7.0], [1.0, 0.0], [3.0, 2.0]]])
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]])  # padding on the right, then on the left
    assert pool(hidden, mask, "mean").tolist() == [[2.0, 3.0], [2.0, 1.0]]
    assert pool(hidden, mask, "last").tolist() == [[3.0, 4.0], [3.0, 2.0]]
    assert pool(hidden, mask.bool(), "last").tolist() == [[3.0, 4.0], [3.0, 2.0]]


def test_first_and_largest_of_a_worked_example() -> None:
    import torch

    hidden = torch.tensor([[[-1.0, 2.0], [3.0, -4.0], [9.0, 9.0]], [[7.0, 7.0], [1.0, -2.0], [3.0, -1.0]]])
    mask = torch.tensor([[1, 1, 0], [0, 1, 1]])  # padding on the right, then on the left
    assert pool(hidden, mask, "first").tolist() == [[-1.0, 2.0], [1.0, -2.0]]
    assert pool(hidden, mask, "max").tolist() == [[3.0, 2.0], [3.0, -1.0]]
    assert pool(hidden, mask.bool(), "first").tolist() == [[-1.0, 2.0], [1.0, -2.0]]
    assert pool(hidden, mask.bool(), "max").tolist() == [[3.0, 2.0], [3.0, -1.0]]


def test_an_unknown_pooling_is_refused() -> None:
    import torch

    with pytest.raises(ValueError, match="mean, first, last, max; got 'auto'"):
        pool(torch.ones(1, 2, 3), torch.ones(1, 2), "auto")


def test_mean_of_padding_alone_is_zero() -> None:
    import torch

    assert pool(torch.ones(1, 2, 3), torch.zeros(1, 2), "max").tolist() == [[0.0, 0.0, 0.0]]
    assert pool(torch.ones(1, 2, 3), torch.zeros(1, 2), "mean").tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("pad_left", "ids", "mask", "types"),
    [
        (False, [[5, 6, 7], [8, 9, 9]], [[1, 1, 1], [1, 0, 0]], [[0, 0, 2], [1, 0, 0]]),
        (True, [[5, 6, 7], [9, 9, 8]], [[1, 1, 1], [0, 0, 1]], [[0, 0, 2], [0, 0, 1]]),
    ],
)
def test_pads_on_the_asked_side(
    pad_left: bool, ids: list[list[int]], mask: list[list[int]], types: list[list[int]]
) -> None:
    batch = pad([LONG, SHORT], 9, type_ids=True, pad_left=pad_left)
    assert batch["input_ids"].tolist() == ids
    assert batch["attention_mask"].tolist() == mask
    assert batch["token_type_ids"].tolist() == types


def test_token_types_only_where_asked() -> None:
    assert sorted(pad([SHORT], 0, type_ids=False)) == ["attention_mask", "input_ids"]


def test_a_text_without_tokens_is_one_padding_token_that_counts() -> None:
    batch = pad([EMPTY, LONG], 9, type_ids=False)
    assert batch["input_ids"].tolist() == [[9, 9, 9], [5, 6, 7]]
    assert batch["attention_mask"].tolist() == [[1, 0, 0], [1, 1, 1]]


def test_no_texts_make_an_empty_batch() -> None:
    assert tuple(pad([], 0, type_ids=True)["input_ids"].shape) == (0, 1)
