"""The explicit table of classification strategies. Torch and sklearn load when one is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tl_core.errors import ConfigError
from tl_core.tasks.classify.config import AnyConfig, FrozenConfig, FullConfig, LoraConfig, TfidfConfig
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts
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
    from tl_core.tasks.classify.tfidf import fit_tfidf

    return fit_tfidf


def _frozen() -> Fit:
    from tl_core.tasks.classify.frozen import fit_frozen

    return fit_frozen


def _lora() -> Fit:
    from tl_core.tasks.classify.tuned import fit_lora

    return fit_lora


def _full() -> Fit:
    from tl_core.tasks.classify.tuned import fit_full

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
