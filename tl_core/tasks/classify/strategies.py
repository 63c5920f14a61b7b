"""The explicit table of classification strategies. Torch and sklearn load when one is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tl_core.encoders.tuning import TunedConfig
from tl_core.encoders.tuning import epochs_for as tuned_epochs
from tl_core.errors import ConfigError
from tl_core.tasks.classify.config import (
    AnyConfig,
    BagConfig,
    BagOfWordsConfig,
    CnnConfig,
    ContrastiveConfig,
    FrozenConfig,
    FullConfig,
    GradualConfig,
    LoraConfig,
    MeanConfig,
    RecurrentConfig,
    TfidfConfig,
    TopLayersConfig,
)
from tl_core.tasks.classify.counts.config import epochs_for as counted_epochs
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts
from tl_core.tasks.classify.words.config import WordConfig
from tl_core.tasks.classify.words.config import epochs_for as word_epochs
from tl_core.training.events import Training

Family = Literal["counts", "words", "encoder"]
Fit = Callable[[Bench, tuple[str, ...], LabelledTexts, LabelledTexts, Any], Training[Fitted]]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to make a classifier; `fit()` gives its training function.

    `source` names the strategy that trains a source task for it, '' if it takes nothing from one. `in_loop`
    says whether the one training loop trains it, so that several processes share the work.
    """

    name: str
    title: str
    help: str
    family: Family
    config: type[AnyConfig]
    source: str
    in_loop: bool
    fit: Callable[[], Fit]

    @property
    def needs_encoder(self) -> bool:
        return self.family == "encoder"


def _tfidf() -> Fit:
    from tl_core.tasks.classify.counts.tfidf import fit_tfidf

    return fit_tfidf


def _bow() -> Fit:
    from tl_core.tasks.classify.counts.train import fit_bag_of_words

    return fit_bag_of_words


def _mean() -> Fit:
    from tl_core.tasks.classify.words.train import fit_mean

    return fit_mean


def _bag() -> Fit:
    from tl_core.tasks.classify.words.train import fit_bag

    return fit_bag


def _recurrent() -> Fit:
    from tl_core.tasks.classify.words.train import fit_recurrent

    return fit_recurrent


def _cnn() -> Fit:
    from tl_core.tasks.classify.words.train import fit_cnn

    return fit_cnn


def _frozen() -> Fit:
    from tl_core.tasks.classify.encoder.frozen import fit_frozen

    return fit_frozen


def _contrastive() -> Fit:
    from tl_core.tasks.classify.encoder.contrastive import fit_contrastive

    return fit_contrastive


def _lora() -> Fit:
    from tl_core.tasks.classify.encoder.tuned import fit_lora

    return fit_lora


def _top_layers() -> Fit:
    from tl_core.tasks.classify.encoder.partial import fit_top_layers

    return fit_top_layers


def _gradual() -> Fit:
    from tl_core.tasks.classify.encoder.partial import fit_gradual

    return fit_gradual


def _full() -> Fit:
    from tl_core.tasks.classify.encoder.tuned import fit_full

    return fit_full


STRATEGIES: tuple[Strategy, ...] = (
    Strategy(
        "tfidf",
        "TF-IDF",
        "The baseline: word n-grams with logistic regression. No pretrained model; answers in about a second.",
        "counts",
        TfidfConfig,
        source="",
        in_loop=False,
        fit=_tfidf,
    ),
    Strategy(
        "bow",
        "Bag of words",
        "How often each word or n-gram stands in a text, under a linear layer that is trained by steps.",
        "counts",
        BagOfWordsConfig,
        source="",
        in_loop=True,
        fit=_bow,
    ),
    Strategy(
        "mean",
        "Mean of word vectors",
        "A text is the mean of its words' vectors, texts padded to one length, under a linear layer.",
        "words",
        MeanConfig,
        source="mean",
        in_loop=True,
        fit=_mean,
    ),
    Strategy(
        "bag",
        "EmbeddingBag",
        "The same mean without padding: all words in one row, with the place where each text begins.",
        "words",
        BagConfig,
        source="bag",
        in_loop=True,
        fit=_bag,
    ),
    Strategy(
        "recurrent",
        "Recurrent network",
        "An RNN, LSTM or GRU reads the word vectors in their order.",
        "words",
        RecurrentConfig,
        source="recurrent",
        in_loop=True,
        fit=_recurrent,
    ),
    Strategy(
        "cnn",
        "CNN document model",
        "Convolutions find features of sentences in words, and of the text in sentences (Denil et al. 2014).",
        "words",
        CnnConfig,
        source="cnn",
        in_loop=True,
        fit=_cnn,
    ),
    Strategy(
        "frozen",
        "Frozen encoder",
        "Feature extraction: the encoder stays as it is, a linear head is learned on its sentence vectors.",
        "encoder",
        FrozenConfig,
        source="lora",
        in_loop=False,
        fit=_frozen,
    ),
    Strategy(
        "contrastive",
        "Contrastive",
        "Pairs of texts pull the classes apart, then a linear head is learned: for few rows (SetFit).",
        "encoder",
        ContrastiveConfig,
        source="lora",
        in_loop=True,
        fit=_contrastive,
    ),
    Strategy(
        "lora",
        "LoRA",
        "A small low-rank update of every linear layer is trained, the encoder's own weights stay.",
        "encoder",
        LoraConfig,
        source="lora",
        in_loop=True,
        fit=_lora,
    ),
    Strategy(
        "top-layers",
        "Top layers",
        "The top layers of the encoder are trained; what the lower ones give is computed once.",
        "encoder",
        TopLayersConfig,
        source="full",
        in_loop=True,
        fit=_top_layers,
    ),
    Strategy(
        "gradual",
        "Gradual unfreezing",
        "First the head alone, then layer by layer from the top, lower layers with smaller steps (ULMFiT).",
        "encoder",
        GradualConfig,
        source="full",
        in_loop=True,
        fit=_gradual,
    ),
    Strategy(
        "full",
        "Full fine-tuning",
        "Every weight of the encoder is trained. Most memory, most freedom.",
        "encoder",
        FullConfig,
        source="full",
        in_loop=True,
        fit=_full,
    ),
)


def strategy(name: str) -> Strategy:
    """The strategy of this name; ConfigError that lists them otherwise."""
    for each in STRATEGIES:
        if each.name == name:
            return each
    raise ConfigError(
        f"There is no strategy {name!r}. There are: {', '.join(each.name for each in STRATEGIES)}."
    )


def passes(config: AnyConfig, rows: int) -> int:
    """How often a training with these settings goes over its rows, at most."""
    if isinstance(config, TunedConfig):
        return tuned_epochs(config, rows)
    if isinstance(config, WordConfig):
        return word_epochs(config, rows)
    return counted_epochs(config, rows) if isinstance(config, BagOfWordsConfig) else 1
