"""What a comparison takes from its source: to which strategies, which of its models are scored, which rows it saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tl_core.catalog.sources import SourceModels, open_source, shipped
from tl_core.data.examples import Examples, read_examples
from tl_core.data.findings import overlap
from tl_core.jobs.classify.plan import WITHOUT_SOURCE, ClassifyExperiment, SourcePlan, Task, source_arms
from tl_core.runs.records import CLASSIFY
from tl_core.runs.store import IDENTIFIER, Job, Store
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

LEFT_OUT, IN_TEST = "source_rows_left_out", "source_rows_in_test"  # in a comparison's record


def chosen_sources(store: Store, config: ClassifyExperiment, task: Task) -> dict[str, SourceModels]:
    """The sources that an experiment and its arms name, that of the experiment by ''; a source task is none of them."""
    own = {name: open_source(store, name) for name in config.own_sources}
    if config.source_run and task.source is None:
        return {"": open_source(store, config.source_run), **own}
    return own


def rows_learned_before(store: Store, sources: Iterable[SourceModels], test: Examples) -> int:
    """How many of these test rows earlier runs learned from that are sources now; none of those whose rows are gone."""
    return len({row for source in sources for row in _learned_by(store, source, test)})


def _learned_by(store: Store, source: SourceModels, test: Examples) -> set[int]:
    """Which of the test rows a source has learned from."""
    if shipped(source.name):
        return set()
    run = store.run(source.name)
    record = run.record
    job = record.job
    if not IDENTIFIER.fullmatch(job) or run.task != CLASSIFY:  # a reader learned questions, no such rows
        return set()
    files = ["source.jsonl"] if record.role == "source" else ["train.jsonl", "source.jsonl"]
    places = [store.settings.jobs / job / "data" / file for file in files]
    known = [read_examples(place) for place in places if place.is_file()]
    return {row for each in known for row in overlap(test, each)}


def source_plan(
    config: ClassifyExperiment, task: Task, sources: Mapping[str, SourceModels] | None = None
) -> SourcePlan:
    """What each source gives to whom, and which models of the experiment's are scored on the target as they are."""
    takers = [strategy(arm.strategy) for arm in config.arms if strategy(arm.strategy).source]
    wanted = {row.family.name for row in takers}
    given = dict(sources or {})
    shared = given.pop("", None)
    own = {name: tuple(sorted(wanted & set(source.models))) for name, source in given.items()}
    classes = tuple(sorted({*task.target.classes, *(task.test.classes if task.test else ())}))
    if task.source is not None:
        plan = SourcePlan(True, tuple(sorted(wanted)), own=own)
        zero = tuple(source_arms(config, plan))
        same = task.source.classes == classes
    elif shared is not None:
        plan = SourcePlan(False, tuple(sorted(wanted & set(shared.models))), own=own)
        makers = {shared.trained_by[family] for family in plan.families}
        zero = tuple(each.name for each in STRATEGIES if each.name in makers)
        same = shared.classes == classes
    else:
        return replace(WITHOUT_SOURCE, own=own)
    return replace(plan, zero=zero) if same and config.zero_target else plan


def source_notes(job: Job) -> list[str]:
    """What the person should know of a comparison's source and the test rows; may be none."""
    left_out, learned = (int(job.record.config.get(name, 0)) for name in (LEFT_OUT, IN_TEST))
    notes = []
    if left_out:
        notes.append(
            f"{left_out:,} rows of the source task are test rows of the target too; nothing was trained on them."
        )
    if learned:
        notes.append(
            f"The source has learned from {learned:,} of these test rows before: what begins with it, and its own model, "
            "look better here than on new rows."
        )
    return notes
