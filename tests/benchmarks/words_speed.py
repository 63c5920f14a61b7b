"""Classifiers on words: EmbeddingBag beside padding, packed beside padded LSTM, one epoch of the document model.

    python -m tests.benchmarks.words_speed --data DIR [--rows 5000] [--turns 3]

Rows a second of training on IMDB reviews, both sides in turns in one process; the document model is timed for one
epoch of all 25,000 reviews, its validation included.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from tests.benchmarks.measure import data_folder, figure, machine, new_home, read, stratified
from tl_core.data.examples import Examples
from tl_core.jobs.classify.plan import labelled
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput
from tl_core.tasks.classify.strategies import strategy
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.training.events import Metric
from tl_core.vectors.catalog import open_packaged

SIDES = {
    "mean, padded": ("mean", {}),
    "mean, EmbeddingBag": ("bag", {}),
    "LSTM, padded": ("recurrent", {"packed": False}),
    "LSTM, packed": ("recurrent", {"packed": True}),
}


def steps(
    settings: Settings, name: str, train: Examples, held: Examples, **values: Any
) -> tuple[float, float]:
    """(seconds of all steps of one epoch but the first, seconds of the epoch with its validation)."""
    config = strategy(name).config(**values, epochs=1)  # type: ignore[call-arg]
    context = TrainingContext(settings, words=WordStart(open_packaged(settings)))
    classes = train.classes
    given = FitInput(context, classes, labelled(train, classes), labelled(held, classes), config)
    fitting = strategy(name).fit(given)
    times: list[float] = []
    try:
        while True:
            event = next(fitting)
            if isinstance(event, Metric) and event.name == "training loss":
                times.append(time.perf_counter())
    except StopIteration as end:
        return times[-1] - times[0], float(end.value.seconds)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--turns", type=int, default=3)
    options = data_folder(parser)
    settings = new_home()
    everything = read(options.data / "imdb" / "train.csv.gz", "review", "sentiment")
    train = stratified(everything, options.rows)
    none = train.take([])
    facts = {"rows": len(train), "machine": machine()}
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    for _ in range(options.turns):
        for side, (name, values) in SIDES.items():
            seconds[side].append(steps(settings, name, train, none, **values)[0])
    for side, taken in seconds.items():
        batch = getattr(strategy(SIDES[side][0]).config(), "batch_size")  # noqa: B009
        figure(side, (len(train) - batch) / float(np.median(taken)), "rows/s", **facts)
    held = np.arange(len(everything)) % 7 == 0  # about the share that a comparison holds back
    parts = [everything.take(np.flatnonzero(each)) for each in (~held, held)]
    _, epoch = steps(settings, "cnn", *parts)
    figure(
        "CNN document model, one epoch with its validation",
        epoch,
        "s",
        rows=len(everything),
        machine=machine(),
    )


if __name__ == "__main__":
    main()
