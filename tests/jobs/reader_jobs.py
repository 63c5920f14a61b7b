"""Small reading sets and readers for tests: a tiny encoder, a few invented passages."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.encoders.tiny import write_tiny_encoder
from tl_core.catalog import readers
from tl_core.data.reading import Answer, Passage, Question, ReadingSet
from tl_core.encoders.adapted import StartingPoint
from tl_core.encoders.load import find_encoder
from tl_core.jobs import trainings
from tl_core.jobs.kinds import run_job
from tl_core.jobs.read.plan import read_config_from_json
from tl_core.jobs.read.train import submit_training
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work
from tl_core.settings import Settings
from tl_core.tasks.fitting import TrainingContext
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.train import fit_reader
from tl_core.training.events import drain

PLACES = ("house", "city", "river", "boat", "garden", "tower", "market", "school")
NAMES = ("king", "queen", "man", "woman", "boy", "girl")
TINY = {"epochs": 1, "max_tokens": 60, "batch_size": 8, "precision": "float32", "rank": 4}


def small_set(articles: int = 5, passages: int = 4, name: str = "small.json") -> ReadingSet:
    """Every passage says who lives where; two questions on each."""
    made: list[Passage] = []
    questions: list[Question] = []
    for article in range(articles):
        for number in range(passages):
            who = NAMES[(article + number) % len(NAMES)]
            where = PLACES[(3 * article + number) % len(PLACES)]
            text = f"In story {article} {number} the {who} of the land was at the {where} all day long."
            made.append(Passage(text, article, f"Story {article}"))
            for word, asked in ((who, f"Who was at the {where}?"), (where, f"Where was the {who}?")):
                answer = Answer(word, text.index(word))
                identifier = f"{article}-{number}-{asked[:5]}"
                questions.append(Question(identifier, asked, len(made) - 1, (answer,)))
    return ReadingSet(name, tuple(made), tuple(questions))


def tiny_base(folder: Path, family: str = "bert") -> str:
    """The folder of a tiny encoder, as the name of a start."""
    if not (folder / family).exists():
        write_tiny_encoder(folder / family, family)
    return str(folder / family)


def saved_reader(folder: Path, settings: Settings, out: Path) -> Path:
    """A tiny reader that has learned a little, saved into `out`."""
    start = StartingPoint(find_encoder(tiny_base(folder), settings))
    fitted = drain(fit_reader(TrainingContext(settings, start=start), small_set(), None, ReadConfig(**TINY)))
    out.mkdir(parents=True)
    fitted.save(out)
    return out


def ship_tiny_readers(folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put tiny readers where the shipped ones lie, for this test."""
    adapters = folder / "adapters"
    first = saved_reader(folder, settings, adapters / "reader_en")
    shutil.copytree(first, adapters / "reader_ko")
    monkeypatch.setattr(readers, "ADAPTERS", adapters)


def trained_readers(store: Store, data: ReadingSet, values: Mapping[str, object]) -> Job:
    """Submit reader trainings and work them off here instead of in a process of their own."""
    config = read_config_from_json({"settings": TINY, **values})
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = submit_training(store, config, data)
    work(store, job.id, run_job)
    return store.job(job.id)
