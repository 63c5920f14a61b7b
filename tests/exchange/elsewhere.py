"""An unpacked zip put to use as by someone who does not have this project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run_elsewhere(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The predict.py of a folder, which must find there what it needs: elsewhere `tl_core` cannot be imported."""
    decoy = folder.parent / "decoy"
    (decoy / "tl_core").mkdir(parents=True, exist_ok=True)
    (decoy / "tl_core" / "__init__.py").write_text(
        "raise ImportError('not the one of the zip')", encoding="utf-8"
    )
    return subprocess.run(
        [sys.executable, "predict.py", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(decoy)},
        capture_output=True,
        encoding="utf-8",
    )
