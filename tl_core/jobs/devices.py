"""Devices that this machine computes on: measured with torch in a short process of its own, and kept."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from importlib.metadata import version
from typing import Any

from tl_core.errors import ModelError
from tl_core.processes import run_beside
from tl_core.pythons import this_python
from tl_core.records import read_record, write_record
from tl_core.settings import Settings, usable_cores

FORM = 2  # of what is kept; raise it when `measure_devices` tells more
KEPT_SECONDS = 24 * 3600.0
LONGEST_SECONDS = 120
# CUDA 13.0 is what torch 2.13 is built for by default; pytorch.org/get-started names builds for older drivers.
CUDA_BUILD = "--force-reinstall --no-deps torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130"


def measure_devices(settings: Settings) -> dict[str, Any]:
    """The devices torch can use, which of them is chosen for which work and why, and what would help. Loads torch.

    {torch, devices: [{kind, name, memory (bytes), bfloat16}], chosen: {work: {kind, title, why}}, advice: [line]}.
    """
    import torch

    from tl_core.training.choose_device import TITLES, WORKS, choose_device
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
    chosen = {}
    for work in WORKS:
        device = choose_device(settings, work)
        chosen[work] = {"kind": device.kind, "title": TITLES[device.kind], "why": device.why}
    return {
        "torch": torch.__version__,
        "devices": devices,
        "chosen": chosen,
        "advice": _advice(torch.cuda.is_available()),
    }


def _advice(has_cuda: bool) -> list[str]:
    """Advice that would make trainings faster here; none where nothing is amiss."""
    import torch

    if has_cuda or shutil.which("nvidia-smi") is None:
        return []
    if torch.version.cuda is not None:
        return [
            f"This machine has an NVIDIA GPU, but torch {torch.__version__} cannot use it: its driver may be older than "
            f"CUDA {torch.version.cuda}. Update the driver."
        ]
    return [
        f"This machine has an NVIDIA GPU, but torch {torch.__version__} is a build for the CPU, which is what pip takes "
        f"on Windows. For the GPU: {this_python()} -m pip install {CUDA_BUILD}"
    ]


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
    key = f"{FORM} {sys.executable} {version('torch')} {settings.device} {settings.threads}"
    if kept and kept.get("key") == key and time.time() - float(kept.get("measured", 0)) < KEPT_SECONDS:
        return dict(kept["facts"])
    try:
        ended = run_beside(["-m", "tl_core", "devices", "--json"], settings, LONGEST_SECONDS)
        ended.check_returncode()
        facts = json.loads(ended.stdout)
    except (subprocess.SubprocessError, ValueError) as error:
        raise ModelError(
            "torch does not start here ({name}). Run `{python} -m tl_core devices`.",
            name=type(error).__name__,
            python=this_python(),
        ) from error
    write_record(path, {"key": key, "measured": time.time(), "facts": facts})
    return dict(facts)
