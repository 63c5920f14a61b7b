"""Input and result of every training, whatever the task."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from tl_core.encoders.adapted import StartingPoint
from tl_core.errors import ConfigError
from tl_core.settings import Settings
from tl_core.training.loop import LoopControl
from tl_core.vectors.space import WordVectors


class Saveable(Protocol):
    """A trained model that can be written."""

    def save(self, folder: Path) -> None:
        """Write the model so that its task loads it again with equal predictions."""


Model = TypeVar("Model", bound=Saveable, covariant=True)


@dataclass(frozen=True, slots=True)
class WordStart:
    """Start of a classifier on word vectors: pretrained vectors, and the model folder of a source task."""

    vectors: WordVectors | None = None
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class TrainingContext:
    """Input of a training beside its data: places, starting points, a seed, checkpoints and when to stop."""

    settings: Settings
    seed: int = 0
    start: StartingPoint | None = None
    words: WordStart = WordStart()
    control: LoopControl = field(default_factory=LoopControl)

    @property
    def starting_point(self) -> StartingPoint:
        if self.start is None:
            raise ConfigError(
                "This training needs an encoder to start from. Choose minilm, e5 or another one."
            )
        return self.start


@dataclass(frozen=True, slots=True)
class Fitted(Generic[Model]):
    """A finished training: the model in memory, what it cost, and what was found on the way."""

    model: Model
    seconds: float
    trained_parameters: int
    facts: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write the model."""
        self.model.save(folder)
