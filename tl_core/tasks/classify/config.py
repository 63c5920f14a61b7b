"""Settings of the classification strategies: one frozen dataclass each, checked at birth."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.encoders.tuning import PRECISION_HELP, TOKENS_HELP, FullConfig, LoraConfig
from tl_core.knobs import check_knobs, knob
from tl_core.training.devices import PRECISIONS

__all__ = ["AnyConfig", "FrozenConfig", "FullConfig", "LoraConfig", "TfidfConfig"]


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
    least_rows: int = knob(
        0,
        "Keep n-grams that stand in at least this many rows; 0 takes 1, or 2 where there are over 100,000 n-grams.",
        low=0,
        high=1000,
        advanced=True,
    )
    largest_vocabulary: int = knob(
        200_000,
        "Keep at most this many n-grams, the most frequent ones.",
        low=100,
        high=2_000_000,
        advanced=True,
    )

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenConfig:
    """Settings of feature extraction: the encoder stays as it is, a linear head is learned."""

    strength: float = knob(
        0.0,
        "Inverse of the head's L2 penalty; smaller is smoother. 0 chooses it by cross-validation on the training rows.",
        low=0.0,
        high=1e4,
        advanced=True,
    )
    max_tokens: int = knob(256, TOKENS_HELP, low=8, high=512)
    batch_size: int = knob(32, "Texts computed at once.", low=1, high=512, advanced=True)
    precision: str = knob("auto", PRECISION_HELP, choices=PRECISIONS, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


AnyConfig = TfidfConfig | FrozenConfig | LoraConfig | FullConfig
