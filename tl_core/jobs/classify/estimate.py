"""How long a comparison will take and how much memory it will hold, before it starts.

A short probe in a process of its own trains a few real batches of each strategy, the longest
texts among them, and measures seconds a token and peak memory. Those rates are kept, so that
another number of seeds, epochs or rows is estimated at once. The estimate assumes that every
epoch is trained; early stopping can only make it shorter.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.convert import from_json, to_json
from tl_core.data.examples import Examples, write_examples
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import EncoderBase, find_encoder, tokenizer_of
from tl_core.errors import ConfigError, ModelError
from tl_core.jobs.classify.beside import measured_beside
from tl_core.jobs.classify.plan import ClassifyExperiment, arm_of, expected_key, rows_of_seed
from tl_core.jobs.classify.prepare import Prepared
from tl_core.jobs.classify.probe import RATES
from tl_core.jobs.experiment import NO_SOURCE, SOURCE, TARGET, ZERO_SHOT, Arm
from tl_core.knobs import to_values
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings
from tl_core.tasks.classify.effort import Lengths, Rates, Workload
from tl_core.tasks.classify.fitting import LabelledTexts
from tl_core.tasks.classify.forms import ENCODER
from tl_core.tasks.classify.strategies import strategy
from tl_core.text.tokens import count_tokens
from tl_core.whole_files import scratch_folder

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MOST_TEXTS = 300_000  # whose token counts are kept
PROBE_SECONDS = 180


CHEAP_SECONDS, DEAR_SECONDS = 5.0, 60.0  # of one training


def usual_seeds(seconds: float) -> int:
    """How many seeds are usual where a training takes so long: 5 under 5 seconds, 3 under a minute, else 1."""
    return 5 if seconds < CHEAP_SECONDS else 3 if seconds < DEAR_SECONDS else 1


@dataclass(frozen=True, slots=True)
class Estimate:
    """Expected cost of a whole experiment on this machine; by arm, and by training of the source, with what each is called.

    `longest` are the seconds of the longest of its trainings.
    """

    seconds: float
    memory: float
    trainings: int
    by_arm: dict[str, float]
    titles: dict[str, str]
    longest: float = 0.0


def estimate(
    store: Store,
    prepared: Prepared,
    *,
    probe: bool = True,
    counts: Callable[[EncoderBase], TokenCounts] | None = None,
) -> Estimate | None:
    """Seconds and bytes of an experiment; without `probe` None where a rate is not known yet.

    `counts` gives the token counts of an encoder, which may be kept from an earlier estimate.
    """
    config, settings = prepared.config, store.settings
    arms = {expected_key(trial): arm_of(config, prepared.plan, trial) for trial in prepared.trials}
    starts = {key: start_of_arm(settings, prepared, arm) for key, arm in arms.items()}
    texts, kept = prepared.target.texts, settings.cache / RATES
    keys = {name: _key(settings, config, arm, starts[name], texts) for name, arm in arms.items()}
    known = read_record(kept) or {}
    missing = {keys[name]: name for name in arms if keys[name] not in known}
    if missing and not probe:
        return None
    if missing:
        order = {name: (arms[name], starts[name]) for name in missing.values()}
        measured = _probe(settings, config, order, prepared.target)
        known |= {key: measured[name] for key, name in missing.items()}
        write_record(kept, known)
    rates = {name: from_json(Rates, known[key]) for name, key in keys.items()}
    counted: dict[EncoderBase, TokenCounts] = {}
    for start in filter(None, starts.values()):
        if start.base not in counted:
            make = counts or (lambda base: TokenCounts(tokenizer_of(base, settings)))
            counted[start.base] = make(start.base)
    lengths = {name: counted[start.base].of if start else None for name, start in starts.items()}
    return _add_up(prepared, arms, rates, lengths)


def with_seeds(prepared: Prepared, known: Estimate) -> Prepared:
    """The experiment with as many seeds as its cost suggests, where its config leaves them open."""
    seeds = prepared.config.seeds or usual_seeds(known.longest)
    return replace(prepared, config=replace(prepared.config, seeds=seeds))


def with_seeds_measured(store: Store, prepared: Prepared) -> Prepared:
    """The same by a probe, if the cost is not known yet; left as it is, one seed, if the probe fails."""
    if prepared.config.seeds:
        return prepared
    try:
        return with_seeds(prepared, _measured(store, prepared))
    except ModelError:
        return prepared


def _measured(store: Store, prepared: Prepared) -> Estimate:
    known = estimate(store, prepared)
    assert known is not None  # with a probe it always is
    return known


def _key(
    settings: Settings,
    config: ClassifyExperiment,
    arm: Arm,
    start: StartingPoint | None,
    texts: Sequence[str],
) -> str:
    """What an arm's rates hold for: its settings, where it begins, the threads, and texts of about this length.

    The largest memory goes by the longest texts, and where it does not go by batches, by all of them.
    """
    row, lengths = strategy(arm.strategy), [len(text) for text in texts]
    long = (max(lengths).bit_length(), 0 if row.needs_encoder else sum(lengths).bit_length())
    vectors = config.vectors_of(arm) if row.family.on_words else ""
    values = {key: value for key, value in to_values(config.settings_of(arm)).items() if key != "epochs"}
    beginning = start.fingerprint() if start else ""
    return json.dumps([row.name, values, beginning, vectors, long, settings.threads], sort_keys=True)


def start_of_arm(settings: Settings, prepared: Prepared, arm: Arm) -> StartingPoint | None:
    """Where an arm begins: its source's encoder, or the bare one; None for a strategy without an encoder.

    ModelError if there is no such encoder, ConfigError if the source stands on another one than the arm's.
    """
    if not strategy(arm.strategy).needs_encoder:
        return None
    source = prepared.sources.get("" if arm.source == NO_SOURCE else arm.source)
    copied = source.models.get(ENCODER.name) if source else None
    taken = read_starting_point(copied) if copied else None
    if taken is None:
        return StartingPoint(find_encoder(arm.start or prepared.config.encoder, settings))
    bare = StartingPoint(find_encoder(arm.start, settings) if arm.start else taken.base)
    if not prepared.plan.gives_to(arm):
        return bare
    if bare.base != taken.base:
        raise ConfigError(
            "{config} starts on the encoder {base}, its source stands on "
            "{source_base}. Leave its start out, or give it the source 'none'.",
            config=prepared.config.title_of(arm),
            base=bare.base.name,
            source_base=taken.base.name,
        )
    return taken


def _add_up(
    prepared: Prepared,
    arms: Mapping[str, Arm],
    rates: Mapping[str, Rates],
    lengths: Mapping[str, Lengths | None],
) -> Estimate:
    config, trials = prepared.config, prepared.trials
    by_arm: dict[str, float] = {}
    longest = 0.0
    seeds = Counter((trial.role, expected_key(trial), trial.size) for trial in trials)
    drawn: dict[tuple[str, int | None], tuple[LabelledTexts, LabelledTexts, Examples]] = {}
    for (role, name, size), number in seeds.items():
        if (role, size) not in drawn:
            drawn[role, size] = _rows(prepared, role, size)
        train, validation, held = drawn[role, size]
        work = Workload(train.texts, validation.texts, held.texts, number, lengths[name])
        effort = strategy(arms[name].strategy).effort
        seconds = effort.seconds(config.settings_of(arms[name]), work, rates[name])
        by_arm[name] = by_arm.get(name, 0.0) + seconds
        longest = max(longest, seconds / number)
    starting = max(rate.start for rate in rates.values())
    memory = max(rate.memory for rate in rates.values())
    titles = {
        name: config.title_of(arm) if name in config.by_key else f"source task ({config.title_of(arm)})"
        for name, arm in arms.items()
    }
    return Estimate(starting + sum(by_arm.values()), memory, len(trials), by_arm, titles, longest)


def _rows(prepared: Prepared, role: str, size: int | None) -> tuple[LabelledTexts, LabelledTexts, Examples]:
    """The rows of the first seed of a trial, and those that it is scored on; the source's model learns none."""
    config = prepared.config
    pool, held = prepared.source_split() if role == SOURCE else (prepared.pool, prepared.test)
    share = config if size is None and role == TARGET else config.at(size or 0)
    if role == ZERO_SHOT:
        pool = pool.take([])
    classes = tuple(sorted({*pool.classes, *held.classes}))
    return *rows_of_seed(share, pool, 0, classes), held


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
    config: ClassifyExperiment,
    arms: Mapping[str, tuple[Arm, StartingPoint | None]],
    target: Examples,
) -> dict[str, dict[str, float]]:
    """Measure arms, each with where it begins, in a process of its own: name -> rates."""
    with scratch_folder() as folder:
        write_examples(folder / "rows.jsonl", target)
        order = {
            "config": config.to_json(),
            "arms": {
                name: {
                    "strategy": arm.strategy,
                    "settings": to_values(config.settings_of(arm)),
                    "vectors": config.vectors_of(arm),
                    "base": to_json(start.base) if start else None,
                    "trained": str(start.trained) if start and start.trained else "",
                }
                for name, (arm, start) in arms.items()
            },
        }
        write_record(folder / "order.json", order)
        return measured_beside(
            "probe",
            folder,
            RATES,
            settings,
            PROBE_SECONDS,
            slow="The probe took longer than {seconds} s: this will be slow here.",
            failed="The probe of this training failed: {last}",
        )
