"""Probes, what can be read off each layer by a straight line: the accuracy of a linear probe, layer by layer.

A probe (Alain & Bengio 2016, arXiv 1610.01644) is a linear classifier on states that are not trained
with it. It says what a layer holds in linear form, not what the encoder uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.movement.states import States
from tl_core.errors import DataError
from tl_core.training.events import Progress, Training, drain

STRENGTH = 0.1
FOLDS = 5

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """Accuracy of a linear probe on each layer 0 to L, over `rows` held-out rows.

    `accuracies` and `errors` are (L + 1,); a standard error is that of a share, sqrt(p (1 - p) / rows), and knows
    nothing of the chance in the choice of training rows. `commonest` is the accuracy of always answering
    the commonest class of the training rows.
    """

    accuracies: NDArray[np.float64]
    errors: NDArray[np.float64]
    rows: int
    folds: int  # 0 for given rows
    commonest: float


def probe_layers(
    states: States,
    targets: NDArray[np.int64],
    seed: int = 0,
    *,
    split: tuple[Sequence[int], Sequence[int]] | None = None,
) -> Probed:
    """The held-out accuracy of a logistic regression on each layer's standardised states, (N, D) each.

    With `split`, the row numbers of training and test rows; else stratified 5-fold cross-validation, in which
    every row is held out once, with fewer folds where a class has fewer rows. DataError if a class has a
    single row, if there is one class only, or if training and test rows overlap.
    """
    return drain(probe_events(states, targets, seed, split=split))


def probe_events(
    states: States,
    targets: NDArray[np.int64],
    seed: int = 0,
    *,
    split: tuple[Sequence[int], Sequence[int]] | None = None,
) -> Training[Probed]:
    """`probe_layers` with Progress in probes that were fitted."""
    targets = np.asarray(targets)
    for layer, layer_states in enumerate(states):
        if layer_states.ndim != 2 or len(layer_states) != len(targets):
            raise DataError(
                "Layer {layer} has states of shape {shape} for {targets} classes of texts.",
                layer=layer,
                shape=layer_states.shape,
                targets=len(targets),
            )
        if not np.isfinite(layer_states).all():
            raise DataError(
                "Layer {layer} holds numbers that are not finite: the encoder is broken.", layer=layer
            )
    parts = list(_folds(targets, seed)) if split is None else [_given(split, targets)]
    right = np.zeros(len(states))
    rows = sum(len(test) for _, test in parts)
    done = 0
    for layer, layer_states in enumerate(states):
        for train, test in parts:
            right[layer] += _count_right(layer_states, targets, train, test)
            done += 1
            yield Progress(done, len(states) * len(parts))
    accuracies = right / rows
    return Probed(
        accuracies,
        np.sqrt(accuracies * (1 - accuracies) / rows),
        rows,
        len(parts) if split is None else 0,
        sum(_commonest(targets, train, test) for train, test in parts) / rows,
    )


def _count_right(states: NDArray[Any], targets: NDArray[Any], train: Rows, test: Rows) -> int:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    probe = make_pipeline(StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000))
    probe.fit(states[train].astype(np.float64), targets[train])
    return int((probe.predict(states[test].astype(np.float64)) == targets[test]).sum())


def _commonest(targets: NDArray[Any], train: Rows, test: Rows) -> int:
    classes, counts = np.unique(targets[train], return_counts=True)
    return int((targets[test] == classes[counts.argmax()]).sum())


def _folds(targets: NDArray[Any], seed: int) -> Iterator[tuple[Rows, Rows]]:
    from sklearn.model_selection import StratifiedKFold

    classes, counts = np.unique(targets, return_counts=True)
    if len(classes) < 2:
        raise DataError("A probe needs rows of at least two classes; got {classes}.", classes=len(classes))
    if counts.min() < 2:
        raise DataError(
            "Class {classes} has a single row, so it cannot be both learned and held out. "
            "Give each class at least two rows.",
            classes=classes[counts.argmin()],
        )
    folds = StratifiedKFold(min(FOLDS, int(counts.min())), shuffle=True, random_state=seed)
    yield from folds.split(np.zeros((len(targets), 1)), targets)


def _given(split: tuple[Sequence[int], Sequence[int]], targets: NDArray[Any]) -> tuple[Rows, Rows]:
    train, test = (np.asarray(rows, dtype=np.intp) for rows in split)
    numbers = np.concatenate([train, test])
    if not len(train) or not len(test):
        raise DataError(
            "A probe needs training and test rows; got {train} and {test}.", train=len(train), test=len(test)
        )
    if numbers.min() < 0 or numbers.max() >= len(targets):
        raise DataError("Row numbers must be between 0 and {targets}.", targets=len(targets) - 1)
    if np.intersect1d(train, test).size:
        raise DataError(
            "Some rows are both training and test rows. Choose test rows that were not trained on."
        )
    if len(np.unique(targets[train])) < 2:
        raise DataError("The training rows of a probe hold one class only; it needs at least two.")
    return train, test
