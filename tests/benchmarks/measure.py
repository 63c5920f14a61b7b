"""What the benchmarks share: the data folder, one JSON line a figure, and a comparison run to its end."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.data.columns import Columns
from tl_core.data.examples import Examples, to_examples
from tl_core.data.tables import read_table_file
from tl_core.errors import RunError
from tl_core.jobs.classify.compare import submit_comparison
from tl_core.jobs.classify.plan import ClassifyExperiment, Task
from tl_core.jobs.trainings import resume_job
from tl_core.runs.store import Job, Run, Store
from tl_core.settings import Settings, read_settings


def data_folder(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The parsed options with `data`, from --data or TL_DATA; there is no default."""
    parser.add_argument("--data", type=Path, default=os.environ.get("TL_DATA"))
    options = parser.parse_args()
    if options.data is None or not Path(options.data).is_dir():
        parser.error("give the folder of the data sets by --data DIR or TL_DATA")
    options.data = Path(options.data)
    return options


def figure(name: str, value: float | str, unit: str, **facts: Any) -> None:
    """Print one measured figure as a JSON line."""
    rounded = round(value, 4) if isinstance(value, float) else value
    print(json.dumps({"figure": name, "value": rounded, "unit": unit, **facts}), flush=True)


def machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} cores"


def read(path: Path, text: str | tuple[str, ...], label: str) -> Examples:
    """The examples of a public data file."""
    texts = (text,) if isinstance(text, str) else text
    return to_examples(read_table_file(path), Columns(texts, label)).examples


def stratified(examples: Examples, rows: int, seed: int = 0) -> Examples:
    """`rows` rows, as many of each class as of any other, drawn with a seed."""
    random = np.random.default_rng(seed)
    labels = np.array(examples.labels)
    each = rows // len(examples.classes)
    chosen = [random.permutation(np.flatnonzero(labels == label))[:each] for label in examples.classes]
    return examples.take(sorted(int(at) for at in np.concatenate(chosen)))


def new_home() -> Settings:
    """Settings with an empty folder for jobs and runs."""
    os.environ["TL_HOME"] = tempfile.mkdtemp(prefix="benchmark-")
    return read_settings()


def compare(config: ClassifyExperiment, task: Task, settings: Settings) -> tuple[list[Run], float]:
    """Run a comparison in its worker to the end: (runs, wall seconds). One that was stopped here goes on."""
    store = Store(settings)
    began = time.monotonic()
    job = unfinished(store, config, task)
    job = resume_job(store, job.id) if job else submit_comparison(store, config, task)
    while not (job := store.job(job.id)).ended:
        time.sleep(0.2)
    if job.status != "done":
        raise RunError(f"{job.status}: {job.reason}")
    return store.runs_of(job.id), time.monotonic() - began


def unfinished(store: Store, config: ClassifyExperiment, task: Task) -> Job | None:
    """The job of this home that was to measure the same and did not come to its end."""
    asked = json.loads(json.dumps(config.to_json()))
    left = (job for job in store.jobs() if job.status in ("stopped", "interrupted", "failed"))
    return next(
        (
            job
            for job in left
            if (job.record.title, job.record.config.get("comparison")) == (task.title, asked)
        ),
        None,
    )
