"""Ask a reader every question of a file in a worker, and judge it by the file's official rule."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tl_core.catalog.readers import load_named_reader, reader_title
from tl_core.convert import from_json, to_json
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file, write_squad
from tl_core.errors import RunError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.read.train import ANSWERS, read_answers, write_answers
from tl_core.jobs.trainings import drive_alone, submit_job
from tl_core.records import read_record, write_record
from tl_core.runs.store import Job, Store
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import ReadReport, evaluate_events

QUESTIONS = "questions.json"
RESULT = "result.json"


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
    progress = JobProgress(job.folder / "progress.json", {"ask": float(len(data))})
    progress.update("ask", "Loading the reader", 0.0)
    reader = load_named_reader(store, str(job.record.config["reader"]))
    began = time.perf_counter()
    evaluation = drive_alone(job, progress, "ask", "Asking", evaluate_events(reader, data, Reading(top=1)))
    seconds = time.perf_counter() - began
    write_answers(job.folder / ANSWERS, data, evaluation)
    write_record(job.folder / RESULT, {"report": to_json(evaluation.report), "seconds": seconds})
    progress.finish("ask")


def evaluated_questions(job: Job) -> ReadingSet:
    """The questions of an evaluation job."""
    return read_reading_file(job.folder / "data" / QUESTIONS)


def evaluation_result(job: Job) -> tuple[ReadReport, float]:
    """(report, seconds of asking) of a finished evaluation; RunError if it has none."""
    record = read_record(job.folder / RESULT)
    if record is None:
        raise RunError("Evaluation {job} is {status}: it has no result.", job=job.id, status=job.status)
    return from_json(ReadReport, record["report"]), float(record["seconds"])


def evaluation_answers(job: Job) -> list[dict[str, Any]]:
    """One dict a question, as `write_answers` has them."""
    return read_answers(job.folder / ANSWERS)
