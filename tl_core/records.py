"""Records on disk: JSON objects written whole or not at all, and read so that a refusal is never an absence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tl_core.errors import RunError, TLError
from tl_core.whole_files import read_whole, write_whole


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Replace the record at `path`; RunError if the folder cannot be written, StillInUse if the old one is held."""
    try:
        write_whole(path, json.dumps(dict(record), ensure_ascii=False, indent=1).encode("utf-8"))
    except OSError as error:
        raise RunError(
            "{parent} cannot be written ({reason}). "
            "Make room or change its permissions, or set TL_HOME to a folder that can be written.",
            parent=path.parent,
            reason=error.strerror,
        ) from error


def read_record(path: Path) -> dict[str, Any] | None:
    """The record at `path`; None if there is none or it is not one of ours, TLError if it cannot be read now."""
    try:
        record = json.loads(read_whole(path))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        return None
    except OSError as error:
        raise TLError(
            "{path} cannot be read ({reason}). Try again.", path=path, reason=error.strerror
        ) from error
    return record if isinstance(record, dict) else None
