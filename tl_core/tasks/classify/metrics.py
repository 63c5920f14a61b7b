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
from tl_core.tasks.intervals import NUMBERS_AT_ONCE, Interval, percentile_interval, wilson

Probabilities = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Counts = Integers | Floats

BINS = 10
CHANCE_DRAWS = 200


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
    is in nats a row; `brier` is the squared distance to the one-hot truth, 0 to 2. `calibration_error_by_chance` is what a
    perfectly calibrated model that is as sure shows on so many rows; None in reports of earlier versions.
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
    calibration_error_by_chance: float | None = None


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

    `majority` is the number of the training rows' most frequent class. The intervals hold 95 %: Wilson's for the
    accuracy, drawn tables of the rows for macro F1. Raises DataError without rows and ModelError when probabilities are
    not numbers.
    """
    chances = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(truth, dtype=np.int64)
    _check(chances, truth, len(classes))
    chosen = chances.argmax(axis=1)
    confusion = _confusion(truth, chosen, len(classes))
    right, actual, predicted = confusion.diagonal(), confusion.sum(axis=1), confusion.sum(axis=0)
    generator = np.random.default_rng(seed)
    accuracy_interval = wilson(int(right.sum()), len(truth))
    assert accuracy_interval is not None
    confidence = chances.max(axis=1)
    bins = _bins(confidence, chosen == truth)
    of_truth = chances[np.arange(len(truth)), truth]
    squares = (chances**2).sum(axis=1) - 2 * of_truth + 1  # sum over classes of (p - one-hot)^2
    return Report(
        classes=tuple(classes),
        rows=len(truth),
        accuracy=float(right.sum() / len(truth)),
        accuracy_interval=accuracy_interval,
        macro_f1=float(macro_f1(right, actual, predicted)),
        macro_f1_interval=_macro_f1_interval(confusion, generator, resamples),
        majority_accuracy=float((truth == majority).mean()),
        per_class=_class_scores(classes, right, actual, predicted),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        expected_calibration_error=_calibration_error(bins),
        calibration_error_by_chance=_error_by_chance(confidence, generator),
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


def macro_f1(right: Counts, actual: Counts, predicted: Counts) -> Floats:
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


def _f1(right: Counts, actual: Counts, predicted: Counts) -> Floats:
    both = actual + predicted
    harmonic: Floats = 2 * right / np.where(both > 0, both, 1)
    return harmonic


def _macro_f1_interval(
    confusion: NDArray[np.int64], generator: np.random.Generator, resamples: int
) -> Interval:
    """What holds both the bootstrap's interval over the cells of the confusion matrix and that of a smoothed draw.

    The bootstrap knows no mistake that did not happen, so it is too narrow where few happened; the smoothed draw has one
    row more that is right and one that is wrong (a Dirichlet prior: Goutte & Gaussier 2005).
    """
    drawn = _drawn_macro_f1(confusion.astype(np.float64), generator, resamples, smooth=False)
    width = len(confusion)
    more = np.eye(width) / width
    if width > 1:
        more += np.roll(np.eye(width), 1, axis=1) / width
    smoothed = _drawn_macro_f1(confusion + more, generator, resamples, smooth=True)
    one, other = percentile_interval(drawn), percentile_interval(smoothed)
    return Interval(min(one.low, other.low), max(one.high, other.high))


def _drawn_macro_f1(
    confusion: Floats, generator: np.random.Generator, resamples: int, *, smooth: bool
) -> Floats:
    """Macro F1 (R,) of drawn tables: rows drawn with replacement, or, smooth, shares of a Dirichlet distribution."""
    width = len(confusion)
    true, predicted = confusion.nonzero()
    counts, diagonal = confusion[true, predicted], true == predicted
    at_once = max(1, NUMBERS_AT_ONCE // max(len(counts), width))
    total, scores = int(confusion.sum()), []
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        if smooth:
            drawn = generator.dirichlet(counts, size=size)
        else:
            drawn = generator.multinomial(total, counts / counts.sum(), size=size).astype(np.float64)
        right = _sums(drawn[:, diagonal], true[diagonal], width)
        scores.append(macro_f1(right, _sums(drawn, true, width), _sums(drawn, predicted, width)))
    return np.concatenate(scores)


def _sums(counts: Floats, groups: Integers, width: int) -> Floats:
    """Counts (R, K) summed by the group (K,) of their column: (R, `width`)."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((len(counts), width))
    if len(present):
        sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _error_by_chance(confidence: Floats, generator: np.random.Generator) -> float:
    """The calibration error that a model as sure as this one shows on so many rows though it is perfectly calibrated."""
    errors = []
    at_once = max(1, NUMBERS_AT_ONCE // len(confidence))
    for start in range(0, CHANCE_DRAWS, at_once):
        size = min(at_once, CHANCE_DRAWS - start)
        for right in generator.random((size, len(confidence))) < confidence:
            errors.append(_calibration_error(_bins(confidence, right)))
    return float(np.mean(errors))


def _calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of the bins' accuracies from their confidences (Guo et al. 2017, eq. 3)."""
    rows = sum(bin.count for bin in bins)
    return sum(bin.count / rows * abs(bin.accuracy - bin.confidence) for bin in bins)


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
