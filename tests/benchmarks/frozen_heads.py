"""The head of the frozen strategy beside logistic regression on unit-length features, on the same features and rows.

    python -m tests.benchmarks.frozen_heads --data DIR

One JSON line an encoder, set, number of rows a class and head: mean accuracy over draws, on the same 800 test rows.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from tests.benchmarks.ladder import SETS
from tests.benchmarks.measure import data_folder, figure, machine, new_home, read
from tl_core.data.split import sample_per_class
from tl_core.encoders.adapted import StartingPoint, load_merged
from tl_core.encoders.load import find_encoder
from tl_core.settings import Settings
from tl_core.tasks.classify.config import FrozenConfig
from tl_core.tasks.classify.encoder.frozen import cached_features, fit_head
from tl_core.training.events import drain

Features = NDArray[np.float32]
Targets = NDArray[np.int64]
TEST_ROWS = 800


def ours(features: Features, targets: Targets, test: Features) -> Targets:
    """Classes by the head that the strategy trains."""
    weight, bias = fit_head(features, targets, int(targets.max()) + 1, 0.0)
    return (normalize(test) @ weight.T + bias).argmax(axis=1)


def unit_length(features: Features, targets: Targets, test: Features) -> Targets:
    """Classes by scikit-learn's defaults on features of length one."""
    model = LogisticRegression(max_iter=2000).fit(normalize(features), targets)
    predicted: Targets = model.predict(normalize(test))
    return predicted


HEADS: dict[str, Callable[[Features, Targets, Features], Targets]] = {
    "frozen strategy": ours,
    "unit length, C = 1": unit_length,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", nargs="+", default=sorted(SETS), choices=sorted(SETS))
    parser.add_argument("--sizes", nargs="+", type=int, default=[8, 16, 64])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--encoder", nargs="+", default=["minilm", "e5"])
    options = data_folder(parser)
    settings = new_home()
    for encoder in options.encoder:
        for name in options.set:
            compare_heads(settings, encoder, name, options)


def compare_heads(settings: Settings, name: str, of: str, options: argparse.Namespace) -> None:
    """Every head on the features of one encoder, on one set."""
    config, start = FrozenConfig(max_tokens=128), StartingPoint(find_encoder(name, settings))
    encoder = load_merged(start, settings)

    def features_of(texts: tuple[str, ...]) -> Features:
        return drain(cached_features(encoder, start, texts, config, settings))

    train_file, test_file, text, label = SETS[of]
    train, test = (read(Path(options.data) / each, text, label) for each in (train_file, test_file))
    classes = list(train.classes)
    known = [at for at, each in enumerate(test.labels) if each in set(classes)]
    drawn = np.random.default_rng(0).permutation(known)[:TEST_ROWS]
    test = test.take(sorted(drawn.tolist()))
    truth = np.array([classes.index(each) for each in test.labels])
    test_features = features_of(test.texts)
    for size in options.sizes:
        right: dict[str, list[float]] = {head: [] for head in HEADS}
        for seed in range(options.draws):
            rows = sample_per_class(train, size, seed)
            features = features_of(rows.texts)
            targets = np.array([classes.index(each) for each in rows.labels])
            for head, fit in HEADS.items():
                right[head].append(float((fit(features, targets, test_features) == truth).mean()))
        for head, shares in right.items():
            facts = {"encoder": name, "set": of, "per_class": size, "head": head, "draws": options.draws}
            sd = round(100 * float(np.std(shares, ddof=1)), 2)
            figure("accuracy", 100 * float(np.mean(shares)), "%", sd=sd, machine=machine(), **facts)


if __name__ == "__main__":
    main()
