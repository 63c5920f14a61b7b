"""Input and result of every classification strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import DataError
from tl_core.tasks.fitting import Fitted, TrainingContext
from tl_core.training.events import Training

Probabilities = NDArray[np.float64]
Targets = NDArray[np.int64]
Weights = NDArray[np.float64]  # of classes: (C,)
Config = TypeVar("Config", covariant=True)


class Classifier(Protocol):
    """A trained classifier, however it was trained."""

    classes: tuple[str, ...]

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C), rows sum to one. Yields Progress in texts."""

    def save(self, folder: Path) -> None:
        """Write the model so that `load_classifier` gives equal predictions."""


FittedClassifier = Fitted[Classifier]


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts with their classes as indices into the task's class list."""

    texts: tuple[str, ...]
    targets: Targets

    def __len__(self) -> int:
        return len(self.texts)


@dataclass(frozen=True, slots=True)
class FitInput(Generic[Config]):
    """Input of a training: the context, the C classes, rows to learn from and to choose the best epoch by, settings.

    `validation` may hold no rows. `balanced`: every class counts alike, whatever the number of its rows.
    """

    context: TrainingContext
    classes: tuple[str, ...]
    train: LabelledTexts
    validation: LabelledTexts
    config: Config
    balanced: bool = False

    @property
    def weights(self) -> Weights | None:
        """How much a row of each class counts in the loss, (C,), 1 on average over the rows; None if all count alike."""
        return class_weights(self.train.targets, len(self.classes)) if self.balanced else None

    @property
    def sklearn_weights(self) -> str | None:
        """The same as scikit-learn's estimators take it."""
        return "balanced" if self.balanced else None


def class_weights(targets: Targets, classes: int) -> Weights:
    """N / (C' n_c) for the C' classes that have rows, of which n_c are of class c (King & Zeng 2001): (C,).

    What scikit-learn calls balanced. A class without rows has weight 1.
    """
    counts = np.bincount(targets, minlength=classes)
    present = counts > 0
    weights = np.ones(classes)
    weights[present] = len(targets) / (present.sum() * counts[present])
    return weights


def check_classes(classes: Sequence[str], train: LabelledTexts) -> None:
    """DataError if the training rows hold fewer than two classes."""
    present = sorted({classes[target] for target in train.targets})
    if len(present) < 2:
        held = f"only {present[0]!r}" if present else "none"
        raise DataError(
            "A classifier needs at least two classes; the training rows hold {found}.", found=held
        )
