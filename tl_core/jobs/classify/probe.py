"""Inside the probe's process: train a few real batches of each strategy and measure what they cost.

`estimate` starts this process, gives it an order in a folder, and reads the rates it leaves there.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog.vector_sets import open_vectors
from tl_core.data.examples import Examples, read_examples
from tl_core.data.split import sample_per_class
from tl_core.encoders.adapted import StartingPoint
from tl_core.encoders.bases import read_base
from tl_core.errors import TLError
from tl_core.jobs.classify.plan import ClassifyExperiment, config_from_json, labelled, rows_of_seed
from tl_core.knobs import from_values
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.strategies import Strategy, strategy
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.text.tokens import count_tokens
from tl_core.training.batches import length_batches, padded_tokens, sorted_batches
from tl_core.training.events import Metric, drain

BATCHES = 6
TEXTS = 96
FEW, MOST_ROWS = 60, 1_000  # texts of the smallest training, and of one whose time grows with its rows
RATES = "rates.json"


def run_probe(settings: Settings, folder: Path) -> None:
    """Inside the probe's process: measure and write `rates.json` into `folder`."""
    began = time.perf_counter()
    order = read_record(folder / "order.json")
    if order is None:
        raise TLError("{folder} holds no order for a probe.", folder=folder)
    config = config_from_json(order["config"])
    examples = read_examples(folder / "rows.jsonl")
    if any(each["base"] for each in order["arms"].values()):
        import peft  # noqa: F401  what a worker imports before its first training counts as start
        import torch  # noqa: F401
        import transformers  # noqa: F401
    importing = time.perf_counter() - began + 1.0  # and the interpreter's own start
    rates = {
        name: _measure(settings, config, each, examples, importing) for name, each in order["arms"].items()
    }
    write_record(folder / RATES, rates)


def _measure(
    settings: Settings,
    config: ClassifyExperiment,
    order: dict[str, Any],
    examples: Examples,
    importing: float,
) -> dict[str, float]:
    from tl_core.training.memory import peak_bytes, start_peak

    start_peak()
    began = time.perf_counter()
    context = TrainingContext(settings)
    row = strategy(order["strategy"])
    given = from_values(row.config, order["settings"])
    if row.needs_encoder:
        trained = Path(order["trained"]) if order["trained"] else None
        context = replace(context, start=StartingPoint(read_base(order["base"]), trained))
        train, predict, load = _measure_encoder(context, row, given, examples)
    else:
        if row.needs_vectors(given):
            context = replace(context, words=WordStart(open_vectors(Store(settings), order["vectors"])))
        _fit_few(context, row, given, examples)  # imports what it needs
        importing += time.perf_counter() - began
        train, predict, load = _measure_light(context, config, row, given, examples)
    return {
        "train": train,
        "predict": predict,
        "load": load,
        "start": importing,
        "memory": float(peak_bytes()),
    }


def _fit_few(context: TrainingContext, row: Strategy, settings: Any, examples: Examples) -> float:
    """Seconds of a training on a few rows: the fixed part of any."""
    each = max(1, FEW // len(examples.classes))
    few = labelled(sample_per_class(examples, each, context.seed), examples.classes)
    none = labelled(examples.take([]), examples.classes)
    began = time.perf_counter()
    drain(row.fit(FitInput(context, examples.classes, few, none, _one_pass(settings))))
    return time.perf_counter() - began


def _measure_light(
    context: TrainingContext, config: ClassifyExperiment, row: Strategy, settings: Any, examples: Examples
) -> tuple[float, float, float]:
    """Seconds a character of one pass of a training and of predicting, and of the fixed part."""
    load = _fit_few(context, row, settings, examples)
    rows, _ = rows_of_seed(config.at(0), examples, 0, examples.classes)
    most = len(rows) if row.effort.whole_table else MOST_ROWS
    chosen = np.random.default_rng(context.seed).permutation(len(rows))[:most]
    texts, targets = tuple(rows.texts[at] for at in chosen), rows.targets[chosen]
    characters = max(1, sum(map(len, texts)))
    none = labelled(examples.take([]), examples.classes)
    given = FitInput(context, examples.classes, LabelledTexts(texts, targets), none, _one_pass(settings))
    began = time.perf_counter()
    fitted = drain(row.fit(given))
    train = max(0.0, time.perf_counter() - began - load) / characters
    began = time.perf_counter()
    drain(fitted.model.predict_events(texts))
    return train, (time.perf_counter() - began) / characters, load


def _one_pass(settings: Any) -> Any:
    return replace(settings, epochs=1) if hasattr(settings, "epochs") else settings


def _measure_encoder(
    context: TrainingContext, row: Strategy, settings: Any, examples: Examples
) -> tuple[float, float, float]:
    """Seconds a padded token of a training step and of a prediction, and seconds to load."""
    import sklearn.linear_model  # noqa: F401  what a worker holds too

    from tl_core.encoders.adapted import load_merged
    from tl_core.tasks.classify.encoder.classifier import (
        PREDICT_BATCH,
        EncoderClassifier,
        Use,
        make_encoder_network,
    )
    from tl_core.training.devices import best_device

    start = context.starting_point
    began = time.perf_counter()
    encoder = load_merged(start, context.settings)
    load = time.perf_counter() - began
    lengths = np.minimum(count_tokens(encoder.tokenizer, examples.texts), settings.max_tokens)
    network = make_encoder_network(encoder, 2, 0.0).to(best_device())
    use = Use(settings.max_tokens, settings.precision)
    classifier = EncoderClassifier(encoder, network, ("a", "b"), start, use, lambda folder: None)
    few = _spread(lengths, TEXTS)
    texts = [examples.texts[at] for at in few]
    drain(classifier.predict_events(texts[-8:]))  # the first batch pays for set-up
    began = time.perf_counter()
    drain(classifier.predict_events(texts))
    predict = (time.perf_counter() - began) / padded_tokens(
        lengths[few], sorted_batches(lengths[few], PREDICT_BATCH)
    )
    if not row.in_loop:
        return 0.0, predict, load
    del encoder, network, classifier
    return _measure_steps(context, row, settings, examples, lengths), predict, load


def _measure_steps(
    context: TrainingContext, row: Strategy, settings: Any, examples: Examples, lengths: NDArray[np.int64]
) -> float:
    """Seconds a padded token over a few real steps; the first one pays for set-up and is left out."""
    chosen = _spread(lengths, BATCHES * settings.batch_size)
    train = labelled(examples.take(chosen), examples.classes)
    none = labelled(examples.take([]), examples.classes)
    batches = length_batches(lengths[chosen], settings.batch_size, seed=context.seed, epoch=0)
    one = _one_pass(settings)  # with a single pass gradual unfreezing trains every layer in it
    training = row.fit(FitInput(context, examples.classes, train, none, one))
    times = []
    for event in training:
        if isinstance(event, Metric):
            times.append(time.perf_counter())
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
