"""Its row among the kinds of job, and its row among the tasks."""

from __future__ import annotations

import json

import numpy as np

from tests.toy_task.job import TASK, config_of, run_lengths
from tl_core.jobs.experiment import trials_by_size
from tl_core.jobs.kinds import JobKind
from tl_core.outcomes.tasks.kind import Judging, Measure, Score, TaskKind
from tl_core.tasks.significance import Wording

WITHIN = Measure("within", "share right")
JOB_KIND = JobKind(
    name="lengths",
    title="lengths of texts",
    run=run_lengths,
    page="lengths",
    trainings=lambda config: len(trials_by_size(config_of(dict(config)))),
)
TASK_KIND = TaskKind(
    task=TASK,
    title="lengths",
    unit="text",
    name=lambda run: f"{run.record.name or 'Threshold'}, seed {run.record.seed}",
    arm_title=lambda run: run.record.name or "Threshold",
    judging=Judging(
        measures=(WITHIN,),
        right=WITHIN,
        best=WITHIN,
        wording=Wording("text"),
        scores=lambda report: {WITHIN: Score(report["right"])},
        test="test.json",
        right_answers=lambda job, run: np.array(
            json.loads((run.folder / "right.json").read_text(encoding="utf-8")), dtype=bool
        ),
    ),
)
