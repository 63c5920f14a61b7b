"""Training of the sources that this project ships; `source_amazon` and its like say on what.

A recipe trains one classifier and writes it with its card. It may be stopped at any time and goes on from its
checkpoint when it is started again; it uses a GPU if there is one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.catalog.readers import ADAPTERS
from tl_core.data.columns import Columns
from tl_core.data.examples import Examples, to_examples
from tl_core.data.split import split
from tl_core.data.tables import read_table_file
from tl_core.encoders.adapted import StartingPoint
from tl_core.encoders.catalog import hub_name_of
from tl_core.encoders.load import find_encoder
from tl_core.errors import TLError
from tl_core.exchange.metadata import with_metadata
from tl_core.jobs.classify.plan import labelled
from tl_core.jobs.trainings import save_model
from tl_core.knobs import to_values
from tl_core.records import read_record, write_record
from tl_core.runs.store import Store
from tl_core.settings import Settings, read_settings
from tl_core.shipping.steps import begin, data_folder, find_file, halve, machine_name, tell, told
from tl_core.tasks.classify.config import AnyConfig
from tl_core.tasks.classify.fitting import FitInput
from tl_core.tasks.classify.metrics import Report, score
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.classify.strategies import strategy
from tl_core.tasks.fitting import TrainingContext, WordStart
from tl_core.training.loop import LoopControl
from tl_core.whole_files import folder_aside, remove

HELD_SHARE = 0.05  # of the training rows: they choose the best epoch
CARD, FACTS = "README.md", "facts.json"


@dataclass(frozen=True, slots=True)
class SourceData:
    """Rows to learn from, and rows that measure what was learned."""

    train: Examples
    test: Examples


@dataclass(frozen=True, slots=True)
class SourceRecipe:
    """A shipped source: a strategy with its settings on a public set. `encoder` is '' for one on words."""

    name: str
    place: str
    title: str
    strategy: str
    config: AnyConfig
    encoder: str
    read: Callable[[Path], SourceData]
    description: str
    test: str
    sources: tuple[str, ...]
    limits: tuple[str, ...]
    language: str = "en"  # ISO 639-1


def read_set(folder: Path, file: str, text: str, label: str) -> Examples:
    """The examples of one file of a public set, whatever sub-folder it lies in."""
    return to_examples(read_table_file(find_file(folder, file)), Columns((text,), label)).examples


def run_source_recipe(recipe: SourceRecipe, arguments: Sequence[str] | None = None) -> int:
    """The command line of a recipe; the exit code."""
    parser = argparse.ArgumentParser(description=f"Train and ship: {recipe.title}.")
    default = os.environ.get("TL_DATA", "")
    parser.add_argument("--data", default=default, help="folder of the public sets; or TL_DATA")
    parser.add_argument("--rows", type=int, default=0, help="training rows, drawn with a seed; 0 takes all")
    parser.add_argument("--out", type=Path, default=ADAPTERS / recipe.place, help="where the result goes")
    parser.add_argument("--work", type=Path, default=None, help="where checkpoints are kept")
    begin()
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        work = options.work or settings.home / "recipes" / recipe.place
        data = recipe.read(data_folder(options.data))
        if 0 < options.rows < len(data.train):
            data = replace(data, train=some(data.train, options.rows))
        work = work / order_of(recipe, data)
        train_source(recipe, settings, data, work)
        ship_source(recipe, settings, data, work, options.out)
    except TLError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def order_of(recipe: SourceRecipe, data: SourceData) -> str:
    """A short name of what is trained on what: another number of rows or other settings begin anew."""
    order = [recipe.strategy, recipe.encoder, to_values(recipe.config), data.train.texts, data.train.labels]
    return hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()[:12]


def some(examples: Examples, rows: int, seed: int = 0) -> Examples:
    """`rows` of the examples, drawn with a seed, in the order of the file."""
    chosen = np.random.default_rng(seed).permutation(len(examples))[:rows]
    return examples.take(sorted(chosen.tolist()))


def train_source(recipe: SourceRecipe, settings: Settings, data: SourceData, work: Path) -> None:
    """Train into `work/model`, with what it cost beside it, unless that is there already."""
    import torch

    if (work / "model").exists():
        tell(f"{recipe.name}: trained before")
        return
    torch.set_num_threads(settings.threads)
    train, held = split(data.train, share=HELD_SHARE, seed=0)
    classes = data.train.classes
    tell(f"{recipe.name}: {len(train):,} rows, {len(held):,} for validation")
    control = LoopControl(checkpoints=work / "checkpoint", checkpoint_seconds=settings.checkpoint_seconds)
    context = TrainingContext(settings, control=control)
    if recipe.encoder:
        context = replace(context, start=StartingPoint(find_encoder(recipe.encoder, settings)))
    else:
        from tl_core.catalog.vector_sets import PACKAGED, open_vectors

        context = replace(context, words=WordStart(open_vectors(Store(settings), PACKAGED)))
    given = FitInput(context, classes, labelled(train, classes), labelled(held, classes), recipe.config)
    fitted = told(recipe.name, strategy(recipe.strategy).fit(given))
    cost = {"rows": len(train), "seconds": fitted.seconds, "trained_parameters": fitted.trained_parameters}

    def save(folder: Path) -> None:
        fitted.save(folder)
        write_record(folder / FACTS, cost | fitted.facts)

    save_model(save, work)
    remove(work / "checkpoint")


def ship_source(recipe: SourceRecipe, settings: Settings, data: SourceData, work: Path, out: Path) -> None:
    """Measure the trained source as it ships, in float16, and write it with its card."""
    with folder_aside(out, replacing=True) as aside:
        shutil.copytree(work / "model", aside, dirs_exist_ok=True)
        facts = read_record(aside / FACTS) or {}
        remove(aside / FACTS)
        halve(aside)
        report = _measured(recipe, settings, data, aside)
        size = sum(file.stat().st_size for file in aside.rglob("*") if file.is_file())
        measured = {
            **facts,
            "accuracy": report.accuracy,
            "interval": report.accuracy_interval,
            "test_rows": len(data.test),
            "size": size,
            "date": date.today().isoformat(),
            "machine": machine_name(settings),
        }
        (aside / CARD).write_text(make_source_card(recipe, measured), encoding="utf-8")
    tell(f"{recipe.name}: {100 * report.accuracy:.1f} % of {len(data.test):,} rows, {size / 1e6:.2f} MB")


def _measured(recipe: SourceRecipe, settings: Settings, data: SourceData, folder: Path) -> Report:
    """Scores of a saved source on its test rows; its model is let go with this call, so that the folder can move."""
    classifier = load_classifier(folder, settings)
    test = labelled(data.test, classifier.classes)
    probabilities = told(f"{recipe.name}: measuring", classifier.predict_events(data.test.texts))
    majority = int(np.bincount(test.targets).argmax())
    return score(probabilities, test.targets, classifier.classes, majority=majority)


def make_source_card(recipe: SourceRecipe, measured: dict[str, Any]) -> str:
    """Markdown: base, data, licences, command, rows, seconds, accuracy, limits."""
    interval = measured["interval"]
    used = {name: measured.get(name, value) for name, value in to_values(recipe.config).items()}
    settings = ", ".join(f"{name} {value}" for name, value in used.items())
    lines = [
        f"# {recipe.title}",
        "",
        recipe.description,
        "",
        f"Trained by `python -m tl_core.shipping.{recipe.name} --data DIR` on {measured['machine']}, {measured['date']}. "
        f"{measured['size'] / 1e6:.2f} MB, float16.",
        "",
        "| | |",
        "|---|---|",
        f"| training rows | {measured['rows']:,} |",
        f"| epochs (best) | {measured.get('epochs')} ({measured.get('best_epoch')}) |",
        f"| seconds | {measured['seconds']:,.0f} |",
        f"| accuracy | {100 * measured['accuracy']:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}] of "
        f"{measured['test_rows']:,} rows: {recipe.test} |",
        "",
        f"Settings: {settings}.",
        "",
        "## Data and licences",
        "",
        *recipe.sources,
        "",
        "The model falls under these licences and that of its base; the project's own licence covers code only.",
        "",
        "## Limits",
        "",
        *recipe.limits,
        "",
    ]
    base = hub_name_of(recipe.encoder)
    card = "\n".join(lines)
    return with_metadata(card, task="text-classification", language=[recipe.language], base=base)
