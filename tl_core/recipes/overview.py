"""Every job as one line of a list, and several runs of any jobs beside one another."""

from __future__ import annotations

import filecmp
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tl_core.errors import TLError
from tl_core.recipes.plan import cells, config_from_json
from tl_core.recipes.results import TITLES, read_answers
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.significance import compare_all, sentence


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in the list of jobs: `done` of `planned` trainings have ended well; `best` is 0 to 1."""

    id: str
    created: float
    title: str
    recipe: str
    status: str
    reason: str
    done: int
    planned: int
    share: float
    best: float | None


def job_lines(store: Store) -> list[JobLine]:
    """All jobs, newest first."""
    runs: dict[str, list[Run]] = {}
    for run in store.runs():
        runs.setdefault(str(run.record.get("job", "")), []).append(run)
    return [_job_line(job, runs.get(job.id, [])) for job in store.jobs()]


def _job_line(job: Job, runs: Sequence[Run]) -> JobLine:
    finished = [run for run in runs if run.status == "done"]
    scores = [run.report["accuracy"] for run in finished if run.report and run.record.get("role") == "target"]
    share = 1.0 if job.status == "done" else float(job.progress.get("share", 0.0))
    return JobLine(
        id=job.id,
        created=float(job.record.get("created", 0.0)),
        title=job.title,
        recipe=str(job.record.get("recipe", "")),
        status=job.status,
        reason=job.reason,
        done=len(finished),
        planned=max(_planned(job), len(runs)),
        share=share,
        best=max(scores, default=None),
    )


def _planned(job: Job) -> int:
    """How many trainings the job's config asks for; 0 for another recipe or a config of another version."""
    config = job.record.get("config", {})
    try:
        return len(cells(config_from_json(config["comparison"]), with_source=bool(config["has_source"])))
    except (KeyError, TypeError, TLError):
        return 0


def run_title(run: Run) -> str:
    """'LoRA, seed 2', or 'LoRA, source task' for the training that a sequential transfer begins with."""
    name = str(run.record.get("strategy", ""))
    part = "source task" if run.record.get("role") == "source" else f"seed {run.record.get('seed', '?')}"
    return f"{TITLES.get(name, name)}, {part}"


def titles_of(runs: Sequence[Run]) -> dict[str, str]:
    """A title for each run's id that no other one of them has: the data's name, then the id, where needed."""
    titles = {run.id: run_title(run) for run in runs}
    for wider in (_title_with_data, _title_with_id):
        if len(set(titles.values())) == len(titles):
            break
        titles = {run.id: wider(run) for run in runs}
    return titles


def _title_with_data(run: Run) -> str:
    return f"{run_title(run)} · {run.record.get('title', '')}"


def _title_with_id(run: Run) -> str:
    return f"{run_title(run)} · {run.id}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between runs: its value in each, '' where a run does not have it."""

    name: str
    values: tuple[str, ...]


def circumstances_of(run: Run) -> dict[str, str]:
    """What a run learned, how, from which start and on how many rows, by name; all runs have these."""
    record = run.record
    rows: Mapping[str, Any] = record.get("rows", {})
    named = {
        "data": record.get("title", ""),
        "strategy": TITLES.get(str(record.get("strategy")), record.get("strategy", "")),
        "role": record.get("role", ""),
        "seed": record.get("seed", ""),
        "encoder": record.get("encoder", ""),
        "source": record.get("source", ""),
        **{f"{name} rows": rows.get(name, "") for name in ("train", "validation", "test")},
    }
    return {name: _text(value) for name, value in named.items()}


def knobs_of_run(run: Run) -> dict[str, str]:
    """The settings of a run's strategy, by name."""
    return {name: _text(value) for name, value in run.record.get("config", {}).items()}


def facts_of(run: Run) -> dict[str, str]:
    """What a run took and what was found on the way, by name, with units."""
    record = run.record
    facts = {"run": run.id, "status": run.status}
    if "started" in record:
        facts["started"] = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(float(record["started"])))
    if "seconds" in record:
        facts["training seconds"] = f"{record['seconds']:.2f}"
    if "scoring_seconds" in record:
        facts["scoring seconds"] = f"{record['scoring_seconds']:.2f}"
    if "trained_parameters" in record:
        facts["trained parameters"] = f"{record['trained_parameters']:,}"
    if "peak_memory" in record:
        facts["peak memory"] = f"{record['peak_memory'] / 1e6:,.0f} MB"
    return facts | {name: _text(value) for name, value in record.get("facts", {}).items()}


def differing_settings(runs: Sequence[Run]) -> list[Difference]:
    """The circumstances and settings in which the runs differ.

    A setting that only some strategies have is compared among the runs that have it.
    """
    everywhere = [circumstances_of(run) for run in runs]
    settings = [knobs_of_run(run) for run in runs]
    rows = [Difference(name, tuple(each[name] for each in everywhere)) for name in everywhere[0]]
    for name in dict.fromkeys(name for each in settings for name in each):
        if len({each[name] for each in settings if name in each}) > 1:
            rows.append(Difference(name, tuple(each.get(name, "") for each in settings)))
    return [row for row in rows if len(set(row.values)) > 1]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def compare_in_words(store: Store, runs: Sequence[Run]) -> list[str]:
    """Whether the runs' differences are larger than chance, or why that cannot be said."""
    titles = titles_of(runs)
    try:
        jobs = [store.job(str(run.record.get("job", ""))) for run in runs]
        tests = [job.folder / "data" / "test.jsonl" for job in jobs]
        same = all(filecmp.cmp(tests[0], other, shallow=False) for other in tests[1:])
        if not same or any(run.record.get("role") == "source" for run in runs):
            return [
                "They were scored on different test rows: their scores cannot be compared one with another."
            ]
        correct = {run.id: read_answers(job, run).correct[None] for job, run in zip(jobs, runs)}
    except (TLError, OSError):
        return ["The test rows of some are not here, so it cannot be said whether they differ by chance."]
    return sentence(compare_all(correct), titles, correct[runs[0].id].shape[1], 1).split("\n")
