"""Train several strategies on one labelled table, several seeds each, and score them on the same rows.

Submitting checks everything that can be checked, writes the rows into the job's folder and
starts a worker; the worker trains cell by cell. A finished cell is never trained again, an
interrupted one goes on from its checkpoint.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tl_core.catalog.vector_sets import open_vectors
from tl_core.data.examples import Examples, read_examples, write_examples
from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.load import find_encoder
from tl_core.errors import ModelError
from tl_core.jobs.classify.estimate import estimate
from tl_core.jobs.classify.plan import (
    Cell,
    CompareConfig,
    Rows,
    SourcePlan,
    Task,
    cells,
    config_from_json,
    labelled,
    rows_of_seed,
    source_strategy,
)
from tl_core.jobs.classify.prepare import Prepared, prepare, source_split
from tl_core.jobs.classify.source_plan import (
    IN_TEST,
    LEFT_OUT,
    rows_learned_before,
)
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import CellWork, save_model, submit_job
from tl_core.knobs import to_values
from tl_core.runs.store import CLASSIFY, Job, Run, Store
from tl_core.tasks.classify.fitting import (
    Classifier,
    FitInput,
    Fitted,
    LabelledTexts,
    Probabilities,
    TrainingContext,
    WordStart,
    check_classes,
)
from tl_core.tasks.classify.forms import ENCODER, Family
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.classify.strategies import strategy
from tl_core.training.events import Training
from tl_core.training.memory import peak_bytes, start_peak

SOURCE_MODEL = "source_model"
PREDICTIONS = "predictions.npy"


def submit_comparison(store: Store, config: CompareConfig, task: Task, *, processes: int = 1) -> Job:
    """Check and write a comparison, start its worker, and give the job back at once.

    Raises DataError, ConfigError, ModelError or RunError if it could not be trained.
    """
    return submit_prepared(store, prepare(store, config, task), processes=processes)


def submit_prepared(store: Store, prepared: Prepared, *, processes: int = 1) -> Job:
    """The same for what `prepare` gave."""
    config, source = prepared.config, prepared.source
    if config.needs_encoder and not (source and ENCODER.name in source.models):
        find_encoder(config.encoder, store.settings)
    if config.needs_vectors:
        open_vectors(store, config.vectors)
    known = estimate(store, prepared, probe=False)
    about = {
        "source": prepared.plan.to_json(),
        "expected": known.by_strategy if known else {},
        LEFT_OUT: prepared.left_out,
        IN_TEST: rows_learned_before(store, source, prepared.test),
    }

    def write_data(folder: Path) -> None:
        write_examples(folder / "train.jsonl", prepared.pool)
        write_examples(folder / "test.jsonl", prepared.test)
        if prepared.source_rows is not None:
            write_examples(folder / "source.jsonl", prepared.source_rows)
        for family, place in (source.models if source else {}).items():
            shutil.copytree(place, folder / SOURCE_MODEL / family)

    told = {"comparison": config.to_json(), **about}
    kind = "grid" if config.sizes else "compare"
    return submit_job(store, kind, prepared.title, told, write_data, processes=processes)


# in the worker


def run_comparison(store: Store, job: Job) -> None:
    """Train and score every cell of the job; raises RunError at the end if cells failed."""
    work = CompareWork(store, job)
    work.run_cells(work.cells)


class CompareWork(CellWork[Cell]):
    """One comparison at work: its rows, its cells, its progress."""

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(store, job)
        self.config = config_from_json(job.record["config"]["comparison"])
        data = job.folder / "data"
        self.pool, self.test = read_examples(data / "train.jsonl"), read_examples(data / "test.jsonl")
        self.plan = SourcePlan.from_json(job.record["config"]["source"])
        source = read_examples(data / "source.jsonl") if self.plan.task else None
        self.source = source_split(self.config, source) if source is not None else None
        self.cells = cells(self.config, self.plan)
        self.progress = self._progress(job.record["config"]["expected"])

    def _progress(self, expected: dict[str, float]) -> JobProgress:
        """Cells weigh what the probe measured, in seconds; without a probe, what they cost by rule of thumb."""
        weights = {cell.suffix: self._cost(cell) for cell in self.cells}
        totals: dict[str, float] = {}
        for cell in self.cells:
            totals[cell.strategy] = totals.get(cell.strategy, 0.0) + weights[cell.suffix]
        in_seconds = set(totals) <= set(expected)
        if in_seconds:
            weights = {
                cell.suffix: expected[cell.strategy] * weights[cell.suffix] / totals[cell.strategy]
                for cell in self.cells
            }
        return JobProgress(self.job.folder / "progress.json", weights, in_seconds)

    def is_shared(self, cell: Cell) -> bool:
        return cell.role != "zero" and strategy(cell.strategy).in_loop

    def title(self, cell: Cell) -> str:
        """Which training it is, for the person who waits."""
        parts = {"source": "source task", "zero": "the source's model as it is"}
        said = [strategy(cell.strategy).title, parts.get(cell.role, f"seed {cell.seed + 1}")]
        if cell.size is not None:
            said.insert(1, f"{cell.size:,} rows a class" if cell.size else "all rows")
            said += ["from the source"] if cell.from_source else []
        return ", ".join(said)

    def train(self, cell: Cell, run_id: str) -> None:
        """One cell from its rows to its record."""
        examples, test = self._examples(cell)
        if cell.role == "zero":
            self._score_source(cell, run_id, test)
            return
        classes = tuple(sorted({*examples.classes, *test.classes}))
        rows = rows_of_seed(self._config(cell), examples, cell.seed, classes)
        folder = self.store.settings.runs / run_id
        before = strategy(cell.strategy).effort.training_share
        record = self._record(cell, run_id, rows, len(test))
        fitting = self._fit(cell, folder, classes, rows)
        learned = self.fit(cell, record, fitting, until=before, stops_itself=self.is_shared(cell))
        if learned is not None:
            majority = Counter(rows.train.targets.tolist()).most_common(1)[0][0]
            scored = self._score(cell, folder, classes, labelled(test, classes), majority, before)
            self.finish(cell, learned | scored | {"classes": classes})

    def _score_source(self, cell: Cell, run_id: str, test: Examples) -> None:
        """The source's own model, copied, on the target's test rows: no row of the target was learned."""
        folder = self.store.settings.runs / run_id
        source = self._source_folder(cell.strategy)
        if not source.is_dir():
            raise ModelError("The source task was not trained, so its model cannot be scored.")
        start_peak()
        save_model(partial(_copy, source), folder)
        classes = load_classifier(folder / "model", self.store.settings).classes
        none = labelled(test.take([]), classes)
        record = self._record(cell, run_id, Rows(none, none), len(test)) | {
            "seconds": 0.0,
            "trained_parameters": 0,
            "facts": {},
        }
        self.store.write_run(run_id, record)
        majority = Counter(labelled(self.pool, classes).targets.tolist()).most_common(1)[0][0]
        scored = self._score(cell, folder, classes, labelled(test, classes), majority, 0.0)
        self.finish(cell, record | scored | {"classes": classes})

    def _score(
        self,
        cell: Cell,
        folder: Path,
        classes: tuple[str, ...],
        test: LabelledTexts,
        majority: int,
        before: float,
    ) -> dict[str, Any]:
        """Score the model as it was saved, not as it stands in memory, and keep its predictions."""
        began = time.perf_counter()
        saved = load_classifier(folder / "model", self.store.settings)
        probabilities = self.drive(cell, folder, self._predict(cell, saved, test.texts), part=(before, 1.0))
        np.save(folder / PREDICTIONS, probabilities.astype(np.float32), allow_pickle=False)
        return {
            "report": score(probabilities, test.targets, classes, majority=majority).to_json(),
            "scoring_seconds": time.perf_counter() - began,
            "peak_memory": peak_bytes(),
        }

    def _predict(self, cell: Cell, saved: Classifier, texts: tuple[str, ...]) -> Training[Probabilities]:
        """What the saved model says; trainings may share what they compute of the test rows."""
        own = strategy(cell.strategy).predict
        if own is None or cell.role == "zero":  # a source's own model was trained with settings of its own
            return (yield from saved.predict_events(texts))
        return (yield from own(saved, texts, self.config.config_of(cell.strategy), self.store.settings))

    def _examples(self, cell: Cell) -> tuple[Examples, Examples]:
        """(rows to learn from, rows to score on) of a cell; the source task holds back a part of its own."""
        if cell.role != "source":
            return self.pool, self.test
        assert self.source is not None
        return self.source

    def _config(self, cell: Cell) -> CompareConfig:
        """The comparison with the cell's number of rows; a source task is trained once, on all it does not hold back."""
        if cell.role == "source":
            return self.config.at(0)
        return self.config if cell.size is None else self.config.at(cell.size)

    def _fit(self, cell: Cell, folder: Path, classes: tuple[str, ...], rows: Rows) -> Training[Fitted]:
        check_classes(classes, rows.train)
        row = strategy(cell.strategy)
        config = self.config.config_of(cell.strategy)
        context = TrainingContext(self.store.settings, cell.seed, control=self.control(folder))
        if row.needs_encoder:
            context = replace(context, start=self._start(cell))
        elif row.family.on_words:
            context = replace(
                context,
                words=WordStart(
                    open_vectors(self.store, self.config.vectors) if row.needs_vectors(config) else None,
                    self._source_folder(cell.strategy) if cell.from_source else None,
                ),
            )
        return (yield from row.fit(FitInput(context, classes, rows.train, rows.validation, config)))

    def _start(self, cell: Cell) -> StartingPoint:
        """Where a cell on an encoder begins: the source's model, or the bare encoder under it."""
        if cell.from_source:
            return read_starting_point(self._source_folder(cell.strategy))
        copied = self._copied(ENCODER)
        if copied.exists():
            return StartingPoint(read_starting_point(copied).base)
        return StartingPoint(find_encoder(self.config.encoder, self.store.settings))

    def _source_folder(self, name: str) -> Path:
        """The model that a strategy takes over: the source task's, or the copied one."""
        if self.plan.task:
            return self.store.settings.runs / f"{self.job.id}-source-{source_strategy(name)}" / "model"
        return self._copied(strategy(name).family)

    def _copied(self, family: Family) -> Path:
        return self.job.folder / "data" / SOURCE_MODEL / family.name

    def _record(self, cell: Cell, run_id: str, rows: Rows, test: int) -> dict[str, Any]:
        row = strategy(cell.strategy)
        size = {} if cell.size is None else {"per_class": cell.size}
        copied = cell.role == "zero" and not self.plan.task  # it was trained elsewhere, with other settings
        return {
            "id": run_id,
            "job": self.job.id,
            "task": CLASSIFY,
            "title": self.job.title,
            "role": cell.role,
            "strategy": cell.strategy,
            "seed": cell.seed + 1,
            "status": "running",
            "started": time.time(),
            "encoder": self._encoder_name() if row.needs_encoder else "",
            "vectors": self.config.vectors if row.family.on_words else "",
            "source": self._source_title(cell),
            "config": {} if copied else to_values(self.config.config_of(cell.strategy)),
            "rows": {"train": len(rows.train), "validation": len(rows.validation), "test": test},
            **size,
        }

    def _encoder_name(self) -> str:
        copied = self._copied(ENCODER)
        return read_starting_point(copied).base.name if copied.exists() else self.config.encoder

    def _source_title(self, cell: Cell) -> str:
        if not cell.from_source and cell.role != "zero":
            return ""
        return "source task" if self.plan.task else self.config.source_run

    def _cost(self, cell: Cell) -> float:
        """Expected cost of a cell in forward passes of a text: what the progress weighs it by."""
        examples, test = self._examples(cell)
        if cell.role == "zero":
            return float(len(test))
        per_class = self._config(cell).per_class
        rows = min(len(examples), per_class * len(examples.classes)) if per_class else len(examples)
        effort, config = strategy(cell.strategy).effort, self.config.config_of(cell.strategy)
        return effort.cost(config, rows, cell.seed, len(test))


def _copy(source: Path, place: Path) -> None:
    shutil.copytree(source, place, dirs_exist_ok=True)


def runs_done(runs: Iterable[Run]) -> list[Run]:
    """The finished runs of the target task, in the order given."""
    return [run for run in runs if run.status == "done" and run.record["role"] == "target"]
