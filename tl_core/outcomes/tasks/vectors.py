"""The row of learned word vectors."""

from __future__ import annotations

from tl_core.catalog.vector_sets import TASK
from tl_core.outcomes.tasks.kind import TaskKind
from tl_core.runs.store import Run
from tl_core.vectors.learn_config import METHOD_TITLES


def _method_title(name: str) -> str:
    return METHOD_TITLES.get(name, name)


def _name(run: Run) -> str:
    return f"{_method_title(run.record.strategy)}, {run.record.config.get('width', '?')} dimensions"


VECTORS = TaskKind(
    task=TASK,
    title="word vectors",
    unit="text",
    name=_name,
    strategy_title=_method_title,
    instead_of_a_zip="It holds word vectors; `save-vectors {run} OUT.txt` writes them as a file.",
)
