"""A finished classifier's answers on its job's test rows, read from the run's folder; nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, read_examples
from tl_core.errors import DataError
from tl_core.jobs.classify.compare import PREDICTIONS
from tl_core.jobs.classify.plan import labelled
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Report
from tl_core.whole_files import patiently


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One test row and what a run said about it; `row` is its number in the file it came from."""

    row: int
    text: str
    true: str
    predicted: str
    probability: float
    probability_of_true: float


@dataclass(frozen=True, slots=True)
class Answers:
    """A run's probabilities (N, C) on its job's N test rows, whose true classes are `truth` (N,)."""

    classes: tuple[str, ...]
    examples: Examples
    truth: NDArray[np.int64]
    probabilities: NDArray[np.float32]

    @property
    def correct(self) -> NDArray[np.bool_]:
        """True where the most probable class is the true one: (N,)."""
        right: NDArray[np.bool_] = self.probabilities.argmax(axis=1) == self.truth
        return right

    def rows(self, indices: Iterable[int]) -> list[AnswerRow]:
        """The test rows at these positions, in this order."""
        return [self._row(int(at)) for at in indices]

    def _row(self, at: int) -> AnswerRow:
        chances = self.probabilities[at]
        best = int(chances.argmax())
        return AnswerRow(
            row=self.examples.rows[at],
            text=self.examples.texts[at],
            true=self.examples.labels[at],
            predicted=self.classes[best],
            probability=float(chances[best]),
            probability_of_true=float(chances[self.truth[at]]),
        )


def read_answers(job: Job, run: Run) -> Answers:
    """A finished run's answers on the job's test rows; DataError if they are missing or do not fit."""
    examples = read_examples(job.folder / "data" / "test.jsonl")
    classes = tuple(str(label) for label in run.record.classes)
    try:
        path = run.folder / PREDICTIONS
        probabilities = patiently(lambda: np.load(path, allow_pickle=False), path)
        truth = labelled(examples, classes).targets
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise DataError("The predictions of run {run} cannot be read. Train it again.", run=run.id) from error
    if probabilities.shape != (len(examples), len(classes)):
        raise DataError(
            "The predictions of run {run} are not those of its test rows. Train it again.", run=run.id
        )
    return Answers(classes, examples, truth, probabilities)


def groups_of_test(job: Job) -> NDArray[np.int64] | None:
    """The group of each test row, (N,), rows without one each by itself; None without a group column."""
    try:
        groups = read_examples(job.folder / "data" / "test.jsonl").groups
    except DataError:
        return None
    if not any(groups):
        return None
    names = [group or f"\0{at}" for at, group in enumerate(groups)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def majority_answers(job: Job) -> tuple[str, NDArray[np.bool_]]:
    """The most frequent class of the rows to learn from, and where always answering it is right: (N,)."""
    counts = Counter(read_examples(job.folder / "data" / "train.jsonl").labels)
    majority = min(counts, key=lambda label: (-counts[label], label)) if counts else ""
    test = read_examples(job.folder / "data" / "test.jsonl")
    return majority, np.array([label == majority for label in test.labels], dtype=bool)


def overconfidence(report: Report) -> float:
    """Mean probability of the predicted class less the share right: above 0 the run is too sure."""
    return sum(bin.count * (bin.confidence - bin.accuracy) for bin in report.bins) / report.rows
