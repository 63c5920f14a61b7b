"""From scores to statements: the no-answer threshold, and probabilities by temperature scaling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.read.answers import FoundAnswer

Numbers = NDArray[np.float64]
BINS = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """Values fitted on held-out questions; `temperature` 0 means that nothing was.

    `error` is the expected calibration error of the probabilities on questions that the
    temperature was not fitted on, `rows` how many questions took part.
    """

    threshold: float = 0.0
    temperature: float = 0.0
    error: float = 0.0
    rows: int = 0

    @property
    def calibrated(self) -> bool:
        return self.temperature > 0

    def with_probabilities(self, answers: Sequence[FoundAnswer]) -> list[FoundAnswer]:
        """The answers, each with its probability to be the right one, where a temperature was fitted."""
        if not self.calibrated or not answers:
            return list(answers)
        shares = probabilities(np.array([answer.score for answer in answers]), self.temperature)
        return [
            replace(answer, probability=float(share)) for answer, share in zip(answers, shares, strict=True)
        ]


def probabilities(scores: Numbers, temperature: float) -> Numbers:
    """Softmax of the answers' scores and of 0, which is 'no answer', over a temperature: (n,)."""
    scaled = np.append(scores, 0.0) / temperature
    powers = np.exp(scaled - scaled.max())
    shares: Numbers = powers / powers.sum()
    return shares[:-1]


def fit_temperature(scores: Sequence[Numbers], right: Sequence[bool]) -> float:
    """The temperature under which the best answer's probability fits best whether it was right.

    `scores` holds the scores of each question's answers, best first. Smallest negative
    log-likelihood over a grid from 0.2 to 20 (Guo et al. 2017, section 4.2).
    """
    grid = np.geomspace(0.2, 20.0, 160)
    truth, table = np.array(right, dtype=bool), _padded(scores)
    losses = []
    for temperature in grid:
        sure = np.clip(_best_of(table, float(temperature)), 1e-6, 1 - 1e-6)
        losses.append(-np.log(np.where(truth, sure, 1 - sure)).mean())
    return float(grid[int(np.argmin(losses))])


def best_probabilities(scores: Sequence[Numbers], temperature: float) -> Numbers:
    """The probability of each question's best answer: (N,); 0 where nothing was found."""
    return _best_of(_padded(scores), temperature)


def _padded(scores: Sequence[Numbers]) -> Numbers:
    """Scores as (N, most + 1), best first; the last column is 0, which is 'no answer'."""
    most = max((len(score) for score in scores), default=0)
    table = np.full((len(scores), most + 1), -np.inf)
    for row, row_scores in zip(table, scores, strict=True):
        row[: len(row_scores)] = row_scores
    table[:, -1] = 0.0
    return table


def _best_of(table: Numbers, temperature: float) -> Numbers:
    scaled = table / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    best: Numbers = powers[:, 0] / powers.sum(axis=1)
    return np.where(np.isfinite(table[:, 0]) & (table.shape[1] > 1), best, 0.0)


def expected_calibration_error(sure: Numbers, right: Sequence[bool]) -> float:
    """Mean gap between probability and share right over ten equal bins, weighted by rows."""
    truth = np.array(right, dtype=float)
    at = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        (at == bin_number).sum() * abs(sure[at == bin_number].mean() - truth[at == bin_number].mean())
        for bin_number in range(BINS)
        if (at == bin_number).any()
    ]
    return float(sum(gaps) / max(1, len(truth)))


def calibrate(
    scores: Sequence[Numbers], right: Sequence[bool], threshold: float, folds: int = 5
) -> Calibration:
    """A temperature from all rows, and its error measured by cross-validation over `folds` parts."""
    truth = np.array(right, dtype=bool)
    if len(truth) < 2 * folds or truth.all() or not truth.any():
        return Calibration(threshold)
    part = np.arange(len(truth)) % folds
    sure = np.zeros(len(truth))
    for fold in range(folds):
        learned = [at for at in range(len(truth)) if part[at] != fold]
        held = [at for at in range(len(truth)) if part[at] == fold]
        temperature = fit_temperature([scores[at] for at in learned], truth[learned].tolist())
        sure[held] = best_probabilities([scores[at] for at in held], temperature)
    error = expected_calibration_error(sure, truth.tolist())
    return Calibration(threshold, fit_temperature(scores, truth.tolist()), error, len(truth))
