"""What a finished comparison found: each run's answers on the test rows, strategies side by side.

Pure functions from a job's and its runs' folders to small dataclasses; nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, read_examples
from tl_core.errors import DataError, RunError
from tl_core.jobs.classify.compare import PREDICTIONS
from tl_core.jobs.classify.plan import labelled
from tl_core.runs.store import Job, Run
from tl_core.tasks.classify.metrics import Interval, Report
from tl_core.tasks.classify.strategies import STRATEGIES
from tl_core.tasks.significance import Correct, against_majority, compare_all, compare_pair, sentence

TITLES = {each.name: each.title for each in STRATEGIES}


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
        """Where the most probable class is the true one: (N,)."""
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
    classes = tuple(str(each) for each in run.record.get("classes", ()))
    try:
        probabilities = np.load(run.folder / PREDICTIONS, allow_pickle=False)
        truth = labelled(examples, classes).targets
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise DataError(f"The predictions of run {run.id} cannot be read. Train it again.") from error
    if probabilities.shape != (len(examples), len(classes)):
        raise DataError(f"The predictions of run {run.id} are not those of its test rows. Train it again.")
    return Answers(classes, examples, truth, probabilities)


@dataclass(frozen=True, slots=True)
class StrategySummary:
    """A strategy's finished runs as one line; accuracy and macro F1 are means over seeds, 0 to 1.

    `spread` is the standard deviation of the accuracies, None for one run. `interval` is the 95 %
    interval of the accuracy: the run's own for one run; for several, rows and seeds are both
    drawn anew. Seconds are a mean, memory (bytes) is the largest.
    """

    strategy: str
    title: str
    accuracies: tuple[tuple[int, float], ...]
    accuracy: float
    spread: float | None
    interval: Interval | None
    macro_f1: float
    seconds: float
    trained_parameters: int
    peak_memory: int

    @property
    def seeds(self) -> int:
        return len(self.accuracies)


@dataclass(frozen=True, slots=True)
class Summary:
    """Strategies side by side on `rows` test rows, and what may be said about their differences.

    `majority` is the most frequent class of the rows trained on, `majority_accuracy` what always
    answering it scores.
    """

    rows: int
    strategies: tuple[StrategySummary, ...]
    majority: str
    majority_accuracy: float
    lines: tuple[str, ...]
    warning: str

    @property
    def best(self) -> StrategySummary:
        return max(self.strategies, key=lambda each: each.accuracy)


def summarise(job: Job, runs: Sequence[Run]) -> Summary:
    """The finished runs of a job's target task, strategy by strategy; RunError if there are none."""
    scored = [run for run in runs if run.report]
    if not scored:
        raise RunError("No training of this job has finished yet.")
    by_strategy = {name: [run for run in scored if run.record["strategy"] == name] for name in TITLES}
    by_strategy = {name: found for name, found in by_strategy.items() if found}
    test = read_examples(job.folder / "data" / "test.jsonl")
    counts = Counter(read_examples(job.folder / "data" / "train.jsonl").labels)
    majority = min(counts, key=lambda label: (-counts[label], label)) if counts else ""
    majority_correct = np.array([label == majority for label in test.labels], dtype=bool)
    correct, missing = _correct(job, by_strategy)
    lines, warning = _in_words(correct, majority_correct) if correct else ((), "")
    if missing:
        lines = (*lines, f"{missing} of {len(scored)} runs have no predictions to read and are not compared.")
    return Summary(
        rows=len(test),
        strategies=tuple(_summary(name, found, correct.get(name)) for name, found in by_strategy.items()),
        majority=majority,
        majority_accuracy=float(majority_correct.mean()) if len(test) else 0.0,
        lines=lines,
        warning=warning,
    )


def _correct(job: Job, by_strategy: Mapping[str, Sequence[Run]]) -> tuple[dict[str, Correct], int]:
    """Right answers (S, N) of each strategy that has any, and how many runs have none to read."""
    found: dict[str, Correct] = {}
    missing = 0
    for name, runs in by_strategy.items():
        rows = []
        for run in runs:
            try:
                rows.append(read_answers(job, run).correct)
            except DataError:
                missing += 1
        if rows:
            found[name] = np.stack(rows)
    return found, missing


def _in_words(
    correct: Mapping[str, Correct], majority_correct: NDArray[np.bool_]
) -> tuple[tuple[str, ...], str]:
    fewest = min(len(rows) for rows in correct.values())
    said = sentence(compare_all(correct), TITLES, len(majority_correct), fewest)
    return tuple(said.split("\n")), against_majority(correct, majority_correct, TITLES) or ""


def _summary(name: str, runs: Sequence[Run], correct: Correct | None) -> StrategySummary:
    reports = [Report.from_json(run.record["report"]) for run in runs]
    accuracies = [report.accuracy for report in reports]
    return StrategySummary(
        strategy=name,
        title=TITLES[name],
        accuracies=tuple((int(run.record["seed"]), report.accuracy) for run, report in zip(runs, reports)),
        accuracy=float(np.mean(accuracies)),
        spread=float(np.std(accuracies, ddof=1)) if len(runs) > 1 else None,
        interval=reports[0].accuracy_interval if len(runs) == 1 else mean_interval(correct),
        macro_f1=float(np.mean([report.macro_f1 for report in reports])),
        seconds=float(np.mean([run.record.get("seconds", 0.0) for run in runs])),
        trained_parameters=int(runs[0].record.get("trained_parameters", 0)),
        peak_memory=max(int(run.record.get("peak_memory", 0)) for run in runs),
    )


def mean_interval(correct: Correct | None) -> Interval | None:
    """The 95 % interval of the mean accuracy of right answers (S, N); rows and seeds are drawn anew.

    An accuracy is the difference to a model that is never right, so the same bootstrap serves.
    """
    if correct is None:
        return None
    _, interval, _ = compare_pair(correct, np.zeros((1, correct.shape[1]), dtype=bool))
    return interval


def overconfidence(report: Report) -> float:
    """Mean probability of the predicted class less the share right: above 0 the run is too sure."""
    return sum(each.count * (each.confidence - each.accuracy) for each in report.bins) / report.rows
