"""Settings of a reader: how it is trained, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass

from tl_core.encoders.tuning import PATIENCE_HELP, TunedConfig
from tl_core.knobs import check_knobs, knob
from tl_core.tasks.read.spans import LONGEST_ANSWER, MAX_TOKENS, OVERLAP

RATES = {"lora": 1e-3, "full": 1e-4}  # of each method
RATE_HELP = "Largest step of AdamW for the encoder. 0 chooses by the method: 0.001 for lora, 0.0001 for full."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadConfig(TunedConfig):
    """Settings of a reader's training: a span head on an encoder that is tuned by LoRA or in full."""

    method: str = knob(
        "lora",
        "lora trains a small low-rank update of every linear layer, full trains every weight.",
        choices=("lora", "full"),
    )
    learning_rate: float = knob(0.0, RATE_HELP, low=0.0, high=1e-1, label="Learning rate (0: by method)")
    max_tokens: int = knob(
        256,
        "Longest question with its passage in tokens; of a longer passage a part with the answer is learned.",
        low=32,
        high=512,
    )
    unanswerable_share: float = knob(
        0.1,
        "Made unanswerable questions, as a share of the answerable ones: each is paired with another passage "
        "of its article.",
        low=0.0,
        high=1.0,
    )
    any_reference: bool = knob(
        False,
        "Learn from any annotator's answer, drawn anew, instead of the most frequent one.",
        advanced=True,
    )
    attention_dropout: float = knob(
        0.0,
        "Share of attention weights dropped in training; on a CPU it costs far more than other dropout.",
        low=0.0,
        high=0.9,
        advanced=True,
    )
    encoder_dropout: float = knob(
        0.0, "Share of activations dropped inside the encoder in training.", low=0.0, high=0.9, advanced=True
    )
    rank: int = knob(16, "Width of the low-rank update of every linear layer.", low=1, high=128)
    alpha: float = knob(
        32.0, "The low-rank update is scaled by alpha / rank.", low=0.1, high=512, advanced=True
    )
    dropout: float = knob(
        0.0, "Share of the head's inputs dropped in training.", low=0.0, high=0.9, advanced=True
    )
    patience: int = knob(3, PATIENCE_HELP, low=1, high=100, advanced=True)

    @property
    def encoder_rate(self) -> float:
        """The largest step for the encoder: the config's, or for 0 the method's."""
        return self.learning_rate or RATES[self.method]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Settings of how a reader reads: its windows, and which spans may be an answer."""

    max_tokens: int = knob(
        MAX_TOKENS, "Tokens of a window, question and special tokens included.", low=32, high=512
    )
    overlap: int = knob(OVERLAP, "Passage tokens that two neighbouring windows share.", low=0, high=256)
    longest_answer: int = knob(LONGEST_ANSWER, "Most tokens of an answer.", low=1, high=200)
    top: int = knob(5, "Answers to give.", low=1, high=50)
    strip_josa: bool = knob(True, "Cut a Korean particle off the end of an answer.")

    def __post_init__(self) -> None:
        check_knobs(self)
