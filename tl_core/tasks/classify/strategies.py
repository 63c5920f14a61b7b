"""The explicit table of classification strategies. Torch and sklearn load when one is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tl_core.errors import ConfigError
from tl_core.settings import Settings
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
from tl_core.tasks.classify.counts.saved import COUNTS_FORM
from tl_core.tasks.classify.counts.tfidf import TFIDF_EFFORT, TFIDF_FORM, fit_tfidf
from tl_core.tasks.classify.counts.train import BAG_OF_WORDS_EFFORT, fit_bag_of_words
from tl_core.tasks.classify.effort import Effort
from tl_core.tasks.classify.encoder.classifier import ENCODER_FORM
from tl_core.tasks.classify.encoder.contrastive import CONTRASTIVE_EFFORT, fit_contrastive
from tl_core.tasks.classify.encoder.frozen import FROZEN_EFFORT, cached_predictions, fit_frozen
from tl_core.tasks.classify.encoder.partial import fit_gradual, fit_top_layers
from tl_core.tasks.classify.encoder.tuned import (
    TUNED_EFFORT,
    chosen_epochs,
    chosen_epochs_and_rate,
    fit_full,
    fit_lora,
)
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, Probabilities
from tl_core.tasks.classify.forms import Family, ModelForm
from tl_core.tasks.classify.words.cnn import SentenceScore, sentence_scores
from tl_core.tasks.classify.words.saved import WORDS_FORM
from tl_core.tasks.classify.words.train import WORDS_EFFORT, fit_words
from tl_core.training.events import Training

Fit = Callable[[FitInput[Any]], Training[FittedClassifier]]
Predict = Callable[[Any, tuple[str, ...], Any, Settings], Training[Probabilities]]
Chosen = Callable[[Any, int, int], list[str]]
Sentences = Callable[[Any, str, str], list[SentenceScore]]


def _nothing_chosen(config: AnyConfig, rows: int, layers: int) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to make a classifier. Whoever has to do with a strategy asks its row, never its name or its settings' class.

    `config` are its settings, `fit` is its training, `form` says how its models are saved and what they begin with,
    `effort` what a training takes. `source` names the strategy that trains a source task for it, '' if it takes
    nothing from one. `colour` (#rrggbb) and `symbol` (as plotly names them) are its own in charts.

    `predict(classifier, texts, config, settings)` gives the probabilities (N, C) of its own saved model, as the
    classifier itself does, where trainings share what they compute; None where they do not. `chosen(config, rows,
    layers)` tells what is chosen for settings that are left open, on about so many rows and an encoder of so many
    layers (0: not known). `on_e5` is what a person should know who uses it on that encoder; may be ''.
    `sentences(classifier, text, class)` scores the sentences of a text where its models can.
    """

    name: str
    title: str
    help: str
    config: type[AnyConfig]
    fit: Fit
    form: ModelForm
    effort: Effort
    source: str
    colour: str
    symbol: str
    predict: Predict | None = None
    chosen: Chosen = _nothing_chosen
    on_e5: str = ""
    sentences: Sentences | None = None

    @property
    def family(self) -> Family:
        return self.form.family

    @property
    def needs_encoder(self) -> bool:
        return self.family.needs_encoder

    @property
    def in_loop(self) -> bool:
        """Whether the one training loop trains it, so that several processes share the work."""
        return self.effort.in_loop

    def needs_vectors(self, config: Any) -> bool:
        """Whether a training with these settings begins with pretrained word vectors."""
        return self.family.on_words and bool(config.start == "pretrained")


STRATEGIES: tuple[Strategy, ...] = (
    Strategy(
        "tfidf",
        "TF-IDF",
        "The baseline: word n-grams with logistic regression. No pretrained model; answers in about a second.",
        TfidfConfig,
        fit_tfidf,
        TFIDF_FORM,
        TFIDF_EFFORT,
        source="",
        colour="#808997",
        symbol="square",
    ),
    Strategy(
        "bow",
        "Bag of words",
        "How often each word or n-gram stands in a text, under a linear layer that is trained by steps.",
        BagOfWordsConfig,
        fit_bag_of_words,
        COUNTS_FORM,
        BAG_OF_WORDS_EFFORT,
        source="",
        colour="#8c7a1a",
        symbol="cross",
    ),
    Strategy(
        "mean",
        "Mean of word vectors",
        "A text is the mean of its words' vectors, texts padded to one length, under a linear layer.",
        MeanConfig,
        fit_words,
        WORDS_FORM,
        WORDS_EFFORT,
        source="mean",
        colour="#2f9e77",
        symbol="pentagon",
    ),
    Strategy(
        "bag",
        "EmbeddingBag",
        "The same mean without padding: all words in one row, with the place where each text begins.",
        BagConfig,
        fit_words,
        WORDS_FORM,
        WORDS_EFFORT,
        source="bag",
        colour="#1e93ab",
        symbol="hexagon",
    ),
    Strategy(
        "recurrent",
        "Recurrent network",
        "An RNN, LSTM or GRU reads the word vectors in their order.",
        RecurrentConfig,
        fit_words,
        WORDS_FORM,
        WORDS_EFFORT,
        source="recurrent",
        colour="#6b8e23",
        symbol="star",
    ),
    Strategy(
        "cnn",
        "CNN document model",
        "Convolutions find features of sentences in words, and of the text in sentences (Denil et al. 2014).",
        CnnConfig,
        fit_words,
        WORDS_FORM,
        WORDS_EFFORT,
        source="cnn",
        colour="#d1495b",
        symbol="triangle-down",
        sentences=sentence_scores,
    ),
    Strategy(
        "frozen",
        "Frozen encoder",
        "Feature extraction: the encoder stays as it is, a linear head is learned on its sentence vectors.",
        FrozenConfig,
        fit_frozen,
        ENCODER_FORM,
        FROZEN_EFFORT,
        source="lora",
        colour="#4a7fe0",
        symbol="circle",
        predict=cached_predictions,
    ),
    Strategy(
        "contrastive",
        "Contrastive",
        "Pairs of texts pull the classes apart, then a linear head is learned: for few rows (SetFit).",
        ContrastiveConfig,
        fit_contrastive,
        ENCODER_FORM,
        CONTRASTIVE_EFFORT,
        source="lora",
        colour="#7b68d9",
        symbol="hourglass",
    ),
    Strategy(
        "lora",
        "LoRA",
        "A small low-rank update of every linear layer is trained, the encoder's own weights stay.",
        LoraConfig,
        fit_lora,
        ENCODER_FORM,
        TUNED_EFFORT,
        source="lora",
        colour="#d97d0c",
        symbol="diamond",
        chosen=chosen_epochs_and_rate,
    ),
    Strategy(
        "top-layers",
        "Top layers",
        "The top layers of the encoder are trained; what the lower ones give is computed once.",
        TopLayersConfig,
        fit_top_layers,
        ENCODER_FORM,
        TUNED_EFFORT,
        source="full",
        colour="#b0713a",
        symbol="triangle-right",
        chosen=chosen_epochs,
    ),
    Strategy(
        "gradual",
        "Gradual unfreezing",
        "First the head alone, then layer by layer from the top, lower layers with smaller steps (ULMFiT).",
        GradualConfig,
        fit_gradual,
        ENCODER_FORM,
        TUNED_EFFORT,
        source="full",
        colour="#d6569b",
        symbol="bowtie",
        chosen=chosen_epochs,
    ),
    Strategy(
        "full",
        "Full fine-tuning",
        "Every weight of the encoder is trained. Most memory, most freedom.",
        FullConfig,
        fit_full,
        ENCODER_FORM,
        TUNED_EFFORT,
        source="full",
        colour="#a8448f",
        symbol="triangle-up",
        chosen=chosen_epochs,
        on_e5=(
            "Full fine-tuning on E5 leaves its quantised word table as it is: 21 of 117 million weights are trained."
        ),
    ),
)
FORMS = tuple(dict.fromkeys(row.form for row in STRATEGIES))


def strategy(name: str) -> Strategy:
    """The strategy of this name; ConfigError that lists them otherwise."""
    for row in STRATEGIES:
        if row.name == name:
            return row
    raise ConfigError(
        "There is no strategy {name!r}. There are: {strategies}.",
        name=name,
        strategies=", ".join(row.name for row in STRATEGIES),
    )


def title_of_strategy(name: str) -> str:
    """Title of a strategy on screen; one of another version or task keeps its name."""
    return next((row.title for row in STRATEGIES if row.name == name), name)


def place_of_strategy(name: str) -> int:
    """Place of a strategy in the table, cheap ones first; those that are not in it come last."""
    names = [row.name for row in STRATEGIES]
    return names.index(name) if name in names else len(names)
