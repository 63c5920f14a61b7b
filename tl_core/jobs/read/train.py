"""Fine-tune readers on a file of questions: several starts, numbers of questions and seeds side by side.

Submitting checks everything that can be checked, writes the questions into the job's folder and
starts a worker, which trains run by run and measures each on the same test questions.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog.readers import reader_start, reader_title
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file, write_squad
from tl_core.encoders.adapted import StartingPoint, copy_state, read_facts, read_starting_point, write_facts
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.tuning import epochs_for
from tl_core.errors import ConfigError, RunError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.read.plan import (
    ReadCell,
    TrainReaderConfig,
    check_questions,
    questions_of_cell,
    read_cells,
    read_split,
    train_reader_config,
)
from tl_core.jobs.trainings import CellWork, submit_job
from tl_core.knobs import to_values
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import Evaluation, evaluate_events
from tl_core.tasks.read.saved import HEAD, load_reader
from tl_core.tasks.read.train import ReaderContext, fit_reader
from tl_core.training.memory import peak_bytes

TRAIN, TEST = "train.json", "test.json"
ANSWERS = "answers.jsonl"
TRAINING_COST = 3.0  # of a question in an epoch, in forward passes


def submit_training(
    store: Store,
    config: TrainReaderConfig,
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
    starts = [reader_start(store, name) for name in config.starts]

    def write_data(folder: Path) -> None:
        (folder / TRAIN).write_bytes(write_squad(pool))
        (folder / TEST).write_bytes(write_squad(held))
        for at, start in enumerate(starts):
            _copy_start(start, folder / f"start{at + 1}")

    titles = _titles_apart(config.starts, [reader_title(store, name) for name in config.starts])
    told = {"training": config.to_json(), "titles": titles}
    return submit_job(store, "train_reader", title or data.name, told, write_data, processes=processes)


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
    """Train and measure every cell of the job; raises RunError at the end if cells failed."""
    training = ReaderTraining(store, job)
    training.run_cells(training.cells)


class ReaderTraining(CellWork[ReadCell]):
    """One job of reader trainings at work."""

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(store, job)
        self.config = train_reader_config(job.record["config"]["training"])
        self.titles: list[str] = job.record["config"]["titles"]
        self.pool, self.test = training_data(job)
        self.cells = read_cells(self.config)
        weights = {cell.suffix: self._cost(cell) for cell in self.cells}
        self.progress = JobProgress(job.folder / "progress.json", weights)

    def _cost(self, cell: ReadCell) -> float:
        questions = cell.size or len(self.pool)
        epochs = epochs_for(self.config.read_config(), questions)
        return TRAINING_COST * questions * epochs + len(self.test)

    def title(self, cell: ReadCell) -> str:
        count = cell.size or len(self.pool)
        return f"From {self.titles[cell.start]}, {count:,} questions, seed {cell.seed + 1}"

    def train(self, cell: ReadCell, run_id: str) -> None:
        train, validation = questions_of_cell(self.config, self.pool, cell)
        folder = self.store.settings.runs / run_id
        context = ReaderContext(self.store.settings, self._start(cell), cell.seed, self.control(folder))
        fitting = fit_reader(context, train, validation, self.config.read_config())
        before = 1 - len(self.test) / self._cost(cell)
        record = self._record(cell, run_id, train, validation)
        learned = self.fit(cell, record, fitting, until=before, stops_itself=True)
        if learned is not None:
            self.finish(cell, learned | self._measure(cell, folder, before))

    def _measure(self, cell: ReadCell, folder: Path, before: float) -> dict[str, Any]:
        """Ask the reader as it was saved, not as it stands in memory, and keep its answers."""
        began = time.perf_counter()
        reader = load_reader(folder / "model", self.store.settings)
        asking = evaluate_events(reader, self.test, Reading(top=1))
        evaluation: Evaluation = self.drive(cell, folder, asking, part=(before, 1.0))
        write_answers(folder / ANSWERS, self.test, evaluation)
        return {
            "report": evaluation.report.to_json(),
            "scoring_seconds": time.perf_counter() - began,
            "peak_memory": peak_bytes(),
        }

    def _start(self, cell: ReadCell) -> StartingPoint:
        return read_starting_point(self.job.folder / "data" / f"start{cell.start + 1}")

    def _record(
        self, cell: ReadCell, run_id: str, train: ReadingSet, validation: ReadingSet | None
    ) -> dict[str, Any]:
        config = self.config.read_config()
        return {
            "id": run_id,
            "job": self.job.id,
            "task": "read",
            "title": self.job.title,
            "role": "target",
            "strategy": config.method,
            "seed": cell.seed + 1,
            "status": "running",
            "started": time.time(),
            "encoder": self._start(cell).base.name,
            "source": self.titles[cell.start],
            "start": cell.start,
            "size": cell.size,
            "config": to_values(config),
            "rows": {
                "train": len(train),
                "validation": len(validation) if validation else 0,
                "test": len(self.test),
            },
        }


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
    """What `write_answers` wrote; RunError if it is gone or broken."""
    try:
        with path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise RunError(f"The answers in {path.parent.name} cannot be read. Evaluate again.") from error


def exact_matches(job: Job, run: Run) -> NDArray[np.bool_]:
    """Which test questions of its job a run got right, as its report counts: (N,).

    Right is an exact answer and, where some questions have none, also silence on one of those.
    """
    rows = read_answers(run.folder / ANSWERS)
    exact = np.array([row["exact_match"] == 1 for row in rows], dtype=bool)
    threshold = run.record["report"]["threshold"]
    if threshold is None:
        return exact
    test = read_reading_file(job.folder / "data" / TEST)
    said = np.array([row["score"] is not None and row["score"] >= threshold for row in rows], dtype=bool)
    answerable = np.array([each.answerable for each in test.questions], dtype=bool)
    return np.where(answerable, exact & said, ~said)


def check_base(name: str, start: StartingPoint, wanted: EncoderBase) -> None:
    """ConfigError if a source stands on another encoder than the one that was asked for."""
    if start.base != wanted:
        raise ConfigError(
            f"The source {name} stands on the encoder {start.base.name}, not on {wanted.name}. Leave --encoder "
            "out, or choose another source."
        )
