"""A lock tells who is alive: one holder at a time, and it falls with the process."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tl_core.runs.locks import is_held, try_lock

PROJECT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from tl_core.runs.locks import try_lock
lock = try_lock(Path(sys.argv[1]))
print("refused" if lock is None else "held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that takes the lock, if it can, until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        try:
            yield process
        finally:
            kill(process)


def said(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode("utf-8").strip()


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and those under it: a virtual environment on Windows starts the interpreter as one of these."""
    if process.poll() is None:
        with contextlib.suppress(psutil.Error):
            for each in psutil.Process(process.pid).children(recursive=True):
                each.kill()
        process.kill()
        process.wait()


def wait_until_free(path: Path) -> None:
    end = time.perf_counter() + 20
    while is_held(path):
        assert time.perf_counter() < end, "the lock did not fall"
        time.sleep(0.01)


def test_a_lock_is_held_from_its_taking_to_its_release(tmp_path: Path):
    path = tmp_path / "lock"
    lock = try_lock(path)
    assert lock is not None
    assert is_held(path)
    lock.release()
    assert not is_held(path)


def test_a_lock_that_is_held_is_not_given_again_at_once(tmp_path: Path):
    path = tmp_path / "lock"
    first = try_lock(path)
    assert first is not None
    began = time.perf_counter()
    assert try_lock(path) is None
    assert time.perf_counter() - began < 5
    first.release()
    second = try_lock(path)
    assert second is not None
    second.release()


def test_locks_of_other_files_are_other_locks(tmp_path: Path):
    first, second = try_lock(tmp_path / "first"), try_lock(tmp_path / "second")
    assert first is not None
    assert second is not None
    first.release()
    assert not is_held(tmp_path / "first")
    assert is_held(tmp_path / "second")
    second.release()


def test_an_absent_file_is_not_held_and_looking_makes_none(tmp_path: Path):
    assert not is_held(tmp_path / "job" / "lock")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_nobody_holds_is_not_held_and_looking_leaves_it_free(tmp_path: Path):
    (tmp_path / "lock").touch()
    assert not is_held(tmp_path / "lock")
    lock = try_lock(tmp_path / "lock")
    assert lock is not None
    lock.release()


def test_a_lock_held_by_another_process_is_refused_and_falls_when_that_is_killed(tmp_path: Path):
    path = tmp_path / "lock"
    with holder(path) as process:
        assert said(process) == "held"
        assert is_held(path)
        assert try_lock(path) is None
        kill(process)
        wait_until_free(path)
    lock = try_lock(path)
    assert lock is not None
    with holder(path) as process:
        assert said(process) == "refused"
    lock.release()
