"""Recipe of a shipped reader: its base, its stages, and what each learns and is measured on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tl_core.data.reading import ReadingSet
from tl_core.tasks.read.config import ReadConfig


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions that one stage learns from, chooses its epoch by, and is measured on."""

    train: ReadingSet
    validation: ReadingSet
    test: ReadingSet


@dataclass(frozen=True, slots=True)
class Stage:
    """One training of a recipe; `read(folder)` gives its questions."""

    name: str
    read: Callable[[Path], Questions]
    config: ReadConfig


@dataclass(frozen=True, slots=True)
class ReaderRecipe:
    """A shipped reader: its base encoder and the trainings that lead to it."""

    name: str
    title: str
    encoder: str
    stages: tuple[Stage, ...]
    description: str
    test: str
    sources: tuple[str, ...]
    limits: tuple[str, ...]
    language: str = "en"  # ISO 639-1
