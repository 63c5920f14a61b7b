"""Jobs and runs as a worker would leave them, made up and written through the store: nothing is trained."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from tl_core.data.examples import Examples, write_examples
from tl_core.knobs import to_values
from tl_core.recipes.plan import CompareConfig
from tl_core.runs.events import EventLog
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.metrics import score
from tl_core.tasks.classify.strategies import strategy
from tl_core.training.events import Metric

CLASSES = ("<b>bad</b>", "costs $5 or $6", "좋아요")
TUNED = ("lora", "full")


def made_up_examples(classes: Sequence[str], count: int, first_row: int = 2) -> Examples:
    """`count` texts, the classes in turn."""
    labels = tuple(classes[at % len(classes)] for at in range(count))
    texts = tuple(
        f"text {first_row + at}: *stars* and $dollars$ of a {label}" for at, label in enumerate(labels)
    )
    return Examples(texts, labels, tuple(range(first_row, first_row + count)))


def add_job(
    store: Store,
    strategies: Sequence[str] = ("tfidf", "lora"),
    seeds: int = 2,
    *,
    status: str = "done",
    reason: str = "",
    classes: Sequence[str] = CLASSES,
    rows: int = 60,
    title: str = "<i>reviews</i> $1$.csv",
    share_right: float = 0.8,
) -> Job:
    """A comparison whose runs are all finished; `share_right` of each run's answers are right."""
    config = CompareConfig(strategies=tuple(strategies), seeds=seeds)
    job = store.add_job(
        "compare", title, {"comparison": config.to_json(), "has_source": False, "expected": {}}
    )
    test = made_up_examples(classes, rows)
    write_examples(job.folder / "data" / "train.jsonl", made_up_examples(classes, 4 * rows, 1000))
    write_examples(job.folder / "data" / "test.jsonl", test)
    for name in strategies:
        for seed in range(1, seeds + 1):
            add_run(store, job, name, seed, test, share_right=share_right)
    store.update_job(job.id, status=status, reason=reason)
    return store.job(job.id)


def add_run(store: Store, job: Job, name: str, seed: int, test: Examples, *, share_right: float = 0.8) -> Run:
    """A finished run with predictions, and with curves where the strategy has them."""
    classes = tuple(sorted(set(test.labels)))
    random = np.random.default_rng([seed, len(name)])
    truth = np.array([classes.index(label) for label in test.labels])
    wrong = (truth + random.integers(1, len(classes), len(truth))) % len(classes)
    chosen = np.where(random.random(len(truth)) < share_right, truth, wrong)
    sure = random.uniform(0.55, 0.99, len(truth))
    probabilities = np.repeat(((1 - sure) / (len(classes) - 1))[:, None], len(classes), axis=1)
    probabilities[np.arange(len(truth)), chosen] = sure
    run_id = f"{job.id}-{name}-{seed}"
    record = {
        "id": run_id,
        "job": job.id,
        "title": job.title,
        "role": "target",
        "strategy": name,
        "seed": seed,
        "status": "done",
        "started": time.time(),
        "ended": time.time() + 1,
        "encoder": "minilm" if strategy(name).needs_encoder else "",
        "source": "",
        "config": to_values(strategy(name).config()),
        "rows": {"train": 3 * len(test), "validation": len(test), "test": len(test)},
        "classes": classes,
        "report": score(probabilities, truth, classes, majority=0).to_json(),
        "seconds": 1.5 * seed,
        "scoring_seconds": 0.5,
        "trained_parameters": 1234,
        "peak_memory": 500_000_000 + seed,
        "facts": {"best_epoch": 2} if name in TUNED else {},
    }
    store.write_run(run_id, record)
    run = store.run(run_id)
    np.save(run.folder / "predictions.npy", probabilities.astype(np.float32), allow_pickle=False)
    if name in TUNED:
        _write_curves(run)
    return run


def _write_curves(run: Run) -> None:
    log = EventLog(run.events)
    for step in range(1, 31):
        log.write(Metric("training loss", step, 1 / step))
        if step % 10 == 0:
            log.write(Metric("validation loss", step, 1.5 / step))
            log.write(Metric("validation accuracy", step, 0.5 + step / 100))
    log.close()
