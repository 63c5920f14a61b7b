"""Settings of the classification strategies: one frozen dataclass each, checked at birth."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.knobs import check_knobs, knob
from tl_core.training.devices import PRECISIONS

TOKENS_HELP = "Longest text in tokens; what is longer is cut at its end."
EPOCHS_HELP = (
    "Passes over the training rows. 0 chooses from their number: few rows need more passes for as many steps."
)
PATIENCE_HELP = (
    "Stop after this many epochs without a gain on the validation rows; the best epoch is kept: "
    "the one with the highest accuracy, and the smallest loss among equals."
)
ENCODER_DROPOUT_HELP = (
    "Share of activations and attention weights dropped inside the encoder in training; "
    "above 0 a CPU needs about twice the time."
)
PRECISION_HELP = "Arithmetic of the encoder: auto takes bfloat16 where the processor or GPU computes in it."
STEPS_WANTED = 160
EPOCHS_RANGE = (3, 20)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedConfig:
    """What every strategy that trains the encoder can be set to."""

    epochs: int = knob(0, EPOCHS_HELP, low=0, high=100, label="Epochs (0: by rows)")
    learning_rate: float = knob(1e-4, "Largest step of AdamW for the encoder.", low=1e-7, high=1e-1)
    max_tokens: int = knob(256, TOKENS_HELP, low=8, high=512)
    encoder_dropout: float = knob(0.0, ENCODER_DROPOUT_HELP, low=0.0, high=0.9, advanced=True)
    dropout: float = knob(
        0.1, "Share of the head's inputs dropped in training.", low=0.0, high=0.9, advanced=True
    )
    batch_size: int = knob(16, "Rows a step.", low=1, high=512, advanced=True)
    head_learning_rate: float = knob(
        1e-3, "Largest step of AdamW for the new head.", low=1e-6, high=1.0, advanced=True
    )
    weight_decay: float = knob(0.01, "Decay of weight matrices.", low=0.0, high=1.0, advanced=True)
    warmup_share: float = knob(
        0.1, "Share of the steps in which the rate grows.", low=0.0, high=0.9, advanced=True
    )
    patience: int = knob(3, PATIENCE_HELP, low=1, high=100, advanced=True)
    precision: str = knob("auto", PRECISION_HELP, choices=PRECISIONS, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig(TunedConfig):
    """Settings of a LoRA-tuned encoder (Hu et al. 2021)."""

    learning_rate: float = knob(1e-3, "Largest step of AdamW for the adapter.", low=1e-6, high=1e-1)
    rank: int = knob(16, "Width of the low-rank update of every linear layer.", low=1, high=128)
    alpha: float = knob(32.0, "The update is scaled by alpha / rank.", low=0.1, high=512, advanced=True)
    adapter_dropout: float = knob(
        0.0,
        "Share of the adapter's inputs dropped in training; slow on a CPU.",
        low=0.0,
        high=0.9,
        advanced=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FullConfig(TunedConfig):
    """Settings of full fine-tuning: every weight of the encoder is trained."""


AnyConfig = TfidfConfig | FrozenConfig | LoraConfig | FullConfig


def epochs_for(config: TunedConfig, rows: int) -> int:
    """The number of epochs: the config's, or for 0 about 160 steps, within 3 to 20 epochs."""
    if config.epochs:
        return config.epochs
    steps_an_epoch = max(1, -(-rows // config.batch_size))
    low, high = EPOCHS_RANGE
    return int(min(high, max(low, -(-STEPS_WANTED // steps_an_epoch))))
