"""Learn word vectors from texts in a worker: one run, whose model is a folder of word vectors."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tl_core.catalog.vector_sets import TASK
from tl_core.convert import from_json, to_json
from tl_core.errors import DataError, RunError
from tl_core.jobs.experiment import Trial
from tl_core.jobs.progress import JobProgress
from tl_core.jobs.trainings import TrialWork, submit_job
from tl_core.knobs import from_values, to_values
from tl_core.records import read_record, write_record
from tl_core.runs.records import RowCounts, RunRecord
from tl_core.runs.store import Job, Run, Store
from tl_core.text.words import sentences_of
from tl_core.training.events import Progress, Training, with_progress
from tl_core.training.memory import peak_bytes
from tl_core.vectors.learn_config import METHOD_TITLES, LearnConfig
from tl_core.vectors.learning import EpochFacts, Learned, learn_vectors
from tl_core.vectors.space import write_vectors
from tl_core.wording import per_second

TEXTS = "texts.jsonl"
HISTORY = "history.json"  # in the run's folder: facts and watched neighbours by epoch
MOST_CHARACTERS = 500_000_000
MOST_WATCHED = 10
TELL_SENTENCES = 2_000
TRIAL = Trial("vectors", "vectors")
SPLITTING_COST = 0.2  # of an epoch of learning; five times as much for morphemes


@dataclass(frozen=True, slots=True)
class LearnedHistory:
    """Events while vectors were learned: facts by epoch, and watched words' neighbours after each."""

    epochs: tuple[EpochFacts, ...]
    neighbours: dict[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Vectors that were learned, as `TrialWork.fit` wants them."""

    learned: Learned
    title: str
    note: str
    folder: Path

    @property
    def seconds(self) -> float:
        return self.learned.seconds

    @property
    def trained_parameters(self) -> int:
        return int(self.learned.rows.size)

    @property
    def facts(self) -> dict[str, Any]:
        epochs = self.learned.epochs
        return {
            "words": len(self.learned.words),
            "width": int(self.learned.rows.shape[1]),
            "words per second": per_second(
                sum(epoch.words_per_second * epoch.seconds for epoch in epochs), self.seconds
            ),
        }

    def save(self, folder: Path) -> None:
        learned = self.learned
        write_vectors(folder, self.title, learned.words, learned.rows, about={"note": self.note})
        history = LearnedHistory(tuple(learned.epochs), learned.neighbours)
        write_record(self.folder / HISTORY, to_json(history))


def submit_learning(
    store: Store, config: LearnConfig, texts: Sequence[str], title: str, *, watched: Sequence[str] = ()
) -> Job:
    """Write the texts, start a worker, and give the job back at once; DataError for nothing to learn from."""
    texts = [text for text in texts if text.strip()]
    characters = sum(map(len, texts))
    if not texts:
        raise DataError("{title} holds no text to learn from.", title=title)
    if characters > MOST_CHARACTERS:
        raise DataError(
            "{title} has {characters:,.0f} million characters; at most {most_characters:,.0f} are taken. "
            "Learn from a part of it.",
            title=title,
            characters=characters / 1000000.0,
            most_characters=MOST_CHARACTERS / 1000000.0,
        )
    words = list(dict.fromkeys(word.strip() for word in watched if word.strip()))[:MOST_WATCHED]

    def write_data(folder: Path) -> None:
        with (folder / TEXTS).open("w", encoding="utf-8") as file:
            for text in texts:
                file.write(json.dumps(text, ensure_ascii=False) + "\n")

    job_config = {"learning": to_values(config), "watched": words, "texts": len(texts)}
    return submit_job(store, "learn_vectors", title[:200], job_config, write_data)


def run_learning(store: Store, job: Job) -> None:
    """The worker's side of `submit_learning`."""
    VectorLearning(store, job).run_trials()


class VectorLearning(TrialWork):
    """One job of learning at work."""

    def __init__(self, store: Store, job: Job) -> None:
        super().__init__(store, job)
        self.config = from_values(LearnConfig, job.record.config["learning"])
        self.progress = JobProgress(job.folder / "progress.json", {TRIAL.name: 1.0})
        self.trials = [TRIAL]
        self.doing = "Reading the texts"

    def title(self, trial: Trial) -> str:
        return self.doing

    def is_shared(self, trial: Trial) -> bool:
        return False

    def train(self, trial: Trial, run_id: str) -> None:
        self.progress.update(trial.name, self.doing, 0.0)
        record = self._record(run_id)
        folder = self.store.settings.runs / run_id
        done = self.fit(trial, record, self._learn(folder), until=1.0, stops_itself=False)
        if done is not None:
            self.finish(trial, replace(done, peak_memory=peak_bytes()))

    def _learn(self, folder: Path) -> Training[_Fitted]:
        count = int(self.job.record.config["texts"])
        config, splitter = self.config, self.config.splitter
        cost = SPLITTING_COST * (5 if splitter == "morphemes" else 1)
        share = cost / (cost + config.epochs)
        self.doing = "Finding morphemes" if splitter == "morphemes" else "Splitting into words"
        read = _Counted(self.job.folder / "data" / TEXTS)
        sentences = []
        for words in sentences_of(read, splitter, lower=config.lower, threads=self.store.settings.threads):
            sentences.append(words)
            if len(sentences) % TELL_SENTENCES == 0:
                yield Progress(share * read.count, count)
        self.doing = f"Learning, {METHOD_TITLES[config.method]}"
        learning = learn_vectors(
            sentences,
            config,
            threads=self.store.settings.threads,
            watched=self.job.record.config["watched"],
            control=self.control(folder),
        )
        rest = 1 - share
        learned = yield from with_progress(
            learning,
            lambda progress: Progress(share + rest * progress.share, 1.0, rest * progress.earlier_share),
        )
        note = f"{METHOD_TITLES[config.method]} on {count:,} texts of {self.job.title}"
        return _Fitted(learned, f"{self.job.title}, {METHOD_TITLES[config.method]}", note, folder)

    def _record(self, run_id: str) -> RunRecord:
        return RunRecord(
            id=run_id,
            job=self.job.id,
            task=TASK,
            title=self.job.title,
            arm=self.config.method,
            strategy=self.config.method,
            seed=self.config.seed,
            status="running",
            started=time.time(),
            config=to_values(self.config),
            rows=RowCounts(train=int(self.job.record.config["texts"])),
        )


class _Counted:
    """The texts of a file, and how many have been read so far."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                self.count += 1
                yield str(json.loads(line))


def learned_history(run: Run) -> LearnedHistory:
    """History of a run that learned; RunError if it was not kept."""
    record = read_record(run.folder / HISTORY)
    if record is None:
        raise RunError("Run {run} is {status}: it has no history of learning.", run=run.id, status=run.status)
    return from_json(LearnedHistory, record)
