"""How long a comparison will take and how much memory it will hold, before it starts.

A short probe in a process of its own trains a few real batches of each strategy, the longest
texts among them, and measures seconds a token and peak memory. Those rates are kept, so that
another number of seeds, epochs or rows is estimated at once. The estimate assumes that every
epoch is trained; early stopping can only make it shorter.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.data.examples import Examples, read_examples, write_examples
from tl_core.data.findings import overlap, without_rows
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import find_encoder, tokenizer_of
from tl_core.errors import ModelError, TLError
from tl_core.knobs import to_values
from tl_core.recipes.plan import (
    Cell,
    CompareConfig,
    Task,
    cells,
    config_from_json,
    labelled,
    rows_of_seed,
    test_split,
)
from tl_core.runs.queue import worker_environment
from tl_core.runs.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.config import FrozenConfig, FullConfig, LoraConfig, epochs_for
from tl_core.tasks.classify.fitting import Bench
from tl_core.tasks.classify.strategies import strategy
from tl_core.text.tokens import count_tokens
from tl_core.training.batches import length_batches, sorted_batches
from tl_core.training.events import Metric, drain

PROBE_BATCHES = 6
PROBE_TEXTS = 96
PROBE_SECONDS = 180
RATES = "rates.json"


@dataclass(frozen=True, slots=True)
class Rates:
    """What the probe measured of one strategy; seconds a padded token, bytes at the largest batch."""

    train: float
    predict: float
    load: float
    start: float
    memory: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost of a whole comparison on this machine."""

    seconds: float
    memory: float
    trainings: int
    by_strategy: dict[str, float]


def estimate(store: Store, config: CompareConfig, task: Task, *, probe: bool = True) -> Estimate | None:
    """Seconds and bytes of a comparison; without `probe` None where a rate is not known yet.

    Raises TLError if the comparison could not be trained.
    """
    plan = cells(config, with_source=task.source is not None)
    names = sorted({cell.strategy for cell in plan})
    start = _starting_point(store, config)
    kept = store.settings.cache / RATES
    keys = {name: _key(store.settings, config, name, start) for name in names}
    known = read_record(kept) or {}
    missing = [name for name in names if keys[name] not in known]
    if missing and not probe:
        return None
    if missing:
        measured = _probe(store.settings, config, missing, start, task.target)
        known |= {keys[name]: measured[name] for name in missing}
        write_record(kept, known)
    rates = {name: Rates(**known[keys[name]]) for name in names}
    return _add_up(store.settings, config, task, plan, rates, start)


def _key(settings: Settings, config: CompareConfig, name: str, start: StartingPoint | None) -> str:
    values = {key: value for key, value in to_values(_config_of(config, name)).items() if key != "epochs"}
    beginning = start.fingerprint() if start and strategy(name).needs_encoder else ""
    return json.dumps([name, values, beginning, settings.threads], sort_keys=True)


def _config_of(config: CompareConfig, name: str) -> Any:
    return config.config_of(name) if name in config.strategies else strategy(name).config()


def _starting_point(store: Store, config: CompareConfig) -> StartingPoint | None:
    if not config.needs_encoder:
        return None
    if config.source_run:
        return read_starting_point(store.run(config.source_run).model)
    return StartingPoint(find_encoder(config.encoder, store.settings))


def _add_up(
    settings: Settings,
    config: CompareConfig,
    task: Task,
    plan: Sequence[Cell],
    rates: dict[str, Rates],
    start: StartingPoint | None,
) -> Estimate:
    target = task.target
    if task.test is not None:
        target = without_rows(target, overlap(target, task.test))
    sides = {"target": test_split(config, target, task.test)}
    if task.source is not None:
        sides["source"] = test_split(config, task.source, None)
    lengths = _Lengths(settings, start)
    by_strategy: dict[str, float] = {}
    for cell in plan:
        seconds = _cell_seconds(config, cell, *sides[cell.role], rates[cell.strategy], lengths)
        by_strategy[cell.strategy] = by_strategy.get(cell.strategy, 0.0) + seconds
    starting = max(rate.start for rate in rates.values())
    memory = max(rate.memory for rate in rates.values())
    return Estimate(starting + sum(by_strategy.values()), memory, len(plan), by_strategy)


class _Lengths:
    """Tokens of texts under the encoder's tokenizer; characters where there is none (TF-IDF)."""

    def __init__(self, settings: Settings, start: StartingPoint | None) -> None:
        self.tokenizer = tokenizer_of(start.base, settings) if start else None
        self.kept: dict[int, NDArray[np.int64]] = {}

    def tokens(self, texts: Sequence[str], max_tokens: int) -> NDArray[np.int64]:
        assert self.tokenizer is not None
        if id(texts) not in self.kept:
            self.kept[id(texts)] = count_tokens(self.tokenizer, texts)
        return np.minimum(self.kept[id(texts)], max_tokens)


def _cell_seconds(
    config: CompareConfig, cell: Cell, pool: Examples, test: Examples, rates: Rates, lengths: _Lengths
) -> float:
    classes = tuple(sorted({*pool.classes, *test.classes}))
    rows = rows_of_seed(config, pool, cell.seed, classes)
    settings = _config_of(config, cell.strategy)
    if cell.strategy == "tfidf":
        characters = sum(map(len, rows.train.texts)) + sum(map(len, rows.validation.texts))
        return rates.load + rates.train * characters + rates.predict * sum(map(len, test.texts))
    scored = _padded(lengths.tokens(test.texts, settings.max_tokens), 32)
    if isinstance(settings, FrozenConfig):
        learned = _padded(lengths.tokens(rows.train.texts, settings.max_tokens), 32) if cell.seed == 0 else 0
        return rates.load + rates.predict * (learned + scored)
    assert isinstance(settings, (LoraConfig, FullConfig))
    train = lengths.tokens(rows.train.texts, settings.max_tokens)
    batches = length_batches(train, settings.batch_size, seed=cell.seed, epoch=0)
    tokens = sum(int(train[each].max()) * len(each) for each in batches)
    held = _padded(lengths.tokens(rows.validation.texts, settings.max_tokens), 32)
    epochs = epochs_for(settings, len(rows.train))
    return rates.load + epochs * (rates.train * tokens + rates.predict * held) + rates.predict * scored


def _padded(lengths: NDArray[np.int64], batch_size: int) -> int:
    return sum(int(lengths[each].max()) * len(each) for each in sorted_batches(lengths, batch_size))


# the probe, from outside and inside its process


def _probe(
    settings: Settings,
    config: CompareConfig,
    names: Sequence[str],
    start: StartingPoint | None,
    target: Examples,
) -> dict[str, dict[str, float]]:
    """Measure strategies in a process of its own: name -> rates."""
    with tempfile.TemporaryDirectory(prefix="probe-") as name:
        folder = Path(name)
        write_examples(folder / "rows.jsonl", target)
        order = {
            "config": config.to_json(),
            "strategies": list(names),
            "base": start.base.to_json() if start else None,
            "trained": str(start.trained) if start and start.trained else "",
        }
        write_record(folder / "order.json", order)
        command = [sys.executable, "-m", "tl_core", "probe", str(folder)]
        try:
            ended = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=PROBE_SECONDS,
                env=worker_environment(settings),
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"The probe took longer than {PROBE_SECONDS} s: this will be slow here."
            ) from error
        measured = read_record(folder / RATES)
        if measured is None:
            last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError(f"The probe of this training failed: {last.removeprefix('error: ')}")
        return measured


def run_probe(settings: Settings, folder: Path) -> None:
    """Inside the probe's process: measure and write `rates.json` into `folder`."""
    from tl_core.encoders.load import EncoderBase

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
    from tl_core.encoders.adapted import load_merged
    from tl_core.tasks.classify.encoder import EncoderClassifier, Use, make_network
    from tl_core.training.devices import best_device

    settings = _config_of(config, name)
    start = bench.starting_point
    began = time.monotonic()
    encoder = load_merged(start, bench.settings)
    load = time.monotonic() - began
    lengths = np.minimum(count_tokens(encoder.tokenizer, examples.texts), settings.max_tokens)
    network = make_network(encoder, 2, 0.0).to(best_device())
    use = Use(settings.max_tokens, settings.precision)
    classifier = EncoderClassifier(encoder, network, ("a", "b"), start, use, lambda folder: None)
    few = _spread(lengths, PROBE_TEXTS)
    texts = [examples.texts[at] for at in few]
    drain(classifier.predict_events(texts[-8:]))  # the first batch pays for set-up
    began = time.monotonic()
    drain(classifier.predict_events(texts))
    predict = (time.monotonic() - began) / _padded(lengths[few], 32)
    if not strategy(name).trains_encoder:
        return 0.0, predict, load
    del encoder, network, classifier
    return _measure_steps(bench, name, settings, examples, lengths), predict, load


def _measure_steps(
    bench: Bench, name: str, settings: Any, examples: Examples, lengths: NDArray[np.int64]
) -> float:
    """Seconds a padded token over a few real steps; the first one pays for set-up and is left out."""
    chosen = _spread(lengths, PROBE_BATCHES * settings.batch_size)
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
    tokens = [int(lengths[chosen][each].max()) * len(each) for each in batches]
    return (times[-1] - times[0]) / sum(tokens[1 : len(times)])


def _spread(lengths: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """At most `count` rows over the whole range of lengths, the longest among them, longest last."""
    order = np.argsort(lengths, kind="stable")
    if len(order) <= count:
        return order
    return order[np.linspace(0, len(order) - 1, count).astype(np.int64)]
