"""Small vector files and jobs over word vectors, worked off in the test's own process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

from tests.vectors.made_vectors import royal_vectors
from tl_core.catalog.vector_sets import VectorSet, add_vectors
from tl_core.jobs import trainings
from tl_core.jobs.kinds import run_job
from tl_core.jobs.vectors.learn import submit_learning
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work
from tl_core.training.events import drain
from tl_core.vectors.files.read import write_word2vec_text
from tl_core.vectors.learn_config import LearnConfig

TEXTS = (
    "The king sat at the table. The queen sat at the table.",
    "The king ate an apple, the queen ate a pear.",
    "A man and a woman ate at the table of the king and the queen.",
) * 4
SMALL = LearnConfig(width=8, min_count=2, epochs=3, workers=1)


def royal_file(folder: Path, name: str = "royal.txt") -> Path:
    """Five words and their vectors as word2vec text."""
    vectors = royal_vectors()
    write_word2vec_text(folder / name, vectors.words, vectors.rows)
    return folder / name


def added(store: Store, path: Path, **options: object) -> VectorSet:
    return drain(add_vectors(store, path, path.name, **options))  # type: ignore[arg-type]


def waiting() -> patch:  # type: ignore[type-arg]
    """Jobs are submitted, and no worker starts."""
    return patch.object(trainings, "start_worker", lambda *_, **__: None)


def worked(store: Store, job: Job) -> Job:
    work(store, job.id, run_job)
    return store.job(job.id)


def learned(
    store: Store, config: LearnConfig = SMALL, texts: Sequence[str] = TEXTS, watched: Sequence[str] = ()
) -> Job:
    """A finished job of learning."""
    with waiting():
        job = submit_learning(store, config, texts, "kings.txt", watched=watched)
    return worked(store, job)
