"""Problem of every classifier that the loop trains: cross-entropy over its classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.classify.fitting import Targets, Weights
from tl_core.training.loop import Indices, Problem

if TYPE_CHECKING:
    import torch

    Logits = Callable[[torch.nn.Module, Indices], torch.Tensor]  # of these rows: (B, C)


def cross_entropy_problem(
    lengths: Indices,
    train: Logits,
    targets: Targets,
    held: Logits,
    truth: Targets,
    batches: Sequence[Indices],
    weights: Weights | None = None,
) -> Problem:
    """Cross-entropy over N training rows, and its sums over M validation rows in these batches, for the loop.

    `lengths` (N,) are those of the training rows, `targets` (N,) and `truth` (M,) the classes; `train` and `held` give
    the logits of rows of either part. Without `truth` there is nothing to validate. With `weights` (C,) a row counts as
    much as its class says, in the losses and in what is validated.
    """
    import torch
    from torch.nn.functional import cross_entropy

    def losses_of(
        model: torch.nn.Module, rows: Indices, logits_of: Logits, classes: Targets
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(losses, what the most probable class is worth if it is the true one, else 0), (B,) both."""
        logits = logits_of(model, rows).float()
        wanted = torch.from_numpy(classes[rows]).to(logits.device)
        worth = torch.ones(()) if weights is None else torch.from_numpy(weights[classes[rows]]).float()
        worth = worth.to(logits.device)
        return cross_entropy(logits, wanted, reduction="none") * worth, (logits.argmax(-1) == wanted) * worth

    def losses(model: torch.nn.Module, rows: Indices) -> torch.Tensor:
        return losses_of(model, rows, train, targets)[0]

    def validate(model: torch.nn.Module, part: int, parts: int) -> NDArray[np.float64]:
        sums = np.zeros(3)
        for rows in batches[part::parts]:
            row_losses, right = losses_of(model, rows, held, truth)
            worth = len(rows) if weights is None else float(weights[truth[rows]].sum())
            sums += [float(row_losses.sum()), float(right.sum()), worth]
        return sums

    return Problem(lengths, losses, validate if len(truth) else None)
