"""Settings of the classification strategies: one frozen dataclass each, checked at birth."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.encoders.pool import POOLINGS
from tl_core.encoders.tuning import (
    PRECISION_HELP,
    TOKENS_HELP,
    FullConfig,
    GradualConfig,
    LoraConfig,
    TopLayersConfig,
)
from tl_core.knobs import check_knobs, knob
from tl_core.tasks.classify.counts.config import BagOfWordsConfig, largest_vocabulary_knob, least_rows_knob
from tl_core.tasks.classify.words.config import BagConfig, CnnConfig, MeanConfig, RecurrentConfig
from tl_core.training.precision import PRECISIONS

__all__ = [
    "AnyConfig",
    "BagConfig",
    "BagOfWordsConfig",
    "CnnConfig",
    "ContrastiveConfig",
    "FrozenConfig",
    "FullConfig",
    "GradualConfig",
    "LoraConfig",
    "MeanConfig",
    "RecurrentConfig",
    "TfidfConfig",
    "TopLayersConfig",
]

LAYER_HELP = (
    "The block whose states become sentence vectors, counted from 1; 0 takes the last. "
    "Blocks above it are not computed."
)
POOLING_HELP = (
    "How the states of the tokens become one vector: their mean, the first or last token's, or the largest "
    "values; auto takes what suits the encoder."
)
STRENGTH_HELP = (
    "Inverse of the head's L2 penalty; smaller is smoother. 0 takes half the number of classes, and from 100 rows of "
    "each class on chooses by cross-validation."
)
PAIRS_HELP = (
    "Pairs of training texts in an epoch, half of them of one class. 0 takes 20 for every row, "
    "half of SetFit's number, at most 2,000."
)
PAIRS_A_ROW = 20  # SetFit takes 40; on AG News with 8 rows a class half of them gave the same accuracy
MOST_PAIRS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class TfidfConfig:
    """Settings of TF-IDF with logistic regression."""

    strength: float = knob(
        30.0, "Inverse of the L2 penalty; smaller is smoother.", low=1e-4, high=1e4, advanced=True
    )
    characters: str = knob(
        "auto",
        "Character 2-4 grams beside word 1-2 grams; auto adds them for Korean.",
        choices=("auto", "on", "off"),
        advanced=True,
    )
    least_rows: int = least_rows_knob()
    largest_vocabulary: int = largest_vocabulary_knob()

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenConfig:
    """Settings of feature extraction: the encoder stays as it is, a linear head is learned."""

    strength: float = knob(0.0, STRENGTH_HELP, low=0.0, high=1e4, advanced=True)
    layer: int = knob(0, LAYER_HELP, low=0, high=100, label="Layer (0: the last)")
    pooling: str = knob("auto", POOLING_HELP, choices=POOLINGS)
    max_tokens: int = knob(256, TOKENS_HELP, low=8, high=512)
    batch_size: int = knob(32, "Texts computed at once.", low=1, high=512, advanced=True)
    precision: str = knob("auto", PRECISION_HELP, choices=PRECISIONS, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastiveConfig:
    """Settings of contrastive tuning: a LoRA adapter learns from pairs of texts, then a head (Tunstall et al. 2022)."""

    pairs: int = knob(0, PAIRS_HELP, low=0, high=100_000, label="Pairs (0: by rows)")
    epochs: int = knob(1, "Passes over the pairs.", low=1, high=100)
    learning_rate: float = knob(1e-3, "Largest step of AdamW for the adapter.", low=1e-6, high=1e-1)
    max_tokens: int = knob(256, TOKENS_HELP, low=8, high=512)
    rank: int = knob(
        16, "Width of the low-rank update of every linear layer.", low=1, high=128, advanced=True
    )
    alpha: float = knob(32.0, "The update is scaled by alpha / rank.", low=0.1, high=512, advanced=True)
    strength: float = knob(1.0, STRENGTH_HELP, low=0.0, high=1e4, advanced=True)
    batch_size: int = knob(16, "Pairs a step.", low=1, high=512, advanced=True)
    warmup_share: float = knob(
        0.1, "Share of the steps in which the rate grows.", low=0.0, high=0.9, advanced=True
    )
    precision: str = knob("auto", PRECISION_HELP, choices=PRECISIONS, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


def pairs_for(rows: int) -> int:
    """Number of pairs drawn from this many rows: 20 a row, at most 2,000."""
    return min(MOST_PAIRS, PAIRS_A_ROW * rows)


AnyConfig = (
    TfidfConfig
    | BagOfWordsConfig
    | MeanConfig
    | BagConfig
    | RecurrentConfig
    | CnnConfig
    | FrozenConfig
    | ContrastiveConfig
    | LoraConfig
    | FullConfig
    | TopLayersConfig
    | GradualConfig
)
