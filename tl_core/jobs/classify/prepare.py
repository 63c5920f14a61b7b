"""A comparison made ready once: checked, its rows drawn, its source opened, its trainings planned.

The page counts, estimates and submits what was prepared; the worker finds it again in the job's folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tl_core.catalog.sources import SourceModels
from tl_core.data.examples import Examples
from tl_core.data.findings import overlap, without_rows
from tl_core.errors import DataError
from tl_core.jobs.classify.encoder_trial import EncoderTrial
from tl_core.jobs.classify.plan import (
    ClassifyExperiment,
    SourcePlan,
    Task,
    filled,
    largest_class,
    test_split,
    trials,
)
from tl_core.jobs.classify.source_plan import chosen_sources, source_plan
from tl_core.jobs.experiment import Trial
from tl_core.runs.store import Store


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a comparison consists of.

    `config` has only sizes that `pool`, the rows to learn from, can fill; `test` are the rows scored on. `tried` says how
    the encoders did by which that of the config was chosen, if it was.
    `source_rows` are those of a source task without the `left_out` ones that are test rows; `sources` the models of
    those that are there, by what arms call them, that of the experiment by ''. `target` are the rows as they were
    given, by whose texts speed is measured.
    """

    title: str
    config: ClassifyExperiment
    target: Examples
    pool: Examples
    test: Examples
    source_rows: Examples | None
    left_out: int
    sources: Mapping[str, SourceModels]
    plan: SourcePlan
    tried: tuple[EncoderTrial, ...] = ()

    @property
    def trials(self) -> list[Trial]:
        """The trainings in their order."""
        return trials(self.config, self.plan)

    def source_split(self) -> tuple[Examples, Examples]:
        """(rows to learn from, test rows) of the source task."""
        assert self.source_rows is not None
        return source_split(self.config, self.source_rows)


def prepare(store: Store, config: ClassifyExperiment, task: Task) -> Prepared:
    """Check and draw everything that a comparison needs; DataError, RunError or ModelError if it could not be trained."""
    target = task.pool()
    _check(target, task)
    pool, test = test_split(config, target, task.test)
    config = filled(config, largest_class(pool))
    task, left_out = _without_test_rows(config, task, test)
    sources = chosen_sources(store, config, task)
    plan = source_plan(config, task, sources)
    return Prepared(task.title, config, task.target, pool, test, task.source, left_out, sources, plan)


def source_split(config: ClassifyExperiment, rows: Examples) -> tuple[Examples, Examples]:
    """(rows to learn from, test rows) of a source task, which holds back a share of its own."""
    return test_split(replace(config, test_rows=0), rows, None)


def _check(target: Examples, task: Task) -> None:
    for name, examples in (("training rows", target), ("source rows", task.source)):
        if examples is not None and len(examples.classes) < 2:
            found = f"only {examples.classes[0]!r}" if examples.classes else "none"
            raise DataError(
                "A classifier needs at least two classes; the {name} hold {found}.", name=name, found=found
            )
    if task.test is not None and not len(task.test):
        raise DataError("The test file holds no usable row.")


def _without_test_rows(config: ClassifyExperiment, task: Task, test: Examples) -> tuple[Task, int]:
    """The task with a source that holds none of the test rows, and how many it held; DataError if too few are left."""
    if task.source is None:
        return task, 0
    rows = overlap(task.source, test)
    source = without_rows(task.source, rows)
    if len(source.classes) < 2:
        raise DataError(
            "{rows:,} rows of the source task are test rows of the target too; without them it has fewer than two "
            "classes. Give the source rows of its own.",
            rows=len(rows),
        )
    try:
        source_split(config, source)
    except DataError as error:
        raise DataError(
            "The source task cannot be split into training and test rows. {error}", error=error
        ) from error
    return replace(task, source=source), len(rows)
