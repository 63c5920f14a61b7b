"""Every kind of job as one row: what it is called, where it opens, what it trains, how it is worked.

Whoever lists, opens, counts or works jobs asks here. What a row runs is imported when its job's turn has come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tl_core.convert import from_json
from tl_core.errors import RunError, TLError
from tl_core.jobs.classify.plan import SourcePlan, config_from_json, trials
from tl_core.jobs.experiment import trials_by_size
from tl_core.jobs.read.plan import read_config_from_json
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import Runner

Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job.

    `name` stands in the job's record, `title` on screen; `page` is the page that shows it, '' for none. `run` does
    the work in a worker. `trainings` says how many trainings a config asks for; a kind without has what its progress
    `counts`, if anything, and the `result` of a finished job: the key of a measure and its value from 0 to 1.
    """

    name: str
    title: str
    run: Runner
    page: str = ""
    trainings: Callable[[Config], int] = lambda config: 0
    counts: str = ""
    result: Callable[[Job], tuple[str, float] | None] = lambda job: None


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


def _comparison_trainings(config: Config) -> int:
    return len(trials(config_from_json(config["comparison"]), from_json(SourcePlan, config["source"])))


def _reader_trainings(config: Config) -> int:
    return len(trials_by_size(read_config_from_json(config["training"])))


def _reading_result(job: Job) -> tuple[str, float]:
    from tl_core.jobs.read.evaluate import evaluation_result

    return "f1", evaluation_result(job)[0].scores.f1


def _unknown(store: Store, job: Job) -> None:
    raise RunError(
        "This version knows no kind of job {kind!r}; it knows {named}.",
        kind=job.kind[:40],
        named=", ".join(NAMED),
    )


KINDS = (
    JobKind(
        name="compare", title="comparison", run=_compare, page="fine_tune", trainings=_comparison_trainings
    ),
    JobKind(
        name="grid", title="grid of trainings", run=_compare, page="compare", trainings=_comparison_trainings
    ),
    JobKind(name="predict", title="prediction", run=_predict),
    JobKind(
        name="train_reader",
        title="reader training",
        run=_train_reader,
        page="reading",
        trainings=_reader_trainings,
    ),
    JobKind(
        name="evaluate_reading",
        title="reading evaluation",
        run=_evaluate_reading,
        page="reading",
        counts="questions",
        result=_reading_result,
    ),
    JobKind(
        name="learn_vectors",
        title="learning vectors",
        run=_learn_vectors,
        page="vectors",
        trainings=lambda config: 1,
    ),
    JobKind(
        name="evaluate_vectors",
        title="evaluating vectors",
        run=_evaluate_vectors,
        page="vectors",
        counts="questions",
    ),
    JobKind(name="fetch_vectors", title="fetching vectors", run=_fetch_vectors, page="vectors"),
    JobKind(name="fetch_encoder", title="fetching an encoder", run=_fetch_encoder, page="home"),
)
NAMED = {kind.name: kind for kind in KINDS}


def kind_of_job(job: Job) -> JobKind:
    """The row of a job's kind; for a kind of another version one that has nothing but its name."""
    return NAMED.get(job.kind) or JobKind(name=job.kind, title=job.kind, run=_unknown)


def run_job(store: Store, job: Job) -> None:
    """Do a job's work, in its worker."""
    kind_of_job(job).run(store, job)


def planned_trainings(job: Job) -> int:
    """Number of trainings that the job's config asks for; 0 for a job without, or of another version."""
    try:
        return kind_of_job(job).trainings(job.record.config)
    except (KeyError, TypeError, TLError):
        return 0
