"""Weights of classes: scikit-learn's, in the losses and in what chooses the epoch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from tl_core.tasks.classify.fitting import class_weights
from tl_core.tasks.classify.problem import cross_entropy_problem


def test_they_are_what_scikit_learn_calls_balanced() -> None:
    targets = np.array([0] * 7 + [1] * 2 + [3])
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=targets)
    found = class_weights(targets, 5)
    assert found[[0, 1, 3]] == pytest.approx(expected)
    assert found[[2, 4]].tolist() == [1, 1]
    assert found[targets].mean() == pytest.approx(1)


def test_a_row_counts_in_loss_and_accuracy_as_much_as_its_class() -> None:
    targets = np.array([0, 0, 0, 1])
    logits = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    weights = class_weights(targets, 2)
    problem = cross_entropy_problem(
        np.ones(4, dtype=np.int64),
        lambda _, rows: logits[rows],
        targets,
        lambda _, rows: logits[rows],
        targets,
        [np.arange(4)],
        weights,
    )
    plain = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets), reduction="none").numpy()
    losses = problem.losses(torch.nn.Identity(), np.arange(4)).numpy()
    assert losses == pytest.approx(plain * weights[targets], rel=1e-6)
    assert problem.validate is not None
    loss, right, count = problem.validate(torch.nn.Identity(), 0, 1)
    assert loss == pytest.approx((plain * weights[targets]).sum(), rel=1e-6)
    assert right / count == pytest.approx((2 / 3 + 1) / 2)  # the mean of the classes' recalls
