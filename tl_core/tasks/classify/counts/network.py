"""The one linear layer over counted n-grams, and sparse rows as it reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

NEVER = -1e4  # the bias of a class without a training row: its probability is 0


def make_counts_network(n_grams: int, classes: int, present: Sequence[int] | None = None) -> torch.nn.Module:
    """An nn.Module from bags (ids, offsets, weights) to logits (B, C): `.weight` (V, C), `.bias` (C,).

    It begins at zero, which is as good as anywhere: the loss is convex. Classes that are not `present`
    in training begin at a probability of 0, from where no gradient moves them.
    """
    import torch
    from torch.nn.functional import embedding_bag

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(n_grams, classes))
            start = torch.zeros(classes)
            if present is not None:
                start = torch.full((classes,), NEVER)
                start[list(present)] = 0.0
            self.bias = torch.nn.Parameter(start)

        def forward(self, bags: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> torch.Tensor:
            ids, offsets, weights = bags
            return (
                embedding_bag(ids, self.weight, offsets, mode="sum", per_sample_weights=weights) + self.bias
            )

    return Network()


def as_bags(rows: csr_matrix, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sparse rows (B, V) as `embedding_bag` reads them: ids, where each row begins (B,), weights."""
    import torch

    parts = (rows.indices.astype(np.int64), rows.indptr[:-1].astype(np.int64), rows.data)
    ids, offsets, weights = (torch.from_numpy(part).to(device) for part in parts)
    return ids, offsets, weights
