"""The explicit table of classification strategies. Torch and sklearn load when one is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tl_core.errors import ConfigError
from tl_core.tasks.classify.config import AnyConfig, FrozenConfig, FullConfig, LoraConfig, TfidfConfig
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts
from tl_core.training.events import Training

Fit = Callable[[Bench, tuple[str, ...], LabelledTexts, LabelledTexts, Any], Training[Fitted]]


@dataclass(frozen=True, slots=True)
class Strategy:
    """One way to make a classifier; `fit()` gives its training function."""

    name: str
    title: str
    help: str
    config: type[AnyConfig]
    needs_encoder: bool
    trains_encoder: bool
    fit: Callable[[], Fit]


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
        TfidfConfig,
        needs_encoder=False,
        trains_encoder=False,
        fit=_tfidf,
    ),
    Strategy(
        "frozen",
        "Frozen encoder",
        "Feature extraction: the encoder stays as it is, a linear head is learned on its sentence vectors.",
        FrozenConfig,
        needs_encoder=True,
        trains_encoder=False,
        fit=_frozen,
    ),
    Strategy(
        "lora",
        "LoRA",
        "A small low-rank update of every linear layer is trained, the encoder's own weights stay.",
        LoraConfig,
        needs_encoder=True,
        trains_encoder=True,
        fit=_lora,
    ),
    Strategy(
        "full",
        "Full fine-tuning",
        "Every weight of the encoder is trained. Most memory, most freedom.",
        FullConfig,
        needs_encoder=True,
        trains_encoder=True,
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
