"""A task's row on its runs: how they are judged, told on a card, put into a zip."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.runs.records import RowCounts, RunRecord
from tl_core.runs.store import Job, Run
from tl_core.tasks.intervals import Interval
from tl_core.tasks.significance import Wording

Fields = Mapping[str, Any]
# Fields of a record that the zip of every run keeps.
KEPT = (
    "title",
    "name",
    "strategy",
    "seed",
    "role",
    "encoder",
    "vectors",
    "source",
    "config",
    "rows",
    "seconds",
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A score between 0 and 1; `key` names a column, `name` stands in a sentence."""

    key: str
    name: str

    @property
    def title(self) -> str:
        """The name as a heading."""
        return self.name[0].upper() + self.name[1:]


@dataclass(frozen=True, slots=True)
class Score:
    """A measured value, and its 95 % interval where one can be told."""

    value: float
    interval: Interval | None = None


Scores = Mapping[Measure, Score]


@dataclass(frozen=True, slots=True)
class Judging:
    """Judging of a task's runs on test rows or questions.

    `right` is the share of the test that a run gets right: it has an interval, and runs are compared by
    it, in this `wording`. The best run is the one with the highest `best`. `test` is the file of the test
    in the job's data, and `right_answers` says which of its N rows or questions a run got right, (N,). `majority`
    gives the most frequent class and where always answering it is right, (N,); None for a task without classes.
    `clusters` gives the articles, customers or the like that the rows or questions stand in, (N,); None where they stand
    alone.
    """

    measures: tuple[Measure, ...]
    right: Measure
    best: Measure
    wording: Wording
    scores: Callable[[Mapping[str, Any]], Scores]
    test: str
    right_answers: Callable[[Job, Run], NDArray[np.bool_]]
    majority: Callable[[Job], tuple[str, NDArray[np.bool_]]] | None = None
    clusters: Callable[[Job], NDArray[np.int64] | None] = lambda job: None


@dataclass(frozen=True, slots=True)
class Portable:
    """One task's part of a zip.

    `script` names the file that becomes predict.py, by the record; `packages` what that needs, by the names of pip.
    `files` are its own beside those of every zip, `kept` the fields of the record. `fields` gives the checked fields
    of a foreign record, or raises ValueError, KeyError, TypeError or a TLError; `check_head` raises ModelError.
    """

    script: Callable[[RunRecord], str]
    files: re.Pattern[str]
    packages: Callable[[RunRecord, Path], tuple[str, ...]]
    kept: tuple[str, ...]
    fields: Callable[[Path, Fields], dict[str, Any]]
    has_encoder: Callable[[RunRecord], bool]
    check_head: Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class CardText:
    """Text of a card that is the task's own: the hub's tag, heading, first lines, rows of the table, command, limits."""

    tag: str
    heading: str
    about: str
    rows: Mapping[str, str]
    command: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind:
    """One task: everything about its runs that others ask by task.

    `task` stands in their records, `title` on screen; `unit` is one thing that is learned from. `name` tells a run
    from others of its job, `arm_title` is what its arm of the experiment is called, `takes_over` says whether it began
    with what a source learned, `told_by_start` whether runs are told apart by their start rather than their strategy.
    `strategy_title` and `strategy_place` give what a strategy is called on screen, and its place in a list.
    `scores_text` says a tested run's scores in a line, where they are not said as those of any task.
    `summary` is what a command prints of a run beside what every run has, by name. Runs that are not tested, such as
    learned word vectors, have no `judging`; those that are no models for others no `card` and no zip, and say what there
    is `instead_of_a_zip` for the run of an id ({run}).
    """

    task: str
    title: str
    unit: str
    name: Callable[[Run], str]
    arm_title: Callable[[Run], str] = lambda run: run.record.arm
    takes_over: Callable[[Job, Run], bool] = lambda job, run: bool(run.record.from_source)
    told_by_start: bool = False
    strategy_title: Callable[[str], str] = lambda name: name
    strategy_place: Callable[[str], int] = lambda name: 0
    scores_text: Callable[[Run], str] | None = None
    summary: Callable[[Run], dict[str, Any]] = lambda run: {}
    judging: Judging | None = None
    card: Callable[[Run], CardText] | None = None
    portable: Portable | None = None
    instead_of_a_zip: str = "Runs of its task cannot be exported."


def learned_from(run: Run) -> int:
    """Number of rows or questions that a run learned from, those that chose the epoch included."""
    return run.record.rows.train + run.record.rows.validation


def rows_text(rows: RowCounts) -> str:
    return f"{rows.train} trained, {rows.validation} for choosing the epoch, {rows.test} tested"


def score_rows(scores: Scores) -> dict[str, str]:
    """'0.812, 95 % interval 0.790 to 0.833' by the name of each measure."""
    rows = {}
    for measure, score in scores.items():
        rows[measure.name] = f"{score.value:.3f}"
        if score.interval is not None:
            rows[measure.name] += f", 95 % interval {score.interval.low:.3f} to {score.interval.high:.3f}"
    return rows


def code(text: str) -> str:
    """A text of the user's in code marks, so that it formats nothing."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "/").split()) + "`"
