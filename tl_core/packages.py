"""Data files inside installed packages: where they lie, and whether they are what we trust.

Third parties repackaged the pretrained weights, so each file is hashed once per installation
and the answer is remembered. No package is imported: only its files are read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import tempfile
from pathlib import Path

from tl_core.errors import ModelError

REMEMBERED = "fingerprints.json"


def package_folder(module: str) -> Path | None:
    """The folder of an installed package, found without importing it; None if there is none."""
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    places = list(found.submodule_search_locations or []) if found else []
    return Path(places[0]) if places else None


def check_fingerprint(path: Path, sha256: str, cache: Path) -> None:
    """ModelError unless the file has this SHA-256; hashed once, then remembered under `cache`.

    A file counts as the same one while its path, size and time of change stay.
    """
    try:
        facts = path.stat()
    except OSError as error:
        raise ModelError(f"{path} is missing. Reinstall the package that brings it.") from error
    key = f"{path.resolve()}|{facts.st_size}|{facts.st_mtime_ns}"
    remembered = _remembered(cache / REMEMBERED)
    found = remembered.get(key)
    if found is None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        _remember(cache / REMEMBERED, {**remembered, key: found})
    if found != sha256:
        raise ModelError(
            f"{path} is not the file it should be: its SHA-256 is {found[:12]}..., "
            f"it must be {sha256[:12]}.... Reinstall the package that brings it."
        )


def write_aside(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside its place first, then moved there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _remembered(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # absent or broken: hash again
        return {}
    return content if isinstance(content, dict) else {}


def _remember(path: Path, content: dict[str, str]) -> None:
    try:
        write_aside(path, json.dumps(content, indent=1, sort_keys=True).encode())
    except OSError:
        return  # a read-only cache costs only the next hash
