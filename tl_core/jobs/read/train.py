"""Fine-tune readers on a file of questions: several starts, numbers of questions and seeds side by side.

Submitting checks everything that can be checked, writes the questions into the job's folder and
starts a worker, which trains run by run and measures each on the same test questions.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog.readers import reader_start, reader_title
from tl_core.convert import to_json
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file, write_squad
from tl_core.encoders.adapted import StartingPoint, copy_state, read_facts, read_starting_point, write_facts
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.tuning import epochs_for
from tl_core.errors import ConfigError, DataError, RunError
from tl_core.jobs.experiment import Arm, Parts, Trial, trials_by_size
from tl_core.jobs.read.plan import (
    ReadExperiment,
    begins_with,
    check_questions,
    questions_of_trial,
    read_config_from_json,
    read_split,
)
from tl_core.jobs.trainings import submit_job
from tl_core.jobs.work import ExperimentWork
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.fitting import Fitted, TrainingContext
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import Evaluation, evaluate_events
from tl_core.tasks.read.saved import HEAD, TASK, load_reader
from tl_core.tasks.read.train import TrainedReader, fit_reader
from tl_core.training.events import Training

TRAIN, TEST = "train.json", "test.json"
ANSWERS = "answers.jsonl"
TRAINING_COST = 3.0  # of a question in an epoch, in forward passes


def submit_training(
    store: Store,
    config: ReadExperiment,
    data: ReadingSet,
    *,
    test: ReadingSet | None = None,
    title: str = "",
    processes: int = 1,
) -> Job:
    """Check and write a reader's training, start its worker, and give the job back at once.

    Raises DataError, ConfigError, ModelError or RunError if it could not be trained.
    """
    pool, held = read_split(config, data, test)
    check_questions(config, pool, held)
    starts = [_start_of(store, arm) for arm in config.arms]

    def write_data(folder: Path) -> None:
        (folder / TRAIN).write_bytes(write_squad(pool))
        (folder / TEST).write_bytes(write_squad(held))
        for at, start in enumerate(starts):
            _copy_start(start, folder / f"start{at + 1}")

    titles = [arm.name or reader_title(store, begins_with(arm)) for arm in config.arms]
    names = [begins_with(arm) for arm in config.arms]
    job_config = {"training": config.to_json(), "titles": _titles_apart(names, titles)}
    return submit_job(store, "train_reader", title or data.name, job_config, write_data, processes=processes)


def _start_of(store: Store, arm: Arm) -> StartingPoint:
    """Start of an arm; ConfigError if its source stands on another encoder than its start."""
    start = reader_start(store, begins_with(arm))
    if arm.source and arm.start:
        check_base(arm.source, start, reader_start(store, arm.start).base)
    return start


def _titles_apart(names: Sequence[str], titles: Sequence[str]) -> list[str]:
    """The titles; of those that are alike, such as two runs on the same data, each with its name."""
    return [
        title if titles.count(title) == 1 else f"{title} ({name})"
        for name, title in zip(names, titles, strict=True)
    ]


def _copy_start(start: StartingPoint, folder: Path) -> None:
    """Keep what a training starts from, so that a run that is deleted later is not missed."""
    folder.mkdir()
    write_facts(folder, start, read_facts(start.trained) if start.trained else {})
    copy_state(start, folder)
    if start.trained is not None and (start.trained / HEAD).exists():
        shutil.copyfile(start.trained / HEAD, folder / HEAD)


# in the worker


def run_training(store: Store, job: Job) -> None:
    """Train and measure every trial of the job; raises RunError at the end if some failed."""
    ReaderTraining(store, job).run_trials()


class ReaderTraining(ExperimentWork[ReadingSet]):
    """One reading experiment at work."""

    task = TASK
    config: ReadExperiment

    def prepare(self) -> None:
        self.config = read_config_from_json(self.job.record.config["training"])
        self.pool, self.test = training_data(self.job)
        self.trials = trials_by_size(self.config)
        titles: list[str] = self.job.record.config["titles"]
        self.titles = dict(zip(self.config.by_key, titles, strict=True))
        self.starts = {key: at for at, key in enumerate(self.config.by_key, start=1)}

    def needs(self) -> Sequence[str]:
        return [begins_with(arm) for arm in self.config.arms]

    def title(self, trial: Trial) -> str:
        count = trial.size or len(self.pool)
        return f"From {self.titles[trial.arm]}, {count:,} questions, seed {trial.seed + 1}"

    def parts(self, trial: Trial) -> Parts[ReadingSet]:
        train, validation = questions_of_trial(self.config, self.pool, trial)
        return Parts(train, validation, self.test)

    def training(
        self, trial: Trial, folder: Path, parts: Parts[ReadingSet]
    ) -> Training[Fitted[TrainedReader]]:
        start, control = self._start(trial), self.control(folder)
        context = TrainingContext(self.store.settings, trial.seed, start, control=control)
        settings = self.config.settings_of(self.arm_of(trial))
        return fit_reader(context, parts.train, parts.validation, settings)

    def scoring(self, trial: Trial, folder: Path, parts: Parts[ReadingSet]) -> Training[dict[str, Any]]:
        reader = load_reader(folder / "model", self.store.settings)
        evaluation = yield from evaluate_events(reader, parts.test, Reading(top=1))
        write_answers(folder / ANSWERS, parts.test, evaluation)
        return {"report": to_json(evaluation.report)}

    def beginning(self, trial: Trial) -> dict[str, Any]:
        start = self._start(trial)
        return {
            "encoder": start.base.name,
            "vectors": "",
            "source": self.titles[trial.arm],
            "from_source": not start.bare,
        }

    def _start(self, trial: Trial) -> StartingPoint:
        return read_starting_point(self.job.folder / "data" / f"start{self.starts[trial.arm]}")

    def cost(self, trial: Trial) -> float:
        """In questions asked."""
        questions = trial.size or len(self.pool)
        epochs = epochs_for(self.config.settings_of(self.arm_of(trial)), questions)
        return TRAINING_COST * questions * epochs + len(self.test)

    def training_share(self, trial: Trial) -> float:
        return 1 - len(self.test) / self.cost(trial)


def training_data(job: Job) -> tuple[ReadingSet, ReadingSet]:
    """(questions to learn from, test questions) of a job."""
    data = job.folder / "data"
    return read_reading_file(data / TRAIN), read_reading_file(data / TEST)


def write_answers(path: Path, data: ReadingSet, evaluation: Evaluation) -> None:
    """One JSON line a question: what was answered, where, with which score, and how right it was."""
    with path.open("w", encoding="utf-8") as file:
        for question, reply, judged in zip(
            data.questions, evaluation.replies, evaluation.judged, strict=True
        ):
            best = reply.answers[0] if reply.answers else None
            row = {
                "id": question.id,
                "given": judged.given,
                "start": best.start if best else -1,
                "score": judged.score if best else None,
                "exact_match": judged.exact_match,
                "f1": judged.f1,
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_answers(path: Path) -> list[dict[str, Any]]:
    """The answers that `write_answers` wrote; RunError if they are gone or broken."""
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise RunError(
            "The answers in {parent} cannot be read. Evaluate again.", parent=path.parent.name
        ) from error


def exact_matches(job: Job, run: Run) -> NDArray[np.bool_]:
    """Test questions of its job that a run got right, as its report counts: (N,).

    Right is an exact answer and, where some questions have none, also silence on one of those.
    """
    rows = read_answers(run.folder / ANSWERS)
    exact = np.array([row["exact_match"] == 1 for row in rows], dtype=bool)
    threshold = run.tested["threshold"]
    if threshold is None:
        return exact
    test = read_reading_file(job.folder / "data" / TEST)
    answered = np.array([row["score"] is not None and row["score"] >= threshold for row in rows], dtype=bool)
    answerable = np.array([question.answerable for question in test.questions], dtype=bool)
    return np.where(answerable, exact & answered, ~answered)


def articles_of(job: Job) -> NDArray[np.int64] | None:
    """The article of each test question of a job, (N,), or its passage where all stand in one article.

    Questions about one article are right together. None if the questions are not here.
    """
    try:
        test = read_reading_file(job.folder / "data" / TEST)
    except DataError:
        return None
    return np.array(test.places, dtype=np.int64)


def check_base(name: str, start: StartingPoint, wanted: EncoderBase) -> None:
    """ConfigError if a source stands on another encoder than the one that was asked for."""
    if start.base != wanted:
        raise ConfigError(
            "The source {name} stands on the encoder {base}, not on {wanted}. Leave --encoder "
            "out, or choose another source.",
            name=name,
            base=start.base.name,
            wanted=wanted.name,
        )
