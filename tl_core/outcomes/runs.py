"""Every job as one line of a list, and several runs of any jobs beside one another."""

from __future__ import annotations

import filecmp
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from tl_core.errors import StillInUse, TLError
from tl_core.jobs.kinds import kind_of_job, planned_trainings
from tl_core.outcomes.tasks import Measure, best_score, kind_of, measure_named
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.significance import compare_all, sentence


@dataclass(frozen=True, slots=True)
class JobLine:
    """A job in the list of jobs: `done` of `planned` trainings have ended well.

    `best` is the best score, 0 to 1, of what `measure` names; None and '' where nothing was tested.
    """

    id: str
    created: float
    title: str
    kind: str
    status: str
    reason: str
    done: int
    planned: int
    share: float
    best: float | None
    measure: str


def job_lines(store: Store) -> list[JobLine]:
    """All jobs, newest first."""
    runs: dict[str, list[Run]] = {}
    for run in store.runs():
        runs.setdefault(run.record.job, []).append(run)
    return [_job_line(job, runs.get(job.id, [])) for job in store.jobs()]


def _job_line(job: Job, runs: Sequence[Run]) -> JobLine:
    finished = [run for run in runs if run.status == "done"]
    best = best_score([run for run in finished if run.record.role == "target"]) or _evaluated(job)
    share = 1.0 if job.status == "done" else float(job.progress.get("share", 0.0))
    return JobLine(
        id=job.id,
        created=job.record.created,
        title=job.title,
        kind=kind_of_job(job).title,
        status=job.status,
        reason=job.reason,
        done=len(finished),
        planned=max(planned_trainings(job), len(runs)),
        share=share,
        best=best[1] if best else None,
        measure=best[0].name if best else "",
    )


def _evaluated(job: Job) -> tuple[Measure, float] | None:
    """The result of a finished job without trainings; None for any other job, or before its end."""
    if job.status != "done":
        return None
    try:
        result = kind_of_job(job).result(job)
    except (TLError, KeyError, TypeError):
        return None
    return (measure_named(result[0]), result[1]) if result else None


def done_so_far(job: Job) -> str:
    """Progress of a job, in what it counts: '2 of 6 trainings done', '120 of 500 questions'; '' for others.

    A single training has nothing to count.
    """
    progress, config = job.progress, job.record.config
    if planned_trainings(job) == 1:
        return ""
    if planned_trainings(job):
        return f"{progress.get('finished', 0)} of {progress.get('cells', 0)} trainings done"
    counted = kind_of_job(job).counts
    if counted:
        count = int(config.get(counted, 0))
        return f"{progress.get('share', 0.0) * count:,.0f} of {count:,} {counted}"
    return ""


def run_title(run: Run) -> str:
    """'LoRA, seed 2', 'LoRA, source task' for the training that a sequential transfer begins with.

    A reader is told by its start: 'From English reader (MiniLM), 64 questions, seed 1'.
    """
    return kind_of(run).name(run)


def titles_of(runs: Sequence[Run]) -> dict[str, str]:
    """A title for each run's id that no other one of them has: the data's name, then the id, where needed."""
    titles = {run.id: run_title(run) for run in runs}
    for wider in (_title_with_data, _title_with_id):
        if len(set(titles.values())) == len(titles):
            break
        titles = {run.id: wider(run) for run in runs}
    return titles


def _title_with_data(run: Run) -> str:
    return f"{run_title(run)} · {run.record.title}"


def _title_with_id(run: Run) -> str:
    return f"{run_title(run)} · {run.id}"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that differs between runs: its value in each, '' where a run does not have it."""

    name: str
    values: tuple[str, ...]


def circumstances_of(run: Run) -> dict[str, str]:
    """Circumstances of a run, by name: what it learned, how, from which start and on how much."""
    record, kind = run.record, kind_of(run)
    rows, size = asdict(record.rows), record.size
    named = {
        "data": record.title,
        "task": kind.title,
        "name": record.name,
        "strategy": kind.strategy_title(record.strategy),
        "role": record.role.replace("_", "-"),
        "seed": record.seed,
        "encoder": record.encoder,
        "source": record.source,
        "size": "" if size is None else size or "all",
        **{f"{name} {kind.unit}s": count for name, count in rows.items()},
    }
    return {name: _text(value) for name, value in named.items()}


def knobs_of_run(run: Run) -> dict[str, str]:
    """The settings of a run's strategy, by name."""
    return {name: _text(value) for name, value in run.record.config.items()}


def facts_of(run: Run) -> dict[str, str]:
    """Facts of a run, by name, with units: what it took and what was found on the way."""
    record = run.record
    facts = {"run": run.id, "status": run.status}
    if record.started:
        facts["started"] = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.started))
    if record.seconds is not None:
        facts["training seconds"] = f"{record.seconds:.2f}"
    if record.scoring_seconds is not None:
        facts["scoring seconds"] = f"{record.scoring_seconds:.2f}"
    if record.trained_parameters is not None:
        facts["trained parameters"] = f"{record.trained_parameters:,}"
    if record.peak_memory is not None:
        facts["peak memory"] = f"{record.peak_memory / 1e6:,.0f} MB"
    return facts | {name: _text(value) for name, value in record.facts.items()}


def differing_settings(runs: Sequence[Run]) -> list[Difference]:
    """The circumstances and settings in which the runs differ.

    A setting that only some strategies have is compared among the runs that have it.
    """
    everywhere = [circumstances_of(run) for run in runs]
    settings = [knobs_of_run(run) for run in runs]
    names = [
        name
        for name in _names(everywhere)
        if len({circumstances.get(name, "") for circumstances in everywhere}) > 1
    ]
    rows = [
        Difference(name, tuple(circumstances.get(name, "") for circumstances in everywhere)) for name in names
    ]
    for name in _names(settings):
        if len({setting[name] for setting in settings if name in setting}) > 1:
            rows.append(Difference(name, tuple(setting.get(name, "") for setting in settings)))
    return rows


def _names(of_each: Sequence[Mapping[str, str]]) -> list[str]:
    """Every name once, in the order of the first that has it."""
    return list(dict.fromkeys(name for mapping in of_each for name in mapping))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def compare_in_words(store: Store, runs: Sequence[Run]) -> list[str]:
    """Sentences on whether the runs' differences are larger than chance, or why that cannot be said."""
    titles = titles_of(runs)
    kinds = list(dict.fromkeys(kind_of(run) for run in runs))
    if len(kinds) > 1:
        tasks = " and ".join(kind.title for kind in kinds)
        return [f"They learned different tasks, {tasks}: their scores cannot be compared one with another."]
    [kind] = kinds
    judging = kind.judging
    if judging is None:
        return [f"Runs of {kind.title} are not tested on rows, so there is nothing to compare by chance."]
    try:
        jobs = [store.job(run.record.job) for run in runs]
        tests = [job.folder / "data" / judging.test for job in jobs]
        same = all(filecmp.cmp(tests[0], other, shallow=False) for other in tests[1:])
        if not same or any(run.record.role == "source" for run in runs):
            return [
                f"They were scored on different test {kind.unit}s: their scores cannot be compared one with "
                "another."
            ]
        correct = {run.id: judging.right_answers(job, run)[None] for job, run in zip(jobs, runs)}
    except StillInUse:
        raise
    except (TLError, OSError):
        return [
            f"The test {kind.unit}s of some are not here, so it cannot be said whether they differ by chance."
        ]
    tested = correct[runs[0].id].shape[1]
    return sentence(
        compare_all(correct, judging.clusters(jobs[0])), titles, tested, 1, judging.wording
    ).split("\n")
