"""The course's own experiment, computed by this project: Amazon reviews as the source, IMDB as the target.

    python -m tl_core.shipping.course --data DIR

trains the grid as any other job (it can be stopped and goes on where it was) and writes what it found to
`assets/results/amazon_imdb.json`, which the Compare page opens on. `DIR` holds the public sets `imdb` and
`amazon_24_domains`; the domains of films and series are left out of the source.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.convert import from_json, to_json
from tl_core.outcomes.experiment import Grid
from tl_core.records import write_record

if TYPE_CHECKING:
    from tl_core.jobs.classify.plan import ClassifyExperiment

SIZES = (125, 625, 2_500, 0)  # rows of each class: 1, 5, 20 and 100 % of 25,000
SEEDS = 3
RESULT = Path(__file__).parents[2] / "assets" / "results" / "amazon_imdb.json"


@dataclass(frozen=True, slots=True)
class CourseResult:
    """The grid, and one paragraph on what was trained on what."""

    about: str
    grid: Grid


def course_result() -> CourseResult | None:
    """The shipped result; None where this copy of the project has none."""
    try:
        values = json.loads(RESULT.read_text(encoding="utf-8"))
        return CourseResult(str(values["about"]), from_json(Grid, values["grid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def course_config() -> ClassifyExperiment:
    """The grid: a baseline and the document model, with and without the source, on four sizes."""
    from tl_core.jobs.classify.plan import of_strategies

    return of_strategies(("tfidf", "cnn"), sizes=SIZES, seeds=SEEDS, test_share=0.05)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train the grid, or go on with it, and write what it found."""
    from tl_core.errors import RunError, TLError
    from tl_core.jobs.classify.compare import submit_comparison
    from tl_core.jobs.classify.plan import Task
    from tl_core.jobs.trainings import resume_job
    from tl_core.outcomes.experiment import read_grid
    from tl_core.runs.store import Store
    from tl_core.settings import read_settings
    from tl_core.shipping.source import read_set
    from tl_core.shipping.source_amazon import read_amazon
    from tl_core.shipping.steps import begin, data_folder, machine_name

    parser = argparse.ArgumentParser(description="Train the course's own experiment and ship what it found.")
    parser.add_argument("--data", default=os.environ.get("TL_DATA", ""), help="folder of the public sets")
    parser.add_argument("--job", default="", help="go on with this job")
    parser.add_argument("--out", type=Path, default=RESULT)
    begin()
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        store = Store(settings)
        if options.job:
            job = store.job(options.job)
            job = job if job.status == "done" else resume_job(store, options.job)
        else:
            folder = data_folder(options.data)
            train, test = (
                read_set(folder, f"imdb/{part}.csv", "review", "sentiment") for part in ("train", "test")
            )
            task = Task(train, test, read_amazon(folder).train, "Amazon to IMDB")
            job = submit_comparison(store, course_config(), task)
        print(f"job {job.id}", file=sys.stderr, flush=True)
        while not (job := store.job(job.id)).ended:
            time.sleep(1.0)
        if job.status != "done":
            raise RunError(
                "Job {job} is {status}: {reason} Go on with it by --job {job}.",
                job=job.id,
                status=job.status,
                reason=job.reason,
            )
        grid = read_grid(job, store.runs_of(job.id))
    except TLError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    about = (
        "The course's experiment, trained by this project: film reviews (IMDB) by TF-IDF and by the CNN document model of "
        "Denil et al. 2014 on GloVe vectors, with and without what the model learned from Amazon reviews of other products "
        f"before. Mean of {SEEDS} seeds on all {grid.test_rows:,} test reviews; {machine_name(settings)}, {date.today()}."
    )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_record(options.out, {"about": about, "grid": to_json(grid)})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
