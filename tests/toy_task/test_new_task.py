"""What one must write to add a task: its folder, its two rows, its page. Everything else takes it as it is."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from tests.toy_task.job import LengthsExperiment, submit_lengths
from tests.toy_task.rows import JOB_KIND, TASK_KIND
from tl_core.__main__ import main
from tl_core.errors import RunError
from tl_core.exchange.zips import export_run
from tl_core.jobs import kinds, trainings
from tl_core.jobs.experiment import Arm
from tl_core.outcomes import tasks
from tl_core.outcomes.experiment import read_grid, summarise
from tl_core.outcomes.runs import compare_in_words, done_so_far, job_lines, run_title
from tl_core.runs.store import Job, Store
from tl_core.runs.worker import work
from tl_core.settings import Settings

PROJECT = Path(__file__).resolve().parents[2]
TEXTS = tuple("x" * (3 + 5 * at % 17) for at in range(60))
CONFIG = LengthsExperiment(
    arms=(Arm("threshold"), Arm("threshold", {"shift": 6.0}, name="Too high")), sizes=(0, 10), seeds=2
)


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two rows, put into their tables."""
    monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, JOB_KIND))
    monkeypatch.setitem(kinds.NAMED, JOB_KIND.name, JOB_KIND)
    monkeypatch.setattr(tasks, "KINDS", (*tasks.KINDS, TASK_KIND))


@pytest.fixture
def store(settings: Settings) -> Store:
    return Store(settings)


@pytest.fixture
def job(store: Store) -> Job:
    with patch.object(trainings, "start_worker", lambda *_, **__: None):
        submitted = submit_lengths(store, CONFIG, TEXTS)
    work(store, submitted.id, kinds.run_job)
    return store.job(submitted.id)


def test_its_experiment_is_worked_resumed_and_listed(store: Store, job: Job):
    assert job.status == "done", job.reason
    assert [run.id.removeprefix(f"{job.id}-") for run in store.runs_of(job.id)] == [
        "threshold-10-1",
        "too-high-10-1",
        "threshold-10-2",
        "too-high-10-2",
        "threshold-all-1",
        "too-high-all-1",
        "threshold-all-2",
        "too-high-all-2",
    ]
    [line] = job_lines(store)
    assert (line.kind, line.done, line.planned, line.measure) == ("lengths of texts", 8, 8, "share right")
    assert done_so_far(job) == "8 of 8 trainings done"
    before = {run.id: run.record.ended for run in store.runs_of(job.id)}
    kinds.run_job(store, job)
    assert {run.id: run.record.ended for run in store.runs_of(job.id)} == before


def test_its_arms_are_compared_with_intervals_over_sizes(store: Store, job: Job):
    runs = store.runs_of(job.id)
    grid = read_grid(job, runs)
    assert [(point.title, point.size) for point in grid.points] == [
        ("Threshold", 10),
        ("Threshold", 0),
        ("Too high", 10),
        ("Too high", 0),
    ]
    assert (grid.unit, grid.majority_accuracy) == ("text", None)
    assert all(point.interval for point in grid.points)
    whole = [run for run in runs if run.record.size == 0]
    assert "Threshold is better than Too high" in "\n".join(summarise(job, whole).lines)
    assert "test texts" in "\n".join(compare_in_words(store, whole[:2]))
    assert run_title(whole[1]) == "Too high, seed 1"


def test_commands_and_the_runs_page_take_its_runs(
    store: Store, job: Job, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    run = store.runs_of(job.id)[0]
    assert main(["runs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][-1]["arm"] == "Threshold"
    assert main(["runs", "show", run.id, "--json"]) == 0
    capsys.readouterr()
    with pytest.raises(RunError, match="cannot be exported"):
        export_run(store, run.id, tmp_path / "run.zip")
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60).run()
    app.switch_page("pages/runs.py").run()
    assert not app.exception, app.exception
    assert "lengths of texts" in str(app.dataframe[0].value)


# who asks which task a run has

KNOWS_TASKS = {  # beside the folders that are a task's own
    "tl_core/catalog/sources.py",  # what a classifier or another task's encoder gives on
    "tl_core/catalog/subjects.py",  # what can be looked into
    "tl_core/catalog/vector_sets.py",  # learned vectors, by name
    "tl_core/exchange/zips.py",  # zips of the first version did not say their task
    "tl_core/runs/records.py",  # nor did its records
    "tl_core/outcomes/tasks/__init__.py",  # the table
    "pages/views/reading/reader.py",  # a task's page lists its own runs
}
OWN = ("tl_core/tasks/", "tl_core/jobs/classify/", "tl_core/jobs/read/", "tl_core/jobs/vectors/")
ROWS = (
    "tl_core/outcomes/tasks/classify.py",
    "tl_core/outcomes/tasks/read.py",
    "tl_core/outcomes/tasks/vectors.py",
)
NAMES = {"CLASSIFY", "TASK", "READERS", "CLASSIFIERS"}


def test_nobody_else_asks_which_task_a_run_has():
    knowing = set()
    for folder in ("tl_core", "pages"):
        for path in (PROJECT / folder).rglob("*.py"):
            file = path.relative_to(PROJECT).as_posix()
            if file.startswith(OWN) or file in ROWS:
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            if any(isinstance(node, ast.Name) and node.id in NAMES for node in ast.walk(tree)):
                knowing.add(file)
    assert knowing <= KNOWS_TASKS
