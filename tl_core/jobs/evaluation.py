"""Jobs that ask a model a set of questions and leave what came of it: readers, and word vectors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from tl_core.convert import to_json
from tl_core.errors import RunError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import drive_alone
from tl_core.records import read_record, write_record
from tl_core.runs.store import Job
from tl_core.training.events import Training

RESULT = "result.json"  # in the job's folder
T = TypeVar("T")


def ask_all(job: Job, questions: int, opening: str, open_model: Callable[[], Training[T]]) -> tuple[T, float]:
    """Open a model, which gives its asking, and drain that: what came of it, and the seconds of asking.

    `opening` says meanwhile what is done. Raises Stopped when a stop was asked for.
    """
    progress = JobProgress(job.folder / "progress.json", {"ask": float(questions)})
    progress.update("ask", opening, 0.0)
    asking = open_model()
    began = time.perf_counter()
    answers = drive_alone(job, progress, "ask", "Asking", asking)
    seconds = time.perf_counter() - began
    progress.finish("ask")
    return answers, seconds


def write_result(job: Job, report: object, seconds: float, **about: Any) -> None:
    """Leave a report, and what is to be said beside it, in the job's folder."""
    write_record(job.folder / RESULT, {"report": to_json(report), "seconds": seconds, **about})


def read_result(job: Job) -> dict[str, Any]:
    """The result that `write_result` wrote; RunError if the evaluation has none."""
    record = read_record(job.folder / RESULT)
    if record is None:
        raise RunError("Evaluation {job} is {status}: it has no result.", job=job.id, status=job.status)
    return record
