"""Parts that strategies share: the family in which a source's model can be taken over, and the form of their saved models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Classifier

LABELS = "labels.json"  # the classes in their order; every saved classifier has it


@dataclass(frozen=True, slots=True)
class Family:
    """Strategies that begin with the same: an encoder, word vectors, or nothing.

    `name` stands in the records of jobs and is the folder of a source's model in them, `title` stands on screen.
    `moves` says what a shipped source of this family gives to another task; '' where nothing can be given.
    """

    name: str
    title: str
    needs_encoder: bool = False
    on_words: bool = False
    moves: str = ""


COUNTS = Family("counts", "Counts")
WORDS = Family("words", "Words", on_words=True, moves="word vectors and the layers of a CNN")
ENCODER = Family("encoder", "Encoder", needs_encoder=True, moves="an encoder's adapter")
FAMILIES = (COUNTS, ENCODER, WORDS)  # by name


@dataclass(frozen=True, slots=True)
class ModelForm:
    """Form in which the models of some strategies of one family are saved, loaded and exported.

    A folder that holds `file` is of this form. `load(folder, settings, device)` gives the classifier, on the device of
    this name ('' for the best one), or raises ModelError. A zip holds `files` beside those that the zip of any model
    on an encoder may hold; `script` is what becomes its predict.py, and `packages(folder)` names what that needs.
    """

    family: Family
    file: str
    load: Callable[[Path, Settings, str], Classifier]
    script: str
    files: tuple[str, ...]
    packages: Callable[[Path], tuple[str, ...]]
