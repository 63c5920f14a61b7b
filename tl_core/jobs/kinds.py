"""The explicit table of recipes that a worker can run; each is imported when its job's turn has come."""

from __future__ import annotations

from tl_core.runs.store import Job, Store
from tl_core.runs.worker import Recipe


def _compare(store: Store, job: Job) -> None:
    from tl_core.jobs.classify.compare import run_comparison

    run_comparison(store, job)


def _predict(store: Store, job: Job) -> None:
    from tl_core.jobs.classify.predict import run_prediction

    run_prediction(store, job)


def _train_reader(store: Store, job: Job) -> None:
    from tl_core.jobs.read.train import run_training

    run_training(store, job)


def _evaluate_reading(store: Store, job: Job) -> None:
    from tl_core.jobs.read.evaluate import run_evaluation

    run_evaluation(store, job)


def _learn_vectors(store: Store, job: Job) -> None:
    from tl_core.jobs.vectors.learn import run_learning

    run_learning(store, job)


def _evaluate_vectors(store: Store, job: Job) -> None:
    from tl_core.jobs.vectors.evaluate import run_evaluation

    run_evaluation(store, job)


def _fetch_vectors(store: Store, job: Job) -> None:
    from tl_core.jobs.vectors.fetch import run_fetch

    run_fetch(store, job)


def _fetch_encoder(store: Store, job: Job) -> None:
    from tl_core.jobs.fetch_encoder import run_fetch_encoder

    run_fetch_encoder(store, job)


RECIPES: dict[str, Recipe] = {
    "compare": _compare,
    "grid": _compare,
    "predict": _predict,
    "train_reader": _train_reader,
    "evaluate_reading": _evaluate_reading,
    "learn_vectors": _learn_vectors,
    "evaluate_vectors": _evaluate_vectors,
    "fetch_vectors": _fetch_vectors,
    "fetch_encoder": _fetch_encoder,
}
