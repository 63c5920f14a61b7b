"""Other Python processes of this project: workers that outlive whoever starts them, short ones, and sharing the cores.

Threads of OpenMP that wait for work spin, and those of two processes on the same cores spin against one another:
pages became 24 times slower while a training ran. So every process of ours lets its threads sleep while they wait,
and a worker gives way to the pages.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tl_core.settings import Settings
from tl_core.whole_files import patiently

PROJECT = Path(__file__).resolve().parents[1]
NO_WINDOW, NEW_GROUP = 0x08000000, 0x00000200  # CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP of Windows


BEFORE_TORCH = {  # what torch and its OpenMP read when they are loaded
    "OMP_WAIT_POLICY": "PASSIVE",  # threads that wait sleep
    "GOMP_SPINCOUNT": "3000",  # GNU's: after some microseconds, or a quiet training would take 1.4 times as long
    "KMP_BLOCKTIME": "0",  # LLVM's and Intel's: at once
    "PYTORCH_ENABLE_MPS_FALLBACK": "1",  # what an Apple GPU cannot compute, its CPU does
}


def prepare_torch() -> None:
    """Set what torch reads when it is loaded, unless the environment says otherwise; to be called before that."""
    for name, value in BEFORE_TORCH.items():
        os.environ.setdefault(name, value)


def give_way(settings: Settings) -> None:
    """Let the system prefer other processes, such as the one that shows pages, to this one."""
    import psutil

    if not settings.niceness:
        return
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process()
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        elif process.nice() < settings.niceness:
            process.nice(min(19, settings.niceness))


def start_apart(arguments: Sequence[str], settings: Settings, log: Path) -> None:
    """Start `python ARGUMENTS`, what it prints appended to `log`; it lives on when this process or its console ends."""
    with patiently(lambda: log.open("ab"), log) as file:
        subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env=environment(settings),
            cwd=PROJECT,
            **apart(sys.platform),
        )


def run_beside(
    arguments: Sequence[str], settings: Settings, seconds: float
) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` to its end, what it prints read as UTF-8; subprocess.TimeoutExpired after `seconds`."""
    return subprocess.run(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=seconds,
        env=environment(settings),
        cwd=PROJECT,
        **hidden(sys.platform),
    )


def apart(platform: str) -> dict[str, Any]:
    """Options of Popen by which Ctrl+C in a console, or closing it, does not reach the new process."""
    if platform == "win32":
        return {"creationflags": NO_WINDOW | NEW_GROUP}
    return {"start_new_session": True}


def hidden(platform: str) -> dict[str, Any]:
    """Options of Popen by which the new process opens no console window."""
    return {"creationflags": NO_WINDOW} if platform == "win32" else {}


def environment(settings: Settings) -> dict[str, str]:
    """The environment of a process that runs `python -m tl_core` beside this one; its output is UTF-8."""
    path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")]))
    return {
        **_certificates(),
        **BEFORE_TORCH,
        **os.environ,
        "TL_HOME": str(settings.home),
        "OMP_NUM_THREADS": str(settings.threads),
        "TOKENIZERS_PARALLELISM": "true",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",  # of 1,024 kernels, one a batch shape, hundreds of MB stay
        "PYTHONPATH": path,
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _certificates() -> dict[str, str]:
    """The certificates of certifi, where Python finds none of its own, as that of python.org for macOS at first."""
    known = ssl.get_default_verify_paths()
    if known.cafile or (known.capath and any(Path(known.capath).iterdir())):
        return {}
    import certifi

    return {"SSL_CERT_FILE": certifi.where()}
