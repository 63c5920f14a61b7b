"""Training of an encoder, whatever the task: the settings, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_core.knobs import check_knobs, knob
from tl_core.training.precision import PRECISIONS
from tl_core.training.schedule import AVERAGING_HELP, EPOCHS_HELP, epochs_for_steps

if TYPE_CHECKING:
    import torch

TOKENS_HELP = "Longest text in tokens; what is longer is cut at its end."
PATIENCE_HELP = (
    "Stop after this many epochs without a gain on the validation rows; the best epoch is kept: "
    "the one with the highest accuracy, and the smallest loss among equals."
)
ENCODER_DROPOUT_HELP = (
    "Share of activations and attention weights dropped inside the encoder in training; "
    "above 0 a CPU needs about twice the time."
)
PRECISION_HELP = "Arithmetic of the encoder: auto takes bfloat16 where the processor or GPU computes in it."
LAYERS_AN_EPOCH_HELP = (
    "Blocks that are released after each epoch, from the top; the first epoch trains the head alone, and the "
    "embeddings come last. 0 chooses the fewest with which all are released."
)
LORA_RATE_HELP = (
    "Largest step of AdamW for the adapter. 0 chooses by the encoder's depth: 0.001 up to 8 layers, 0.0003 for more, "
    "which larger steps can break."
)
STEPS_WANTED = 160
EPOCHS_RANGE = (3, 20)
SHALLOW_LAYERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedConfig:
    """Settings of every strategy that trains the encoder."""

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
    averaging: float = knob(0.0, AVERAGING_HELP, low=0.0, high=0.9999, advanced=True)
    patience: int = knob(3, PATIENCE_HELP, low=1, high=100, advanced=True)
    precision: str = knob("auto", PRECISION_HELP, choices=PRECISIONS, advanced=True)

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraConfig(TunedConfig):
    """Settings of a LoRA-tuned encoder (Hu et al. 2021)."""

    learning_rate: float = knob(0.0, LORA_RATE_HELP, low=0.0, high=1e-1, label="Learning rate (0: by depth)")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TopLayersConfig(TunedConfig):
    """Settings of tuning the top layers: embeddings and lower blocks stay as they are."""

    layers: int = knob(2, "Blocks at the top of the encoder that are trained.", low=1, high=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradualConfig(TunedConfig):
    """Settings of gradual unfreezing with a rate for every layer (Howard & Ruder 2018, sections 3.2 and 3.3)."""

    learning_rate: float = knob(
        2e-4, "Largest step of AdamW for the top block; lower ones take smaller steps.", low=1e-7, high=1e-1
    )
    rate_decay: float = knob(
        2.6, "A block's rate is that of the block above divided by this.", low=1, high=10
    )
    layers_an_epoch: int = knob(
        0, LAYERS_AN_EPOCH_HELP, low=0, high=100, label="Layers released an epoch (0: by epochs)"
    )


def epochs_for(config: TunedConfig, rows: int) -> int:
    """The number of epochs: the config's, or for 0 about 160 steps, within 3 to 20 epochs."""
    return config.epochs or epochs_for_steps(rows, config.batch_size, STEPS_WANTED, EPOCHS_RANGE)


def lora_rate(config: LoraConfig, layers: int) -> float:
    """The largest step for the adapter: the config's, or for 0 one that an encoder of that depth bears.

    Measured on encoders of 6 and 12 layers (BENCHMARKS.md), with updates scaled by 2.
    """
    return config.learning_rate or (1e-3 if layers <= SHALLOW_LAYERS else 3e-4)


def set_dropout(model: torch.nn.Module, share: float, attention: float | None = None) -> None:
    """Set the encoder's own dropout; an adapter's stays.

    `share` is that of activations, `attention` that of attention weights; None is the same.
    """
    import torch

    of_weights = share if attention is None else attention
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout) and "lora_" not in name:
            module.p = of_weights if "attention" in name and "output" not in name else share
