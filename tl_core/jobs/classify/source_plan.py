"""What a comparison takes from its source: to which strategies, which of its models are scored, which rows it saw."""

from __future__ import annotations

from tl_core.catalog.sources import SourceModels, open_source, shipped
from tl_core.data.examples import Examples, read_examples
from tl_core.data.findings import overlap
from tl_core.jobs.classify.plan import NO_SOURCE, CompareConfig, SourcePlan, Task
from tl_core.runs.store import CLASSIFY, IDENTIFIER, Job, Store
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

LEFT_OUT, IN_TEST = "source_rows_left_out", "source_rows_in_test"  # in a comparison's record


def chosen_source(store: Store, config: CompareConfig, task: Task) -> SourceModels | None:
    """The source that a comparison names; None where it names none, or trains a source task of its own."""
    return open_source(store, config.source_run) if config.source_run and task.source is None else None


def rows_learned_before(store: Store, source: SourceModels | None, test: Examples) -> int:
    """How many of these test rows an earlier run learned from that is the source now; 0 where its rows are gone."""
    if source is None or shipped(source.name):
        return 0
    run = store.run(source.name)
    record = run.record
    job = str(record.get("job", ""))
    if not IDENTIFIER.fullmatch(job) or run.task != CLASSIFY:  # a reader learned questions, no such rows
        return 0
    files = ["source.jsonl"] if record.get("role") == "source" else ["train.jsonl", "source.jsonl"]
    places = [store.settings.jobs / job / "data" / file for file in files]
    known = [read_examples(place) for place in places if place.is_file()]
    return len({row for each in known for row in overlap(test, each)})


def source_plan(config: CompareConfig, task: Task, source: SourceModels | None) -> SourcePlan:
    """What the source gives to whom, and which of its models are scored on the target as they are."""
    rows = [strategy(name) for name in config.strategies]
    classes = tuple(sorted({*task.target.classes, *(task.test.classes if task.test else ())}))
    if task.source is not None:
        families = tuple(sorted({row.family.name for row in rows if row.source}))
        makers = {row.source for row in rows if row.source}
        same = task.source.classes == classes
    elif source is not None:
        families = tuple(sorted({row.family.name for row in rows if row.source} & set(source.models)))
        makers = {source.trained_by[family] for family in families}
        same = source.classes == classes
    else:
        return NO_SOURCE
    zero = (
        tuple(each.name for each in STRATEGIES if each.name in makers) if same and config.zero_target else ()
    )
    return SourcePlan(task.source is not None, families, zero)


def source_notes(job: Job) -> list[str]:
    """What the person should know of a comparison's source and the test rows; may be none."""
    left_out, seen = (int(job.record["config"].get(name, 0)) for name in (LEFT_OUT, IN_TEST))
    notes = []
    if left_out:
        notes.append(
            f"{left_out:,} rows of the source task are test rows of the target too; nothing was trained on them."
        )
    if seen:
        notes.append(
            f"The source has learned from {seen:,} of these test rows before: what begins with it, and its own model, "
            "look better here than on new rows."
        )
    return notes
