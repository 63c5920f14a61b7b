"""Other Python processes of this project: workers that outlive whoever starts them, and short ones to wait for."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tl_core.settings import Settings

PROJECT = Path(__file__).resolve().parents[1]
NO_WINDOW, NEW_GROUP = 0x08000000, 0x00000200  # CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP of Windows


def start_apart(arguments: Sequence[str], settings: Settings, log: Path) -> None:
    """Start `python ARGUMENTS`, what it prints appended to `log`; it lives on when this process or its console ends."""
    with log.open("ab") as file:
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
        **os.environ,
        "TL_HOME": str(settings.home),
        "OMP_NUM_THREADS": str(settings.threads),
        "TOKENIZERS_PARALLELISM": "true",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",  # of 1,024 kernels, one a batch shape, hundreds of MB stay
        "PYTORCH_ENABLE_MPS_FALLBACK": "1",  # what an Apple GPU cannot compute, its CPU does
        "PYTHONPATH": path,
        "PYTHONUTF8": "1",
        "PYTHONIOENCODING": "utf-8",
    }


def _certificates() -> dict[str, str]:
    """Where Python finds no certificates of its own, as python.org's for macOS at first, those of certifi."""
    known = ssl.get_default_verify_paths()
    if known.cafile or known.capath:
        return {}
    import certifi

    return {"SSL_CERT_FILE": certifi.where()}
