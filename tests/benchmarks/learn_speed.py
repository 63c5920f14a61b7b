"""How fast word vectors are learned, beside gensim called directly, on IMDB reviews.

    python -m tests.benchmarks.learn_speed --data DIR [--rows 25000] [--methods skipgram cbow fasttext]

The same sentences, settings and threads in the same process; only the way of training differs: ours goes
epoch by epoch, reckons the loss, the neighbours of three words, and writes checkpoints; gensim is one
call with its defaults. Both sides count every word of the sentences over the seconds of the whole call,
the vocabulary included, and are timed in turns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.measure import data_folder, figure, machine, read
from tl_core.settings import read_settings
from tl_core.text.words import sentences_of
from tl_core.training.events import drain
from tl_core.training.loop import LoopControl
from tl_core.vectors.learn_config import LearnConfig
from tl_core.vectors.learning import learn_vectors

METHODS = ("skipgram", "cbow", "fasttext")
WATCHED = ("good", "bad", "film")


def ours(sentences: list[list[str]], config: LearnConfig, workers: int) -> float:
    """Seconds of our learning."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        control = LoopControl(Path(folder))
        drain(learn_vectors(sentences, config, threads=workers, watched=WATCHED, control=control))
        return time.perf_counter() - began


def gensims(sentences: list[list[str]], config: LearnConfig, workers: int) -> float:
    """Seconds of one call of gensim."""
    from gensim.models import FastText, Word2Vec

    model: Any = FastText if config.method == "fasttext" else Word2Vec
    began = time.perf_counter()
    model(
        sentences,
        sg=int(config.method != "cbow"),
        vector_size=config.width,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        alpha=config.learning_rate,
        seed=config.seed,
        epochs=config.epochs,
        workers=workers,
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=25_000)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--turns", type=int, default=3, help="how often each side is timed")
    options = data_folder(parser)
    import gensim.models
    import torch  # noqa: F401  what a worker has loaded anyway is not timed

    workers = read_settings().threads
    texts = read(options.data / "imdb" / "train.csv.gz", "review", "sentiment").texts[: options.rows]
    began = time.perf_counter()
    sentences = list(sentences_of(texts, "words"))
    words = sum(map(len, sentences))
    facts = {"rows": len(texts), "words": words, "sentences": len(sentences), "machine": machine()}
    figure("words cut a second", words / (time.perf_counter() - began), "1/s", **facts)
    facts |= {"workers": workers, "turns": options.turns, "gensim": gensim.__version__}
    for method in options.methods:
        config = LearnConfig(method=method)
        sides = {"ours": ours, "gensim": gensims}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(options.turns):
            for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
                seconds[name].append(sides[name](sentences, config, workers))
        share = float(np.median(np.array(seconds["ours"]) / np.array(seconds["gensim"])))
        for name, took in seconds.items():
            rate = config.epochs * words / float(np.median(took))
            figure(f"{method}: words a second, {name}", rate, "1/s", **facts)
        figure(f"{method}: our seconds for one of gensim", share, "", **facts)


if __name__ == "__main__":
    main()
