"""What this machine computes on: measured with torch in a short process of its own, and kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from importlib.metadata import version
from typing import Any

from tl_core.errors import ModelError
from tl_core.records import read_record, write_record
from tl_core.runs.processes import run_beside
from tl_core.settings import Settings, usable_cores

KEPT_SECONDS = 24 * 3600.0
LONGEST_SECONDS = 120


def measure_devices() -> dict[str, Any]:
    """The devices torch can use: {torch, devices: [{kind, name, memory (bytes), bfloat16, cores}]}. Loads torch."""
    import torch

    from tl_core.training.precision import has_bfloat16

    devices: list[dict[str, Any]] = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        facts = torch.cuda.get_device_properties(index)
        devices.append(
            {
                "kind": "cuda",
                "name": facts.name,
                "memory": facts.total_memory,
                "bfloat16": has_bfloat16("cuda"),
            }
        )
    if torch.backends.mps.is_available():
        devices.append({"kind": "mps", "name": "Apple GPU", "memory": memory_bytes(), "bfloat16": False})
    devices.append(
        {
            "kind": "cpu",
            "name": f"CPU, {usable_cores()} cores",
            "memory": memory_bytes(),
            "bfloat16": has_bfloat16("cpu"),
        }
    )
    return {"torch": torch.__version__, "devices": devices}


def memory_bytes() -> int:
    """The memory of this machine or of its container, in bytes, whichever is smaller."""
    import psutil

    total = int(psutil.virtual_memory().total)
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as file:
            return min(total, int(file.read()))
    except (OSError, ValueError):  # no cgroup, or 'max'
        return total


def device_facts(settings: Settings) -> dict[str, Any]:
    """The same without loading torch here: asked of a short process, and kept for a day."""
    path = settings.cache / "devices.json"
    kept = read_record(path)
    key = f"{sys.executable} {version('torch')}"
    if kept and kept.get("key") == key and time.time() - float(kept.get("measured", 0)) < KEPT_SECONDS:
        return dict(kept["facts"])
    try:
        ended = run_beside(["-m", "tl_core", "devices", "--json"], settings, LONGEST_SECONDS)
        ended.check_returncode()
        facts = json.loads(ended.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise ModelError(
            f"torch does not start here ({type(error).__name__}). Run `python -m tl_core devices`."
        ) from error
    write_record(path, {"key": key, "measured": time.time(), "facts": facts})
    return dict(facts)
