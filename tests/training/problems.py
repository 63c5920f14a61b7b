"""A small problem that the loop can learn in an instant: a linear map from 8 numbers to 3 classes."""

from __future__ import annotations

import numpy as np
import torch

from tl_core.training.loop import LoopConfig, Problem

ROWS = 37  # with batches of 8 the last one is ragged


def make_network(dropout: float = 0.0) -> torch.nn.Module:
    torch.manual_seed(5)
    return torch.nn.Sequential(
        torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Dropout(dropout), torch.nn.Linear(16, 3)
    )


def make_problem(*, validation: bool = True) -> Problem:
    random = np.random.default_rng(3)
    inputs = torch.from_numpy(random.normal(size=(ROWS, 8)).astype(np.float32))
    targets = inputs[:, :3].argmax(1)

    def losses(model: torch.nn.Module, rows: np.ndarray) -> torch.Tensor:
        at = torch.from_numpy(rows)
        return torch.nn.functional.cross_entropy(model(inputs[at]), targets[at], reduction="none")

    def validate(model: torch.nn.Module, part: int, parts: int) -> np.ndarray:
        at = torch.arange(ROWS)[part::parts]
        logits = model(inputs[at])
        loss = torch.nn.functional.cross_entropy(logits, targets[at], reduction="sum")
        return np.array([float(loss), float((logits.argmax(-1) == targets[at]).sum()), len(at)])

    lengths = random.integers(3, 40, size=ROWS)
    return Problem(lengths, losses, validate if validation else None)


def loop_config(**changes: object) -> LoopConfig:
    values: dict[str, object] = {
        "epochs": 4,
        "batch_size": 8,
        "learning_rate": 0.02,
        "head_learning_rate": 0.02,
        "patience": 100,
    }
    return LoopConfig(**{**values, **changes})  # type: ignore[arg-type]
