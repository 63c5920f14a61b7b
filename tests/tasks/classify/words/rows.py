"""Small texts, small vectors and small trainings for the tests of word classifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import FitInput, LabelledTexts
from tl_core.tasks.classify.words.config import KINDS, AnyWordConfig
from tl_core.tasks.classify.words.train import fit_words
from tl_core.tasks.fitting import Fitted, TrainingContext, WordStart
from tl_core.training.events import Event
from tl_core.vectors.space import WordVectors, make_vectors

CLASSES = ("bad", "good", "so so")
GOOD, BAD = "good fine nice well", "bad poor sad ill"
STRANGE = (
    "",
    "   ",
    "!!! ... ???",
    "### ***",
    "영화가 정말 좋았다",
    "🙂🙂",
    "zzz unseen qqq",
    "a" * 3000,
    "line\nbreak\ttab\x00nul",
    "half a pair \ud800 good",
    "good. " * 300,
)
WIDTH = 8
NO_ROWS = LabelledTexts((), np.array([], dtype=np.int64))


def make_rows(count: int = 24, seed: int = 0) -> LabelledTexts:
    random = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    texts = []
    for target in targets:
        words = random.choice((BAD if target == 0 else GOOD).split(), size=int(random.integers(2, 9)))
        texts.append(" ".join(words[:3]) + ". " + " ".join(words[3:]))
    return LabelledTexts(tuple(texts), targets.astype(np.int64))


def tiny_vectors(width: int = WIDTH, words: str = f"the of {GOOD} film n't Paris") -> WordVectors:
    listed = words.split()
    return make_vectors(
        "tiny", listed, np.random.default_rng(1).normal(size=(len(listed), width)).astype("f4")
    )


def small_config(kind: str, **changes: Any) -> AnyWordConfig:
    values: dict[str, Any] = {"epochs": 3, "batch_size": 8, "word_dropout": 0.1}
    if kind == "cnn":
        values |= {"sentence_filters": 6, "document_filters": 5, "longest_sentence": 20}
    if kind == "recurrent":
        values |= {"state_width": 6}
    return KINDS[kind](**{**values, **changes})


def fit(
    settings: Settings,
    kind: str,
    *,
    words: WordStart | None = None,
    seed: int = 0,
    classes: tuple[str, ...] = CLASSES,
    rows: LabelledTexts | None = None,
    validation: LabelledTexts = NO_ROWS,
    **changes: Any,
) -> tuple[Fitted, list[Event]]:
    """A training and its events."""
    context = TrainingContext(settings, seed, words=words or WordStart(tiny_vectors()))
    config = small_config(kind, **changes)
    training = fit_words(FitInput(context, classes, rows or make_rows(), validation, config))
    events: list[Event] = []
    while True:
        try:
            events.append(next(training))
        except StopIteration as end:
            return end.value, events


def save(fitted: Fitted, folder: Path) -> Path:
    folder.mkdir(parents=True)
    fitted.save(folder)
    return folder


def from_source(folder: Path, vectors: WordVectors | None = None) -> WordStart:
    return replace(WordStart(vectors or tiny_vectors()), source=folder)
