"""Inside the probe's process: train a few real batches of each strategy and measure what they cost.

`estimate` starts this process, gives it an order in a folder, and reads the rates it leaves there.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, read_examples
from tl_core.encoders.adapted import StartingPoint
from tl_core.encoders.load import EncoderBase
from tl_core.errors import TLError
from tl_core.recipes.plan import CompareConfig, config_from_json, labelled, rows_of_seed
from tl_core.runs.records import read_record, write_record
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Bench
from tl_core.tasks.classify.strategies import strategy
from tl_core.text.tokens import count_tokens
from tl_core.training.batches import length_batches, padded_tokens, sorted_batches
from tl_core.training.events import Metric, drain

BATCHES = 6
TEXTS = 96
RATES = "rates.json"


def run_probe(settings: Settings, folder: Path) -> None:
    """Inside the probe's process: measure and write `rates.json` into `folder`."""
    began = time.monotonic()
    order = read_record(folder / "order.json")
    if order is None:
        raise TLError(f"{folder} holds no order for a probe.")
    config = config_from_json(order["config"])
    examples = read_examples(folder / "rows.jsonl")
    start = None
    if order["base"]:
        trained = Path(order["trained"]) if order["trained"] else None
        start = StartingPoint(EncoderBase.from_json(order["base"]), trained)
        import peft  # noqa: F401  what a worker imports before its first training counts as start
        import torch  # noqa: F401
        import transformers  # noqa: F401
    importing = time.monotonic() - began + 1.0  # and the interpreter's own start
    rates = {}
    for name in order["strategies"]:
        rates[name] = _measure(settings, config, name, start, examples, importing)
    write_record(folder / RATES, rates)


def _measure(
    settings: Settings,
    config: CompareConfig,
    name: str,
    start: StartingPoint | None,
    examples: Examples,
    importing: float,
) -> dict[str, float]:
    from tl_core.training.memory import peak_bytes, start_peak

    start_peak()
    bench = Bench(settings, 0, start if strategy(name).needs_encoder else None)
    if name == "tfidf":
        train, predict, load = _measure_tfidf(bench, config, examples)
    else:
        train, predict, load = _measure_encoder(bench, config, name, examples)
    return {
        "train": train,
        "predict": predict,
        "load": load,
        "start": importing,
        "memory": float(peak_bytes()),
    }


def _measure_tfidf(bench: Bench, config: CompareConfig, examples: Examples) -> tuple[float, float, float]:
    """Seconds a character of fitting and predicting, and of the fixed part."""
    rows = rows_of_seed(config, examples, 0, examples.classes)
    fit = strategy("tfidf").fit()
    few = labelled(examples.take(range(0, len(examples), max(1, len(examples) // 60))), examples.classes)
    none = labelled(examples.take([]), examples.classes)
    settings = config.config_of("tfidf")
    began = time.monotonic()
    drain(fit(bench, examples.classes, few, none, settings))
    load = time.monotonic() - began  # imports sklearn
    began = time.monotonic()
    fitted = drain(fit(bench, examples.classes, rows.train, none, settings))
    train = (time.monotonic() - began) / max(1, sum(map(len, rows.train.texts)))
    began = time.monotonic()
    drain(fitted.classifier.predict_events(rows.train.texts))
    return train, (time.monotonic() - began) / max(1, sum(map(len, rows.train.texts))), load


def _measure_encoder(
    bench: Bench, config: CompareConfig, name: str, examples: Examples
) -> tuple[float, float, float]:
    """Seconds a padded token of a training step and of a prediction, and seconds to load."""
    import sklearn.linear_model  # noqa: F401  what a worker holds too

    from tl_core.encoders.adapted import load_merged
    from tl_core.tasks.classify.encoder import PREDICT_BATCH, EncoderClassifier, Use, make_network
    from tl_core.training.devices import best_device

    settings: Any = config.config_of(name)
    start = bench.starting_point
    began = time.monotonic()
    encoder = load_merged(start, bench.settings)
    load = time.monotonic() - began
    lengths = np.minimum(count_tokens(encoder.tokenizer, examples.texts), settings.max_tokens)
    network = make_network(encoder, 2, 0.0).to(best_device())
    use = Use(settings.max_tokens, settings.precision)
    classifier = EncoderClassifier(encoder, network, ("a", "b"), start, use, lambda folder: None)
    few = _spread(lengths, TEXTS)
    texts = [examples.texts[at] for at in few]
    drain(classifier.predict_events(texts[-8:]))  # the first batch pays for set-up
    began = time.monotonic()
    drain(classifier.predict_events(texts))
    predict = (time.monotonic() - began) / padded_tokens(
        lengths[few], sorted_batches(lengths[few], PREDICT_BATCH)
    )
    if not strategy(name).in_loop:
        return 0.0, predict, load
    del encoder, network, classifier
    return _measure_steps(bench, name, settings, examples, lengths), predict, load


def _measure_steps(
    bench: Bench, name: str, settings: Any, examples: Examples, lengths: NDArray[np.int64]
) -> float:
    """Seconds a padded token over a few real steps; the first one pays for set-up and is left out."""
    chosen = _spread(lengths, BATCHES * settings.batch_size)
    train = labelled(examples.take(chosen), examples.classes)
    none = labelled(examples.take([]), examples.classes)
    batches = length_batches(lengths[chosen], settings.batch_size, seed=bench.seed, epoch=0)
    training = strategy(name).fit()(bench, examples.classes, train, none, settings)
    times = []
    for event in training:
        if isinstance(event, Metric):
            times.append(time.monotonic())
            if len(times) == len(batches):
                break
    training.close()
    if len(times) < 2:
        return 0.0
    return (times[-1] - times[0]) / padded_tokens(lengths[chosen], batches[1 : len(times)])


def _spread(lengths: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` rows over the whole range of lengths, the longest among them, longest last."""
    order = np.argsort(lengths, kind="stable")
    if len(order) <= count:
        return order
    return order[np.linspace(0, len(order) - 1, count).astype(np.int64)]
