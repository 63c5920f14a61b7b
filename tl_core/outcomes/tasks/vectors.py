"""The row of learned word vectors."""

from __future__ import annotations

from tl_core.catalog.vector_sets import TASK
from tl_core.outcomes.tasks.kind import TaskKind
from tl_core.runs.store import Run
from tl_core.vectors.learn_config import METHOD_TITLES


def _name(run: Run) -> str:
    method = run.record.strategy
    return f"{METHOD_TITLES.get(method, method)}, {run.record.config.get('width', '?')} dimensions"


VECTORS = TaskKind(
    task=TASK,
    title="word vectors",
    unit="text",
    name=_name,
    instead_of_a_zip="It holds word vectors; `save-vectors {run} OUT.txt` writes them as a file.",
)
