"""Settings of a bag of words with a linear layer; knows neither torch nor sklearn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tl_core.encoders.tuning import PATIENCE_HELP
from tl_core.knobs import check_knobs, knob
from tl_core.training.schedule import epochs_for_steps

WEIGHTS = ("counts", "presence")
COUNTED_ROW = 0.01  # cost of a row in forward passes of an encoder, by rule of thumb
STEPS_WANTED = 1000
EPOCHS_RANGE = (5, 40)


def least_rows_knob() -> Any:
    """Setting of how rare an n-gram may be: the same setting of all classifiers on counts."""
    return knob(
        0,
        "Keep n-grams that stand in at least this many rows; 0 takes 1, or 2 where there are over 100,000 n-grams.",
        low=0,
        high=1000,
        advanced=True,
    )


def largest_vocabulary_knob() -> Any:
    """Setting of how many n-grams are kept: the same setting of all classifiers on counts."""
    return knob(
        200_000,
        "Keep at most this many n-grams, the most frequent ones.",
        low=100,
        high=2_000_000,
        advanced=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BagOfWordsConfig:
    """Settings of a linear layer on how often each n-gram stands in a text."""

    ngrams: int = knob(
        1,
        "Longest row of neighbouring words that counts as one entry.",
        low=1,
        high=3,
        label="Longest n-gram",
    )
    weights: str = knob(
        "counts",
        "counts adds an n-gram as often as it stands in a text, presence only once.",
        choices=WEIGHTS,
    )
    epochs: int = knob(
        0,
        "Passes over the training rows. 0 chooses from their number: few rows need more passes for as many steps.",
        low=0,
        high=200,
        label="Epochs (0: by rows)",
    )
    learning_rate: float = knob(1e-2, "Largest step of AdamW.", low=1e-6, high=1.0)
    batch_size: int = knob(128, "Rows a step.", low=1, high=4096, advanced=True)
    weight_decay: float = knob(0.3, "Decay of the n-grams' weights.", low=0.0, high=10.0, advanced=True)
    patience: int = knob(3, PATIENCE_HELP, low=1, high=100, advanced=True)
    least_rows: int = least_rows_knob()
    largest_vocabulary: int = largest_vocabulary_knob()

    def __post_init__(self) -> None:
        check_knobs(self)


def epochs_for(config: BagOfWordsConfig, rows: int) -> int:
    """The number of epochs: the config's, or for 0 about 1,000 steps, within 5 to 40 epochs."""
    return config.epochs or epochs_for_steps(rows, config.batch_size, STEPS_WANTED, EPOCHS_RANGE)
