"""Training of the readers that this project ships; `reader_en` and `reader_ko` say on what.

A recipe is a row of stages, each a training from the one before. It may be stopped at any time
and started again: a finished stage is not trained again, an unfinished one goes on from its
checkpoint. The result is a folder with a float16 adapter, a span head, calibration and a card.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tl_core.catalog.readers import ADAPTERS
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import find_encoder
from tl_core.errors import TLError
from tl_core.jobs.trainings import save_model
from tl_core.records import write_record
from tl_core.settings import Settings, read_settings
from tl_core.shipping.reader_card import ship
from tl_core.shipping.reader_recipe import Questions, ReaderRecipe, Stage
from tl_core.shipping.steps import begin, data_folder, tell, told
from tl_core.tasks.fitting import TrainingContext
from tl_core.tasks.read.train import fit_reader
from tl_core.training.loop import LoopControl
from tl_core.whole_files import remove


def run_recipe(recipe: ReaderRecipe, arguments: Sequence[str] | None = None) -> int:
    """The command line of a recipe; the exit code."""
    parser = argparse.ArgumentParser(description=f"Train and ship: {recipe.title}.")
    default = os.environ.get("TL_DATA", "")
    parser.add_argument("--data", default=default, help="folder of the public sets; or TL_DATA")
    parser.add_argument("--out", type=Path, default=ADAPTERS / recipe.name, help="where the result goes")
    parser.add_argument("--work", type=Path, default=None, help="where checkpoints and stages are kept")
    begin()
    options = parser.parse_args(arguments)
    try:
        settings = read_settings()
        work = options.work or settings.home / "recipes" / recipe.name
        train_recipe(recipe, settings, data_folder(options.data), work, options.out)
    except TLError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def train_recipe(recipe: ReaderRecipe, settings: Settings, data: Path, work: Path, out: Path) -> None:
    """Train every stage that is not finished, then measure and ship the last one."""
    import torch

    torch.set_num_threads(settings.threads)
    start = StartingPoint(find_encoder(recipe.encoder, settings))
    for seed, stage in enumerate(recipe.stages):
        questions = stage.read(data)
        train_stage(stage, questions, settings, start, work / stage.name, seed)
        start = read_starting_point(work / stage.name / "model")
    ship(recipe, settings, questions, work, out)


def train_stage(
    stage: Stage, questions: Questions, settings: Settings, start: StartingPoint, work: Path, seed: int
) -> None:
    """Train one stage into `work/model`, with its facts beside it, unless that is there already."""
    if (work / "model").exists():
        tell(f"{stage.name}: trained before")
        return
    tell(f"{stage.name}: {len(questions.train)} questions, {len(questions.validation)} for validation")
    control = LoopControl(checkpoints=work / "checkpoint", checkpoint_seconds=settings.checkpoint_seconds)
    context = TrainingContext(settings, seed, start, control=control)
    fitted = told(
        stage.name, fit_reader(context, questions.train, questions.validation, stage.config), "windows"
    )
    cost = {"seconds": fitted.seconds, "trained_parameters": fitted.trained_parameters, **fitted.facts}

    def save(folder: Path) -> None:
        fitted.save(folder)
        write_record(folder / "facts.json", cost)

    save_model(save, work)
    remove(work / "checkpoint")
