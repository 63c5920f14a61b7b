"""Label the rows of a file with a run's model: the input columns plus `predicted` and `probability`."""

from __future__ import annotations

from pathlib import Path

from tl_core.data.examples import texts_of
from tl_core.data.spreadsheet import write_csv
from tl_core.data.tables import Table, read_table_file
from tl_core.errors import DataError, RunError
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import drive_alone, submit_job
from tl_core.runs.store import Job, Run, Store
from tl_core.settings import Settings
from tl_core.tasks.classify.saved import load_classifier
from tl_core.training.events import Training
from tl_core.whole_files import check_output, written_for_user

RESULT = "predicted.csv"


def read_unlabelled(table: Table, columns: tuple[str, ...]) -> list[str]:
    """The texts of a table; DataError if a column is missing or there are no rows."""
    texts = texts_of(table, columns)
    if not texts:
        raise DataError("{table} holds no rows to predict.", table=table.name)
    return texts


def predict_events(
    settings: Settings, run: Run, table: Table, columns: tuple[str, ...], out: Path
) -> Training[int]:
    """Write the table with predictions to `out` and return the number of rows. Yields Progress in rows.

    Cells that a spreadsheet would run as formulas are neutralised.
    """
    texts = read_unlabelled(table, columns)
    if run.status != "done":
        raise RunError(
            "Run {run} is {status}; only a finished run can predict.", run=run.id, status=run.status
        )
    check_output(out)
    classifier = load_classifier(run.model, settings)
    probabilities = yield from classifier.predict_events(texts)
    best = probabilities.argmax(1)
    rows = [
        (*row, classifier.classes[at], f"{each[at]:.4f}")
        for row, at, each in zip(table.rows, best, probabilities, strict=True)
    ]
    with written_for_user(out) as aside:
        write_csv(aside, (*table.columns, "predicted", "probability"), rows)
    return len(rows)


def submit_prediction(store: Store, run: Run, content: bytes, table: Table, columns: tuple[str, ...]) -> Job:
    """Predict a file in a worker, so that the page stays free; the result is `predicted.csv` in the job."""
    read_unlabelled(table, columns)
    config = {"run": run.id, "columns": list(columns), "has_header": table.has_header, "name": table.name}

    def write_data(folder: Path) -> None:
        (folder / "input").write_bytes(content)

    return submit_job(store, "predict", f"Predict {table.name}", config, write_data)


def run_prediction(store: Store, job: Job) -> None:
    """The worker's side of `submit_prediction`."""
    config = job.record.config
    table = read_table_file(job.folder / "data" / "input", has_header=config["has_header"])
    progress = JobProgress(job.folder / "progress.json", {"predict": float(len(table.rows))})
    out = job.folder / RESULT
    events = predict_events(store.settings, store.run(config["run"]), table, tuple(config["columns"]), out)
    drive_alone(job, progress, "predict", "Predicting", events)
    progress.finish("predict")
