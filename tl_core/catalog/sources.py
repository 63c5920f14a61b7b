"""Models that a comparison can begin with: finished runs, and the sources that the project ships.

A source has at most one model for each family of strategies: an encoder, and a classifier on words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tl_core.catalog.readers import ADAPTERS
from tl_core.encoders.adapted import FACTS, read_starting_point
from tl_core.errors import ModelError, RunError
from tl_core.runs.records import CLASSIFY
from tl_core.runs.store import IDENTIFIER, Run, Store
from tl_core.tasks.classify.forms import ENCODER, LABELS
from tl_core.tasks.classify.strategies import strategy


@dataclass(frozen=True, slots=True)
class ShippedSource:
    """A source of this project; `models` are folders under assets/adapters by family of strategies."""

    name: str
    title: str
    languages: str
    models: Mapping[str, str]
    trained_by: Mapping[str, str]


SHIPPED_SOURCES = (
    ShippedSource(
        "amazon",
        "Amazon reviews, no films: good or bad",
        "English",
        {"encoder": "amazon", "words": "amazon_words"},
        {"encoder": "lora", "words": "cnn"},
    ),
    ShippedSource("ag-news", "AG News: four topics", "English", {"encoder": "ag_news"}, {"encoder": "lora"}),
    ShippedSource(
        "nsmc", "NSMC film reviews: good or bad", "Korean", {"encoder": "nsmc"}, {"encoder": "lora"}
    ),
)


@dataclass(frozen=True, slots=True)
class SourceModels:
    """A source that is there: `models` by family, the strategy that trained each, the classes it knows."""

    name: str
    title: str
    models: Mapping[str, Path]
    trained_by: Mapping[str, str]
    classes: tuple[str, ...]


def shipped_sources() -> list[ShippedSource]:
    """The shipped sources of which at least one model is there."""
    return [row for row in SHIPPED_SOURCES if _folders(row)]


def shipped(name: str) -> ShippedSource | None:
    """The shipped source of this name, whether its models are there or not."""
    return next((row for row in SHIPPED_SOURCES if row.name == name), None)


def open_source(store: Store, name: str) -> SourceModels:
    """The source that a person means: a shipped one's name, or a finished run's id.

    RunError for a run that is not finished, ModelError for one that gives nothing on, with what may be.
    """
    if row := shipped(name):
        folders = _folders(row)
        if not folders:
            raise ModelError(
                "The source {name} is not in this copy of the project: assets/adapters lacks it.", name=name
            )
        return SourceModels(name, row.title, folders, row.trained_by, _classes(next(iter(folders.values()))))
    if not IDENTIFIER.fullmatch(name):
        names = ", ".join(shipped_source.name for shipped_source in shipped_sources()) or "none"
        raise RunError(
            "{name!r} is neither a run's id nor a shipped source. Shipped are: {names}.",
            name=name[:80],
            names=names,
        )
    run = store.run(name)
    if run.status != "done":
        raise RunError(
            "Run {run} is {status}; only a finished run can be a source.", run=run.id, status=run.status
        )
    made_by = run.record.strategy
    family = ENCODER if run.task != CLASSIFY else strategy(made_by).family
    if family.needs_encoder:
        read_starting_point(run.model)
    elif not family.moves:
        raise ModelError(
            "Run {run} counts words: nothing of it can be moved to another task. Choose a run with an encoder or "
            "with word vectors.",
            run=run.id,
        )
    classes = tuple(str(label) for label in run.record.classes)
    return SourceModels(
        run.id,
        run.record.title,
        {family.name: run.model},
        {family.name: made_by},
        classes,
    )


def gives_on(run: Run) -> bool:
    """Whether a finished run has a model that another training can begin with: of another task, its encoder."""
    if run.task != CLASSIFY:
        return (run.model / FACTS).is_file()
    return bool(strategy(run.record.strategy).family.moves)


def base_of(source: SourceModels) -> str:
    """The name of the encoder under a source; '' for one without."""
    folder = source.models.get(ENCODER.name)
    return read_starting_point(folder).base.name if folder else ""


def _folders(row: ShippedSource) -> dict[str, Path]:
    return {family: ADAPTERS / place for family, place in row.models.items() if (ADAPTERS / place).is_dir()}


def _classes(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(json.loads((folder / LABELS).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise ModelError("{folder} is not a whole source: {error}", folder=folder, error=error) from error
