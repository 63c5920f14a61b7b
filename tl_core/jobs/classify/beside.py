"""A measurement in a short process of its own, which reads its order in a folder and leaves a record there."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from tl_core.errors import ModelError
from tl_core.processes import run_beside
from tl_core.records import read_record
from tl_core.settings import Settings


def measured_beside(
    command: str, folder: Path, answer: str, settings: Settings, seconds: int, *, slow: str, failed: str
) -> dict[str, Any]:
    """The record `answer` that `python -m tl_core COMMAND FOLDER` leaves in the folder.

    ModelError: `slow`, a template with {seconds}, after so many seconds; `failed`, one with {last}, where there is no
    record: the last line that the process said.
    """
    try:
        ended = run_beside(["-m", "tl_core", command, str(folder)], settings, seconds)
    except subprocess.TimeoutExpired as error:
        raise ModelError(slow, seconds=seconds) from error
    record = read_record(folder / answer)
    if record is None:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(failed, last=last.removeprefix("error: "))
    return record
