"""How long a comparison will take and how much memory it will hold, before it starts.

A short probe in a process of its own trains a few real batches of each strategy, the longest
texts among them, and measures seconds a token and peak memory. Those rates are kept, so that
another number of seeds, epochs or rows is estimated at once. The estimate assumes that every
epoch is trained; early stopping can only make it shorter.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.catalog.sources import SourceModels
from tl_core.data.examples import Examples, write_examples
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import EncoderBase, find_encoder, tokenizer_of
from tl_core.errors import ModelError
from tl_core.jobs.classify.plan import (
    Cell,
    CompareConfig,
    Rows,
    rows_of_seed,
)
from tl_core.jobs.classify.prepare import Prepared
from tl_core.jobs.classify.probe import RATES
from tl_core.knobs import to_values
from tl_core.processes import run_beside
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.effort import Rates, Workload
from tl_core.tasks.classify.forms import ENCODER
from tl_core.tasks.classify.strategies import strategy
from tl_core.text.tokens import count_tokens
from tl_core.whole_files import scratch_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_TEXTS = 300_000  # whose token counts are kept
PROBE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost of a whole comparison on this machine."""

    seconds: float
    memory: float
    trainings: int
    by_strategy: dict[str, float]


def estimate(
    store: Store,
    prepared: Prepared,
    *,
    probe: bool = True,
    counts: TokenCounts | None = None,
) -> Estimate | None:
    """Seconds and bytes of a comparison; without `probe` None where a rate is not known yet.

    `counts` may be kept from an earlier estimate with the same encoder.
    """
    config, plan, texts = prepared.config, prepared.trainings, prepared.target.texts
    names = sorted({cell.strategy for cell in plan})
    start = _starting_point(store.settings, config, prepared.source)
    kept = store.settings.cache / RATES
    keys = {name: _key(store.settings, config, name, start, texts) for name in names}
    known = read_record(kept) or {}
    missing = [name for name in names if keys[name] not in known]
    if missing and not probe:
        return None
    if missing:
        measured = _probe(store.settings, config, missing, start, prepared.target)
        known |= {keys[name]: measured[name] for name in missing}
        write_record(kept, known)
    rates = {name: Rates(**known[keys[name]]) for name in names}
    if counts is None and start is not None:
        counts = TokenCounts(tokenizer_of(start.base, store.settings))
    return _add_up(prepared, plan, rates, counts)


def _key(
    settings: Settings, config: CompareConfig, name: str, start: StartingPoint | None, texts: Sequence[str]
) -> str:
    """What a strategy's rates hold for: its settings, where it begins, the threads, and texts of about this length.

    The largest memory goes by the longest texts, and where it does not go by batches, by all of them.
    """
    lengths = [len(text) for text in texts]
    long = (max(lengths).bit_length(), 0 if strategy(name).needs_encoder else sum(lengths).bit_length())
    vectors = config.vectors if strategy(name).family.on_words else ""
    values = {key: value for key, value in to_values(config.config_of(name)).items() if key != "epochs"}
    beginning = start.fingerprint() if start and strategy(name).needs_encoder else ""
    return json.dumps([name, values, beginning, vectors, long, settings.threads], sort_keys=True)


def starting_base(store: Store, prepared: Prepared) -> EncoderBase | None:
    """The base encoder of a comparison; None if no strategy of it needs one."""
    start = _starting_point(store.settings, prepared.config, prepared.source)
    return start.base if start else None


def _starting_point(
    settings: Settings, config: CompareConfig, source: SourceModels | None
) -> StartingPoint | None:
    if not config.needs_encoder:
        return None
    copied = source.models.get(ENCODER.name) if source else None
    return read_starting_point(copied) if copied else StartingPoint(find_encoder(config.encoder, settings))


def _add_up(
    prepared: Prepared, plan: Sequence[Cell], rates: dict[str, Rates], counts: TokenCounts | None
) -> Estimate:
    config = prepared.config
    by_strategy: dict[str, float] = {}
    seeds = Counter((cell.role, cell.strategy, cell.size) for cell in plan)
    drawn: dict[tuple[str, int | None], tuple[Rows, Examples]] = {}
    for (role, name, size), number in seeds.items():
        if (role, size) not in drawn:
            drawn[role, size] = _rows(prepared, role, size)
        rows, held = drawn[role, size]
        lengths = counts.of if counts else None
        work = Workload(rows.train.texts, rows.validation.texts, held.texts, number, lengths)
        seconds = strategy(name).effort.seconds(config.config_of(name), work, rates[name])
        by_strategy[name] = by_strategy.get(name, 0.0) + seconds
    starting = max(rate.start for rate in rates.values())
    memory = max(rate.memory for rate in rates.values())
    return Estimate(starting + sum(by_strategy.values()), memory, len(plan), by_strategy)


def _rows(prepared: Prepared, role: str, size: int | None) -> tuple[Rows, Examples]:
    """The rows of the first seed of a cell, and those that it is scored on; the source's model learns none."""
    config = prepared.config
    pool, held = prepared.source_split() if role == "source" else (prepared.pool, prepared.test)
    share = config if size is None and role == "target" else config.at(size or 0)
    if role == "zero":
        pool = pool.take([])
    return rows_of_seed(share, pool, 0, tuple(sorted({*pool.classes, *held.classes}))), held


class TokenCounts:
    """Tokens of texts under one tokenizer, each text counted once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.known: dict[str, int] = {}

    def of(self, texts: Sequence[str], max_tokens: int) -> NDArray[np.int64]:
        """Lengths after cutting to `max_tokens`: (N,)."""
        missing = list(dict.fromkeys(text for text in texts if text not in self.known))
        if len(self.known) + len(missing) > MOST_TEXTS:
            self.known, missing = {}, list(dict.fromkeys(texts))
        self.known |= zip(missing, count_tokens(self.tokenizer, missing).tolist(), strict=True)
        lengths = np.fromiter((self.known[text] for text in texts), dtype=np.int64, count=len(texts))
        return np.minimum(lengths, max_tokens)


def _probe(
    settings: Settings,
    config: CompareConfig,
    names: Sequence[str],
    start: StartingPoint | None,
    target: Examples,
) -> dict[str, dict[str, float]]:
    """Measure strategies in a process of its own: name -> rates."""
    with scratch_folder() as folder:
        write_examples(folder / "rows.jsonl", target)
        order = {
            "config": config.to_json(),
            "strategies": list(names),
            "base": start.base.to_json() if start else None,
            "trained": str(start.trained) if start and start.trained else "",
        }
        write_record(folder / "order.json", order)
        try:
            ended = run_beside(["-m", "tl_core", "probe", str(folder)], settings, PROBE_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"The probe took longer than {PROBE_SECONDS} s: this will be slow here."
            ) from error
        measured = read_record(folder / RATES)
        if measured is None:
            last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError(f"The probe of this training failed: {last.removeprefix('error: ')}")
        return measured
