"""Small finished jobs for tests: trained in the test's own process, on tiny encoders."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np

from tests.encoders.tiny import write_tiny_encoder
from tl_core.data.examples import Examples
from tl_core.jobs import trainings
from tl_core.jobs.classify import compare
from tl_core.jobs.classify.plan import ClassifyExperiment, Task, of_strategies
from tl_core.jobs.kinds import run_job
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work

SMALL = {"max_tokens": 32, "precision": "float32"}
TUNED = {**SMALL, "epochs": 2, "batch_size": 16}
WORDS = {"epochs": 3, "start": "random", "batch_size": 16}
SETTINGS = {
    "bow": {"epochs": 3},
    "mean": WORDS,
    "bag": WORDS,
    "recurrent": WORDS,
    "cnn": WORDS,
    "frozen": SMALL,
    "contrastive": {**SMALL, "pairs": 20},
    "lora": TUNED,
    "top-layers": {**TUNED, "layers": 1},
    "full": TUNED,
}


def word_examples(count: int = 60, first_row: int = 2) -> Examples:
    """Texts of good and bad words, one class in two."""
    random = np.random.default_rng(first_row)
    words = {"bad": ["bad", "poor", "sad", "ill"], "good": ["good", "fine", "nice", "well"]}
    labels = tuple(("bad", "good")[at % 2] for at in range(count))
    texts = tuple(
        " ".join(random.choice([*words[label], "a", "b"], size=6)) + f" {first_row + at}"
        for at, label in enumerate(labels)
    )
    return Examples(texts, labels, tuple(range(first_row, first_row + count)))


def small_config(
    folder: Path, strategies: tuple[str, ...], family: str = "bert", **changes: object
) -> ClassifyExperiment:
    if not (folder / family).exists():
        write_tiny_encoder(folder / family, family)
    settings = {name: SETTINGS[name] for name in strategies if name in SETTINGS}
    return of_strategies(strategies=strategies, encoder=str(folder / family), settings=settings, **changes)  # type: ignore[arg-type]


def finished(store: Store, config: ClassifyExperiment, task: Task | None = None) -> Job:
    """Submit a comparison and work it off here instead of in a process of its own."""
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        job = compare.submit_comparison(store, config, task or Task(word_examples(), title="words"))
    work(store, job.id, run_job)
    return store.job(job.id)
