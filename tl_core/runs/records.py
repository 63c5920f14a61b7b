"""Records of jobs and runs, as types, and how records of earlier versions become them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLASSIFY = "classify"
VERSION = 2  # of records; raise it when an older version could not read them


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """One submitted job. Times are seconds since 1970; `ticket` is its place in the queue, 0 for none."""

    version: int = VERSION
    id: str
    kind: str = ""
    title: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    status: str = "failed"
    created: float = 0.0
    submitted: float = 0.0
    ticket: int = 0
    started: float | None = None
    ended: float | None = None
    pid: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Numbers of rows, questions or texts that a run learned from, chose its best epoch by, and was tested on."""

    train: int = 0
    validation: int = 0
    test: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One training of one arm with one seed.

    `task` says what its `report`, `config` and `facts` hold. `arm` is the key of its arm in the job's experiment and
    `name` what a person called that, '' for none. `role` is `target`, `source` or `zero_shot`. `encoder`, `vectors` and
    `source` say where it began, '' where it needs none; `from_source` whether it began with what a source learned, None
    where an earlier version did not say. `size` is how much it was asked to learn from, 0 for all, None outside an
    experiment with sizes. Times are seconds since 1970, durations seconds, `peak_memory` bytes; None before they are
    known.
    """

    version: int = VERSION
    id: str
    job: str = ""
    task: str = CLASSIFY
    title: str = ""
    role: str = "target"
    arm: str = ""
    name: str = ""
    strategy: str = ""
    seed: int = 1
    status: str = "failed"
    reason: str = ""
    started: float = 0.0
    ended: float | None = None
    encoder: str = ""
    vectors: str = ""
    source: str = ""
    from_source: bool | None = None
    size: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    rows: RowCounts = RowCounts()
    classes: tuple[str, ...] = ()
    report: dict[str, Any] | None = None
    seconds: float | None = None
    scoring_seconds: float | None = None
    trained_parameters: int | None = None
    peak_memory: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    imported: bool = False


def job_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a job's record, whatever version wrote it."""
    fields = dict(values)
    if _is_first(values):
        fields["kind"] = fields.pop("recipe", "")
    return {**fields, "version": VERSION}


def run_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a run's record, whatever version wrote it.

    The first one knew one arm for each strategy or, of readers, for each start by its number.
    """
    fields = dict(values)
    if _is_first(values):
        if fields.get("role") == "zero":
            fields["role"] = "zero_shot"
        if "per_class" in fields:
            fields["size"] = fields.pop("per_class")
        if "arm" not in fields:
            start = fields.get("start")
            fields["arm"] = f"start{start + 1}" if isinstance(start, int) else fields.get("strategy", "")
        if fields.get("task", CLASSIFY) == CLASSIFY and "from_source" not in fields:
            fields["from_source"] = bool(fields.get("source"))
    return {**fields, "version": VERSION}


def _is_first(values: Mapping[str, Any]) -> bool:
    return int(values.get("version", 1)) == 1
