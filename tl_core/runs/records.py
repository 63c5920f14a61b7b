"""Records on disk: JSON written aside and moved into place, so that a reader sees all or nothing."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tl_core.errors import RunError


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Replace the record at `path`; RunError if the folder cannot be written."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(3)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("w", encoding="utf-8") as file:
            json.dump(dict(record), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True) if aside.parent.is_dir() else None
        raise RunError(
            f"{path.parent} cannot be written ({error.strerror}). "
            "Make room or change its permissions, or set TL_HOME to a folder that can be written."
        ) from error


def read_record(path: Path) -> dict[str, Any] | None:
    """The record at `path`; None if there is none or it is not one of ours."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def new_id() -> str:
    """An id that sorts by time: date, time and four random letters."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
