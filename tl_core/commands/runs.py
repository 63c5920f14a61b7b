"""`runs list|show|resume|delete|export|import`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tl_core.commands.get import have_encoders
from tl_core.commands.output import add_json, show
from tl_core.commands.train import run_resume, run_summary
from tl_core.convert import to_json
from tl_core.errors import RunError
from tl_core.outcomes.tasks import scores_text
from tl_core.runs.records import JobRecord, RunRecord
from tl_core.runs.store import Job, Store
from tl_core.settings import read_settings


def add_commands(commands: Any) -> None:
    group = commands.add_parser("runs", help="list, show, resume, delete, export or import runs")
    verbs = group.add_subparsers(dest="verb", required=True, parser_class=type(group))
    for name, run, about in (
        ("list", run_list, "every job and its runs"),
        ("show", run_show, "one run or job, whole"),
        ("resume", run_resume, "go on with a job that was stopped, interrupted or failed"),
        ("delete", run_delete, "delete a run, or a job with its runs"),
        ("export", run_export, "write a run as a zip that works without this project"),
        ("import", run_import, "take in such a zip"),
    ):
        verb = verbs.add_parser(name, help=about)
        if name in ("show", "resume", "delete", "export"):
            verb.add_argument("run_id", metavar="RUN", help="the id of a run or of a job")
        if name == "export":
            verb.add_argument("out", type=Path, metavar="OUT.zip")
            verb.add_argument(
                "--with-base", action="store_true", help="carry a packaged base encoder in the zip (f16)"
            )
        if name == "import":
            verb.add_argument("zip", type=Path)
        add_json(verb)
        verb.set_defaults(run=run)


def run_list(options: argparse.Namespace) -> int:
    store = Store(read_settings())
    jobs = [
        {"id": job.id, "title": job.title, "status": job.status, "reason": job.reason} for job in store.jobs()
    ]
    runs = store.runs()
    summaries = [{**run_summary(run), "job": run.record.job} for run in runs]
    lines = [f"{job['id']}  {job['status']:<12} {job['title']}  {job['reason']}".rstrip() for job in jobs]
    lines += [f"{run.id}  {run.status:<12} {scores_text(run)}".rstrip() for run in runs]
    unreadable = [
        {"id": entry.id, "what": entry.what, "reason": entry.reason} for entry in store.unreadable()
    ]
    lines += [f"{entry['id']}  {'unreadable':<12} {entry['reason']}" for entry in unreadable]
    answer = {"jobs": jobs, "runs": summaries, "unreadable": unreadable}
    show(options, answer, lines or ["There are no runs yet."])
    return 0


def run_show(options: argparse.Namespace) -> int:
    store = Store(read_settings())
    job = _job(store, options.run_id)
    if job:
        record = {
            **_known(job.record),
            "status": job.status,
            "runs": [run.id for run in store.runs_of(job.id)],
        }
    else:
        run = store.run(options.run_id)
        record = {**_known(run.record), "status": run.status}
    show(options, record, (f"{name}: {value}" for name, value in record.items()))
    return 0


def run_delete(options: argparse.Namespace) -> int:
    store = Store(read_settings())
    if options.run_id in {entry.id for entry in store.unreadable()}:
        store.delete_unreadable(options.run_id)
    elif _job(store, options.run_id):
        store.delete_job(options.run_id)
    else:
        store.delete_run(options.run_id)
    show(options, {"deleted": options.run_id}, [f"{options.run_id} is deleted."])
    return 0


def run_export(options: argparse.Namespace) -> int:
    from tl_core.exchange.zips import export_run

    store = Store(read_settings())
    have_encoders(store, options.run_id)
    size = export_run(store, options.run_id, options.out, with_base=options.with_base)
    show(options, {"out": str(options.out), "bytes": size}, [f"{options.out} written, {size / 1e6:.1f} MB"])
    return 0


def run_import(options: argparse.Namespace) -> int:
    from tl_core.exchange.zips import import_run

    run = import_run(Store(read_settings()), options.zip)
    show(options, {"run": run.id}, [f"Imported as {run.id}."])
    return 0


def _known(record: JobRecord | RunRecord) -> dict[str, Any]:
    """The fields of a record that are known."""
    return {name: value for name, value in to_json(record).items() if value is not None}


def _job(store: Store, identifier: str) -> Job | None:
    try:
        return store.job(identifier)
    except RunError:
        return None
