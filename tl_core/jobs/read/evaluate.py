"""Ask a reader every question of a file in a worker, and judge it by the file's official rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tl_core.catalog.readers import load_named_reader, reader_title
from tl_core.convert import from_json
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file, write_squad
from tl_core.jobs.evaluation import ask_all, read_result, write_result
from tl_core.jobs.read.train import ANSWERS, read_answers, write_answers
from tl_core.jobs.trainings import submit_job
from tl_core.runs.store import Job, Store
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import Evaluation, ReadReport, evaluate_events
from tl_core.training.events import Training

QUESTIONS = "questions.json"


def submit_evaluation(store: Store, reader: str, data: ReadingSet) -> Job:
    """Write the questions, start a worker, and give the job back at once."""
    title = f"{reader_title(store, reader)} on {data.name}"

    def write_data(folder: Path) -> None:
        (folder / QUESTIONS).write_bytes(write_squad(data))

    config = {"reader": reader, "name": data.name, "questions": len(data)}
    return submit_job(store, "evaluate_reading", title, config, write_data)


def run_evaluation(store: Store, job: Job) -> None:
    """The worker's side of `submit_evaluation`: leaves `result.json` and `answers.jsonl` in the job."""
    data = evaluated_questions(job)

    def open_reader() -> Training[Evaluation]:
        reader = load_named_reader(store, str(job.record.config["reader"]))
        return evaluate_events(reader, data, Reading(top=1))

    evaluation, seconds = ask_all(job, len(data), "Loading the reader", open_reader)
    write_answers(job.folder / ANSWERS, data, evaluation)
    write_result(job, evaluation.report, seconds)


def evaluated_questions(job: Job) -> ReadingSet:
    """The questions of an evaluation job."""
    return read_reading_file(job.folder / "data" / QUESTIONS)


def evaluation_result(job: Job) -> tuple[ReadReport, float]:
    """(report, seconds of asking) of a finished evaluation; RunError if it has none."""
    result = read_result(job)
    return from_json(ReadReport, result["report"]), float(result["seconds"])


def evaluation_answers(job: Job) -> list[dict[str, Any]]:
    """One dict a question, as `write_answers` has them."""
    return read_answers(job.folder / ANSWERS)
