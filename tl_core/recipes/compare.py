"""Train several strategies on one labelled table, several seeds each, and score them on the same rows.

Submitting checks everything that can be checked, writes the rows into the job's folder and
starts a worker; the worker trains cell by cell. A finished cell is never trained again, an
interrupted one goes on from its checkpoint.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.data.examples import Examples, read_examples, write_examples
from tl_core.data.findings import overlap, without_rows
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import find_encoder
from tl_core.encoders.tuning import TunedConfig, epochs_for
from tl_core.errors import DataError, RunError
from tl_core.knobs import to_values
from tl_core.recipes.board import Board
from tl_core.recipes.cell_work import CellWork, submit_job
from tl_core.recipes.estimate import estimate
from tl_core.recipes.plan import (
    Cell,
    CompareConfig,
    Rows,
    Task,
    cells,
    config_from_json,
    labelled,
    rows_of_seed,
    source_strategy,
    test_split,
)
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts, check_classes
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.classify.strategies import strategy
from tl_core.training.events import Training
from tl_core.training.memory import peak_bytes

SOURCE_MODEL = "source_model"
PREDICTIONS = "predictions.npy"
TRAINING_SHARE = 0.85  # of a cell's time; the rest is scoring


def submit_comparison(store: Store, config: CompareConfig, task: Task, *, processes: int = 1) -> Job:
    """Check and write a comparison, start its worker, and give the job back at once.

    Raises DataError, ConfigError, ModelError or RunError if it could not be trained.
    """
    target = task.target
    if task.test is not None:
        target = without_rows(target, overlap(target, task.test))
    _check(config, target, task)
    source = _source_model(store, config)
    known = estimate(store, config, task, probe=False)
    plan = {"has_source": task.source is not None, "expected": known.by_strategy if known else {}}

    def write_data(folder: Path) -> None:
        pool, test = test_split(config, target, task.test)
        write_examples(folder / "train.jsonl", pool)
        write_examples(folder / "test.jsonl", test)
        if task.source is not None:
            write_examples(folder / "source.jsonl", task.source)
        if source is not None:
            shutil.copytree(source, folder / SOURCE_MODEL)

    told = {"comparison": config.to_json(), **plan}
    return submit_job(store, "compare", task.title, told, write_data, processes=processes)


def _check(config: CompareConfig, target: Examples, task: Task) -> None:
    for name, examples in (("training rows", target), ("source rows", task.source)):
        if examples is not None and len(examples.classes) < 2:
            found = f"only {examples.classes[0]!r}" if examples.classes else "none"
            raise DataError(f"A classifier needs at least two classes; the {name} hold {found}.")
    if task.test is not None and not len(task.test):
        raise DataError("The test file holds no usable row.")


def _source_model(store: Store, config: CompareConfig) -> Path | None:
    """The model folder to start from; also checks that the encoder exists."""
    if not config.needs_encoder:
        return None
    if not config.source_run:
        find_encoder(config.encoder, store.settings)
        return None
    run = store.run(config.source_run)
    if run.status != "done":
        raise RunError(f"Run {run.id} is {run.status}; only a finished run can be a source.")
    read_starting_point(run.model)
    return run.model


# in the worker


def run_comparison(store: Store, job: Job) -> None:
    """Train and score every cell of the job; raises RunError at the end if cells failed."""
    comparison = Comparison(store, job)
    comparison.run_cells(comparison.cells)


class Comparison(CellWork[Cell]):
    """One comparison at work: its rows, its cells, its board."""

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(store, job)
        self.config = config_from_json(job.record["config"]["comparison"])
        data = job.folder / "data"
        self.pool, self.test = read_examples(data / "train.jsonl"), read_examples(data / "test.jsonl")
        self.source = read_examples(data / "source.jsonl") if job.record["config"]["has_source"] else None
        self.cells = cells(self.config, with_source=self.source is not None)
        self.board = self._board(job.record["config"]["expected"])

    def _board(self, expected: dict[str, float]) -> Board:
        """Cells weigh what the probe measured, in seconds; without a probe, what they cost by rule of thumb."""
        counts = Counter(cell.strategy for cell in self.cells)
        in_seconds = set(counts) <= set(expected)
        weights = {
            cell.suffix: expected[cell.strategy] / counts[cell.strategy] if in_seconds else self._cost(cell)
            for cell in self.cells
        }
        return Board(self.job.folder / "progress.json", weights, in_seconds)

    def is_shared(self, cell: Cell) -> bool:
        return strategy(cell.strategy).trains_encoder

    def title(self, cell: Cell) -> str:
        part = "source task" if cell.role == "source" else f"seed {cell.seed + 1}"
        return f"{strategy(cell.strategy).title}, {part}"

    def train(self, cell: Cell, run_id: str) -> None:
        """One cell from its rows to its record."""
        examples, test = self._examples(cell)
        classes = tuple(sorted({*examples.classes, *test.classes}))
        rows = (
            rows_of_seed(self.config, examples, cell.seed, classes)
            if cell.role == "target"
            else _source_rows(self.config, examples, classes)
        )
        folder = self.store.settings.runs / run_id
        before = 0.0 if cell.strategy == "tfidf" else TRAINING_SHARE
        fitting = self._fit(cell, folder, classes, rows)
        record = self._record(cell, run_id, rows, test)
        learned = self.fit(cell, record, fitting, until=before, stops_itself=self.is_shared(cell))
        if learned is not None:
            scored = self._score(cell, folder, rows, labelled(test, classes), before)
            self.finish(cell, learned | scored | {"classes": classes})

    def _score(
        self, cell: Cell, folder: Path, rows: Rows, test: LabelledTexts, before: float
    ) -> dict[str, Any]:
        """Score the model as it was saved, not as it stands in memory, and keep its predictions."""
        began = time.monotonic()
        saved = load_classifier(folder / "model", self.store.settings)
        events = saved.predict_events(test.texts)
        probabilities = self.drive(cell, folder, events, part=(before, 1.0))
        np.save(folder / PREDICTIONS, probabilities.astype(np.float32), allow_pickle=False)
        majority = Counter(rows.train.targets.tolist()).most_common(1)[0][0]
        return {
            "report": score(probabilities, test.targets, saved.classes, majority=majority).to_json(),
            "scoring_seconds": time.monotonic() - began,
            "peak_memory": peak_bytes(),
        }

    def _examples(self, cell: Cell) -> tuple[Examples, Examples]:
        """(rows to learn from, rows to score on) of a cell; the source task holds back a part of its own."""
        if cell.role == "target":
            return self.pool, self.test
        assert self.source is not None
        return test_split(self.config, self.source, None)

    def _fit(self, cell: Cell, folder: Path, classes: tuple[str, ...], rows: Rows) -> Training[Fitted]:
        check_classes(classes, rows.train)
        row = strategy(cell.strategy)
        start = self._start(cell) if row.needs_encoder else None
        bench = Bench(self.store.settings, cell.seed, start, desk=self.desk(folder))
        config = self.config.config_of(cell.strategy)
        return (yield from row.fit()(bench, classes, rows.train, rows.validation, config))

    def _start(self, cell: Cell) -> StartingPoint:
        """Where a cell begins: the source task's model, the copied run, or the bare encoder."""
        if cell.role == "target" and self.source is not None:
            source = self.store.settings.runs / f"{self.job.id}-source-{source_strategy(cell.strategy)}"
            return read_starting_point(source / "model")
        copied = self.job.folder / "data" / SOURCE_MODEL
        if copied.exists():
            return read_starting_point(copied)
        return StartingPoint(find_encoder(self.config.encoder, self.store.settings))

    def _record(self, cell: Cell, run_id: str, rows: Rows, test: Examples) -> dict[str, Any]:
        config = self.config.config_of(cell.strategy)
        encoder = self._encoder_name() if strategy(cell.strategy).needs_encoder else ""
        return {
            "id": run_id,
            "job": self.job.id,
            "title": self.job.title,
            "role": cell.role,
            "strategy": cell.strategy,
            "seed": cell.seed + 1,
            "status": "running",
            "started": time.time(),
            "encoder": encoder,
            "source": self._source_title(cell),
            "config": to_values(config),
            "rows": {"train": len(rows.train), "validation": len(rows.validation), "test": len(test)},
        }

    def _encoder_name(self) -> str:
        copied = self.job.folder / "data" / SOURCE_MODEL
        return read_starting_point(copied).base.name if copied.exists() else self.config.encoder

    def _source_title(self, cell: Cell) -> str:
        if cell.role == "source" or not strategy(cell.strategy).needs_encoder:
            return ""
        return "source task" if self.source is not None else self.config.source_run

    def _cost(self, cell: Cell) -> float:
        """Expected cost of a cell in forward passes of a text: what the board weighs it by."""
        examples, test = self._examples(cell)
        rows = len(examples)
        if self.config.per_class and cell.role == "target":
            rows = min(rows, self.config.per_class * len(examples.classes))
        if cell.strategy == "tfidf":
            return 0.01 * (rows + len(test)) + 1.0
        if cell.strategy == "frozen":
            return float((rows if cell.seed == 0 else 0) + len(test) + 1)
        config = self.config.config_of(cell.strategy)
        assert isinstance(config, TunedConfig)
        return 3.0 * rows * epochs_for(config, rows) + len(test)


def _source_rows(config: CompareConfig, examples: Examples, classes: tuple[str, ...]) -> Rows:
    """The source task is trained on all its rows, once, whatever the target's few-sample setting."""
    return rows_of_seed(replace(config, per_class=0), examples, 0, classes)


def runs_done(store: Store, job_id: str) -> list[Run]:
    """The finished runs of the target task of a job, in training order."""
    return [run for run in store.runs_of(job_id) if run.status == "done" and run.record["role"] == "target"]
