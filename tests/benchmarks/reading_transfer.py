"""What the source brings: KorQuAD's articles 0-99 learned from the bare encoder and after English.

    python -m tests.benchmarks.reading_transfer --data DIR --english FOLDER [--sizes 16 64 256 1024] [--limit 500]

FOLDER is the model of the Korean recipe's English stage (`<work>/english/model`). Both sides learn
from the same questions and are asked the same ones of articles 100-139.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from tests.benchmarks.measure import data_folder, figure, machine, new_home
from tl_core.catalog import readers
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading_file
from tl_core.encoders.adapted import read_starting_point
from tl_core.jobs.read import train
from tl_core.jobs.read.plan import read_config_from_json
from tl_core.runs.store import Store
from tl_core.shipping.reader_ko import KORQUAD, TEST_ARTICLES, TRAINED_ARTICLES
from tl_core.shipping.steps import find_file
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.report import evaluate_events
from tl_core.tasks.read.saved import load_reader
from tl_core.training.events import drain


def sampled(data: ReadingSet, count: int) -> ReadingSet:
    """`count` questions, spread over the whole set."""
    return data.take(np.linspace(0, len(data) - 1, min(count, len(data))).astype(int))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--english", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--limit", type=int, default=500, help="test questions")
    options = data_folder(parser)
    settings = new_home()
    store = Store(settings)
    korquad = read_reading_file(find_file(options.data, KORQUAD))
    test = sampled(korquad.of_articles(TEST_ARTICLES), options.limit)
    zero_shot = drain(evaluate_events(load_reader(options.english, settings), test, Reading(top=1))).report
    facts = {"questions": len(test), "machine": machine(), "threads": settings.threads}
    figure("after English, 0 questions: F1", 100 * zero_shot.scores.f1, "%", **facts)
    figure("after English, 0 questions: exact match", 100 * zero_shot.scores.exact_match, "%", **facts)
    plain = readers.reader_start
    train.reader_start = lambda store, name: (  # type: ignore[attr-defined]
        read_starting_point(options.english) if name == "english" else plain(store, name)
    )
    config = read_config_from_json({"starts": ["e5", "english"], "sizes": options.sizes})
    job = train.submit_training(
        store, config, korquad.of_articles(TRAINED_ARTICLES), test=test, title="KorQuAD"
    )
    while not (job := store.job(job.id)).ended:
        time.sleep(1)
    for run in store.runs_of(job.id):
        scores = run.record.report["scores"]
        name = "after English" if run.record.source == "english" else "bare E5"
        facts["seconds"] = round(run.record.seconds, 1)
        figure(f"{name}, {run.record.size} questions: F1", 100 * scores["f1"], "%", **facts)
        figure(f"{name}, {run.record.size} questions: exact match", 100 * scores["exact_match"], "%", **facts)


if __name__ == "__main__":
    main()
