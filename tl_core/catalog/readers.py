"""The readers there are: those the project ships, runs, and models of others with a span head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.encoders.adapted import StartingPoint, read_starting_point
from tl_core.encoders.catalog import ENCODERS
from tl_core.encoders.load import find_encoder
from tl_core.errors import ModelError, RunError
from tl_core.runs.store import IDENTIFIER, Store
from tl_core.text.script import is_korean

if TYPE_CHECKING:
    from tl_core.tasks.read.reader import Reader

ADAPTERS = Path(__file__).parents[2] / "assets" / "adapters"


@dataclass(frozen=True, slots=True)
class ShippedReader:
    """A reader of this project; `name` is what it is called by, `language` what it was trained on last."""

    name: str
    title: str
    language: str
    encoder: str
    place: str

    @property
    def folder(self) -> Path:
        return ADAPTERS / self.place


SHIPPED = (
    ShippedReader("en", "English reader (MiniLM)", "English", "minilm", "reader_en"),
    ShippedReader("ko", "Korean reader (multilingual E5)", "Korean", "e5", "reader_ko"),
)


def shipped(name: str) -> ShippedReader | None:
    """The shipped reader of this name."""
    return next((row for row in SHIPPED if row.name == name), None)


def reader_title(store: Store, name: str) -> str:
    """Title on screen of a reader, or of a packaged encoder that has not learned to read."""
    titles = {row.name: row.title for row in SHIPPED} | {card.name: card.title for card in ENCODERS}
    if name in titles:
        return titles[name]
    return str(store.run(name).record.title) if IDENTIFIER.fullmatch(name) else name


def reader_for(texts: Sequence[str]) -> str:
    """The shipped reader that suits these texts: ko if a tenth of their letters are Hangul."""
    return "ko" if is_korean(texts) else "en"


def load_named_reader(store: Store, name: str, *, device: str = "") -> Reader:
    """The reader that a person means by `name`: en, ko, a run's id, a folder, or a name on the hub.

    ModelError or RunError, with what may be, if it is none of these.
    """
    from tl_core.tasks.read.saved import HEAD, load_reader

    name = name.strip()
    folder = _reader_folder(store, name)
    if folder is None and name and (Path(name) / HEAD).is_file():
        folder = Path(name)
    if folder is not None:
        return load_reader(folder, store.settings, title=reader_title(store, name), device=device)
    from tl_core.tasks.read.foreign import load_foreign_reader

    return load_foreign_reader(name, store.settings, device=device)


def reader_start(store: Store, name: str) -> StartingPoint:
    """Start of a training from `name`: a reader, any run, or a bare encoder."""
    folder = _reader_folder(store, name.strip())
    if folder is not None:
        return read_starting_point(folder)
    return StartingPoint(find_encoder(name, store.settings))


def _reader_folder(store: Store, name: str) -> Path | None:
    """The folder of a shipped reader or of a run; None for any other name."""
    row = shipped(name)
    if row is not None:
        if not row.folder.is_dir():
            raise ModelError(
                "{row} is not in {adapters}: get the project's assets again.",
                row=row.title,
                adapters=ADAPTERS,
            )
        return row.folder
    if not IDENTIFIER.fullmatch(name):
        return None
    run = store.run(name)
    if run.status != "done":
        raise RunError("Run {run} is {status}; only a finished run can read.", run=run.id, status=run.status)
    return run.model


def reader_stamp(store: Store, name: str) -> str:
    """A stamp that changes when another reader lies under this name: its folder and when its head was written."""
    from tl_core.tasks.read.saved import HEAD

    folder = _reader_folder(store, name.strip())
    head = folder / HEAD if folder is not None else Path(name) / HEAD
    return f"{folder} {head.stat().st_mtime_ns if head.is_file() else 0}"
