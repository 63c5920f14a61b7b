"""How good a classifier is on labelled rows: scores with intervals, calibration, and which rows went wrong.

Everything is computed from the rows' class probabilities (N, C) and true classes (N,). This
module knows no model and no text, and needs numpy alone. Where two classes are equally
probable, the first one is the prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError, ModelError
from tl_core.tasks.intervals import Interval, percentile_interval, resample

Probabilities = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]

BINS = 10


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class is found; what would divide by zero is 0. `support` is its true rows."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Bin:
    """The rows whose confidence is above `low` and at most `high`; their means, 0 when `count` is 0."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Report:
    """A classifier's scores on `rows` labelled rows; shares are between 0 and 1.

    `majority_accuracy` is what always saying the training rows' most frequent class scores on
    these rows. `confusion` is (C, C): rows are true classes, columns predicted ones. `log_loss`
    is in nats a row; `brier` is the squared distance to the one-hot truth, 0 to 2.
    """

    classes: tuple[str, ...]
    rows: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval
    majority_accuracy: float
    per_class: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    expected_calibration_error: float
    bins: tuple[Bin, ...]
    log_loss: float
    brier: float


def score(
    probabilities: Probabilities,
    truth: Integers,
    classes: Sequence[str],
    *,
    majority: int,
    seed: int = 0,
    resamples: int = 1000,
) -> Report:
    """Every score of probabilities (N, C) against true classes (N,) numbered as in `classes`.

    `majority` is the number of the training rows' most frequent class. The intervals are 95 %
    percentile bootstraps over rows (Efron & Tibshirani 1993, ch. 13); with every row right or
    every row wrong they have no width. Raises DataError without rows and ModelError when
    probabilities are not numbers.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(truth, dtype=np.int64)
    _check(chances, truth, len(classes))
    chosen = chances.argmax(axis=1)
    confusion = _confusion(truth, chosen, len(classes))
    right, actual, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    accuracy_interval, macro_f1_interval = _intervals(confusion, np.random.default_rng(seed), resamples)
    bins = _bins(chances.max(axis=1), chosen == truth)
    of_truth = chances[np.arange(len(truth)), truth]
    squares = (chances**2).sum(axis=1) - 2 * of_truth + 1  # sum over classes of (p - one-hot)^2
    return Report(
        classes=tuple(classes),
        rows=len(truth),
        accuracy=float(right.sum() / len(truth)),
        accuracy_interval=accuracy_interval,
        macro_f1=float(macro_f1(right, actual, predicted)),
        macro_f1_interval=macro_f1_interval,
        majority_accuracy=float((truth == majority).mean()),
        per_class=_class_scores(classes, right, actual, predicted),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        expected_calibration_error=sum(
            bin.count / len(truth) * abs(bin.accuracy - bin.confidence) for bin in bins
        ),
        bins=bins,
        log_loss=float(-np.log(np.clip(of_truth, np.finfo(np.float64).eps, 1)).mean()),
        brier=float(squares.mean()),
    )


def confident_errors(probabilities: Probabilities, truth: Integers, limit: int) -> NDArray[np.intp]:
    """Indices of at most `limit` wrongly predicted rows, the most confident first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)
    return _most_confident_first(probabilities, wrong)[:limit]


def cell_rows(
    probabilities: Probabilities, truth: Integers, true_class: int, predicted_class: int
) -> NDArray[np.intp]:
    """Indices of the rows in one cell of the confusion matrix, the most confident first."""
    chosen = probabilities.argmax(axis=1)
    rows = np.flatnonzero((np.asarray(truth) == true_class) & (chosen == predicted_class))
    return _most_confident_first(probabilities, rows)


def macro_f1(right: Integers, actual: Integers, predicted: Integers) -> Floats:
    """Mean F1 over classes: (...) from counts (..., C) of right, true and predicted rows.

    Only classes that occur in truth or prediction count, as in scikit-learn's
    `f1_score(average="macro", zero_division=0)` without `labels`: a class that the rows leave
    out altogether does not pull the mean down.
    """
    occurring = (actual + predicted > 0).sum(axis=-1)
    mean: Floats = _f1(right, actual, predicted).sum(axis=-1) / np.maximum(occurring, 1)
    return mean


def _check(probabilities: Floats, truth: Integers, classes: int) -> None:
    rows = len(truth)
    if rows == 0:
        raise DataError("There are no test rows to score. Leave some rows for the test.")
    if probabilities.shape != (rows, classes):
        raise ValueError(f"probabilities must be ({rows}, {classes}), got {probabilities.shape} instead")
    if truth.min() < 0 or truth.max() >= classes:
        raise ValueError(
            f"truth must be between 0 and {classes - 1}, got {truth.min()} to {truth.max()} instead"
        )
    broken = int((~np.isfinite(probabilities).all(axis=1)).sum())
    if broken:
        raise ModelError(
            "The model's probabilities are not numbers on {broken:,} of {rows:,} rows: its training "
            "diverged. Train it again with a smaller learning rate.",
            broken=broken,
            rows=rows,
        )
    if (
        probabilities.min() < 0 or np.abs(probabilities.sum(axis=1) - 1).max() > 0.01
    ):  # half precision sums badly
        raise ValueError("rows of probabilities must be at least 0 and sum to 1")


def _confusion(truth: Integers, chosen: Integers, classes: int) -> NDArray[np.int64]:
    """Row counts (C, C) by true and predicted class."""
    cells = np.bincount(truth * classes + chosen, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64)


def _class_scores(
    classes: Sequence[str], right: Integers, actual: Integers, predicted: Integers
) -> tuple[ClassScore, ...]:
    precision = right / np.maximum(predicted, 1)
    recall = right / np.maximum(actual, 1)
    columns = (precision, recall, _f1(right, actual, predicted), actual)
    rows = zip(classes, *(column.tolist() for column in columns), strict=True)
    return tuple(ClassScore(*row) for row in rows)


def _f1(right: Integers, actual: Integers, predicted: Integers) -> Floats:
    harmonic: Floats = 2 * right / np.maximum(actual + predicted, 1)
    return harmonic


def _intervals(
    confusion: NDArray[np.int64], generator: np.random.Generator, resamples: int
) -> tuple[Interval, Interval]:
    """Bootstrap intervals of accuracy and macro F1: rows are resampled as cells of the confusion matrix."""
    width = len(confusion)
    actual, predicted = confusion.nonzero()
    diagonal = actual == predicted
    accuracies, scores = [], []
    for counts in resample(confusion[actual, predicted], resamples, generator, width):
        right = _sums(counts[:, diagonal], actual[diagonal], width)
        accuracies.append(right.sum(axis=1) / confusion.sum())
        scores.append(macro_f1(right, _sums(counts, actual, width), _sums(counts, predicted, width)))
    return percentile_interval(np.concatenate(accuracies)), percentile_interval(np.concatenate(scores))


def _sums(counts: NDArray[np.int64], groups: Integers, width: int) -> NDArray[np.int64]:
    """Counts (R, K) summed by the group (K,) of their column: (R, `width`)."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((len(counts), width), dtype=np.int64)
    if len(present):
        sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _bins(confidence: Floats, right: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Ten bins of equal width over the predicted class's probability (Guo et al. 2017, eq. 3)."""
    edges = np.linspace(0, 1, BINS + 1)
    which = np.digitize(confidence, edges[1:-1], right=True)  # a bin holds its upper edge
    counts = np.bincount(which, minlength=BINS)
    some = np.maximum(counts, 1)
    confidences = np.bincount(which, weights=confidence, minlength=BINS) / some
    accuracies = np.bincount(which, weights=right, minlength=BINS) / some
    columns = (edges[:-1], edges[1:], counts, confidences, accuracies)
    return tuple(Bin(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def _most_confident_first(probabilities: Probabilities, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    order = np.argsort(-probabilities[rows].max(axis=1), kind="stable")
    return rows[order]
