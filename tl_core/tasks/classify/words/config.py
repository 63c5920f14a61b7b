"""Settings of the classifiers on word vectors: one frozen dataclass each, checked at birth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tl_core.errors import ModelError
from tl_core.knobs import check_knobs, knob
from tl_core.tasks.classify.words.splitting import SPLITTERS
from tl_core.training.precision import PRECISIONS
from tl_core.training.schedule import AVERAGING_HELP, EPOCHS_HELP, epochs_for_steps

EMBEDDINGS_HELP = (
    "What training does to the word vectors: trained with the network's rate, slow with a rate of their own, "
    "or frozen as they came. auto freezes what a source learned on fewer than 2,000 rows, and trains else."
)
START_HELP = "Where word vectors begin: pretrained where there are some, or random for every word."
EXTRA_HELP = (
    "Words of the pretrained vectors, most frequent first, that do not stand in the training rows but are kept, "
    "so that they are understood in prediction."
)
SPLITTER_HELP = (
    "How sentences are cut: words; penn (did n't, it 's, ! and ? are words, as GloVe was made); morphemes for Korean. "
    "auto takes the source's way, else morphemes for Korean, else penn where the vectors know n't."
)
MOVES_HELP = (
    "What is taken from a source task's model: every layer that fits, the last one too if the classes are the same; "
    "or its word vectors alone."
)
FEW_ROWS = (
    2_000  # 1,062 film reviews learn a little more where moved vectors stay, 4,250 where they are trained
)
FROZEN_HELP = (
    "What was moved from the source stays as it is in this many first epochs; the new layers are trained."
)
WORD_ROW = 0.03  # cost of a row in forward passes of an encoder, by rule of thumb
STEPS_WANTED = 800
EPOCHS_RANGE = (5, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordConfig:
    """Settings of every classifier on word vectors."""

    epochs: int = knob(0, EPOCHS_HELP, low=0, high=200, label="Epochs (0: by rows)")
    learning_rate: float = knob(2e-3, "Largest step of AdamW for the network.", low=1e-6, high=1.0)
    start: str = knob("pretrained", START_HELP, choices=("pretrained", "random"))
    embeddings: str = knob("auto", EMBEDDINGS_HELP, choices=("auto", "trained", "slow", "frozen"))
    embedding_rate: float = knob(
        2e-4,
        "Largest step of AdamW for word vectors that are trained slowly.",
        low=1e-7,
        high=1.0,
        advanced=True,
    )
    moves: str = knob(
        "everything", MOVES_HELP, choices=("everything", "embeddings"), label="Taken from a source"
    )
    keep_layers_frozen_epochs: int = knob(0, FROZEN_HELP, low=0, high=200, advanced=True)
    moved_rate: float = knob(
        1.0, "Rate of moved layers, as a share of the network's.", low=0.0, high=10.0, advanced=True
    )
    width: int = knob(
        50, "Width of word vectors where all of them are random.", low=2, high=1024, advanced=True
    )
    most_words: int = knob(
        50_000, "Keep at most this many words of the training rows.", low=10, high=2_000_000, advanced=True
    )
    least_count: int = knob(
        1, "Keep words that stand at least this often in the training rows.", low=1, high=1000, advanced=True
    )
    extra_words: int = knob(20_000, EXTRA_HELP, low=0, high=2_000_000, advanced=True)
    max_words: int = knob(
        1000, "Longest text in words; what is longer is cut at its end.", low=1, high=100_000, advanced=True
    )
    splitter: str = knob("auto", SPLITTER_HELP, choices=("auto", *SPLITTERS), advanced=True)
    dropout: float = knob(
        0.3, "Share of the last layer's inputs dropped in training.", low=0.0, high=0.9, advanced=True
    )
    word_dropout: float = knob(
        0.1, "Share of words that a step takes as unknown in training.", low=0.0, high=0.9, advanced=True
    )
    averaging: float = knob(0.99, AVERAGING_HELP, low=0.0, high=0.9999, advanced=True)
    batch_size: int = knob(32, "Rows a step.", low=1, high=1024, advanced=True)
    weight_decay: float = knob(0.01, "Decay of weight matrices.", low=0.0, high=1.0, advanced=True)
    patience: int = knob(
        8,
        "Stop after this many epochs without a gain on the validation rows; the best epoch is kept.",
        low=1,
        high=200,
        advanced=True,
    )
    precision: str = knob(
        "float32",
        "Arithmetic in training; predictions are always float32.",
        choices=PRECISIONS,
        advanced=True,
    )

    def __post_init__(self) -> None:
        check_knobs(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanConfig(WordConfig):
    """Settings of the mean of a text's word vectors under a linear layer; texts are padded."""

    learning_rate: float = knob(1e-2, "Largest step of AdamW for the network.", low=1e-6, high=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BagConfig(MeanConfig):
    """Settings of the same mean by EmbeddingBag, which needs no padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentConfig(WordConfig):
    """Settings of a recurrent network over a text's words."""

    cell: str = knob("lstm", "Kind of cell (RNN, LSTM, GRU).", choices=("rnn", "lstm", "gru"))
    state_width: int = knob(64, "Width of each direction's state.", low=1, high=2048)
    layers: int = knob(1, "Recurrent layers, one over another.", low=1, high=3)
    bidirectional: bool = knob(True, "Read the text from its end as well.")
    state: str = knob(
        "mean",
        "What the text is judged by: each direction's last state, or the mean of all.",
        choices=("last", "mean"),
    )
    packed: bool = knob(
        False,
        "Compute no padding (packed sequences). The result is the same; on a CPU padded texts, which come in batches of "
        "like length, are computed about 4 times as fast.",
        advanced=True,
    )
    max_words: int = knob(
        300, "Longest text in words; what is longer is cut at its end.", low=1, high=100_000, advanced=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CnnConfig(WordConfig):
    """Settings of the convolutional document model (Denil et al. 2014): words, sentences, document."""

    sentence_filters: int = knob(64, "Features that are looked for in sentences.", low=1, high=1024)
    sentence_kernel: int = knob(5, "Words that a feature of a sentence spans.", low=1, high=15)
    sentence_k: int = knob(
        1, "Largest values kept of each feature of a sentence.", low=1, high=20, advanced=True
    )
    document_filters: int = knob(
        32, "Features that are looked for in the row of sentences.", low=1, high=1024
    )
    document_kernel: int = knob(3, "Sentences that a feature of the document spans.", low=1, high=15)
    document_k: int = knob(
        3, "Largest values kept of each feature of the document.", low=1, high=20, advanced=True
    )
    hidden: int = knob(
        0, "Width of a hidden layer before the last; 0 for none.", low=0, high=2048, advanced=True
    )
    longest_sentence: int = knob(
        60, "Longest sentence in words; a longer one is cut into several.", low=5, high=1000, advanced=True
    )


AnyWordConfig = MeanConfig | BagConfig | RecurrentConfig | CnnConfig
KINDS: Mapping[str, type[AnyWordConfig]] = {
    "mean": MeanConfig,
    "bag": BagConfig,
    "recurrent": RecurrentConfig,
    "cnn": CnnConfig,
}


def kind_of(config: AnyWordConfig) -> str:
    """The kind of classifier these settings are of, as it stands in saved models."""
    return next(kind for kind, known in KINDS.items() if type(config) is known)


def config_class(kind: str) -> type[AnyWordConfig]:
    """The settings' class of a kind; ModelError that lists the kinds otherwise."""
    if kind not in KINDS:
        raise ModelError(
            "A word classifier must be one of {kinds}; got {kind!r:.40}.", kinds=", ".join(KINDS), kind=kind
        )
    return KINDS[kind]


def settled(config: AnyWordConfig, rows: int, *, has_source: bool) -> AnyWordConfig:
    """The settings with what is left to `auto` chosen for this many training rows, with or without a source."""
    if config.embeddings != "auto":
        return config
    return replace(config, embeddings="frozen" if has_source and rows < FEW_ROWS else "trained")


def epochs_for(config: WordConfig, rows: int) -> int:
    """The number of epochs: the config's, or for 0 about 800 steps, within 5 to 30 epochs."""
    return config.epochs or epochs_for_steps(rows, config.batch_size, STEPS_WANTED, EPOCHS_RANGE)
