"""The word vectors there are: the packaged ones, files that were loaded, downloads, and learned runs.

A loaded file is kept as a folder under `TL_HOME/vectors`, named by its content and never by its
user's name for it.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tl_core.errors import DataError, ModelError, RunError, StillInUse
from tl_core.runs.store import IDENTIFIER, Run, Store
from tl_core.training.events import Training, drain
from tl_core.vectors.catalog import open_packaged, packaged_vectors
from tl_core.vectors.space import WordVectors, load_if_whole, load_vectors, read_vectors_record, save_vectors
from tl_core.whole_files import remove

PACKAGED = "glove"
FILE_ID = re.compile(r"file-[0-9a-f]{16}")
TASK = "vectors"  # of runs that learned word vectors
Origin = Literal["packaged", "file", "learned"]


@dataclass(frozen=True, slots=True)
class VectorSet:
    """V words of width D that can be opened by `name`; `note` says what its file was, or how it was learned."""

    name: str
    title: str
    words: int
    width: int
    origin: Origin
    note: str = ""


def vector_sets(store: Store, *, all_of_them: bool = False) -> list[VectorSet]:
    """Every set there is: packaged, files newest first, learned runs newest first.

    One whose record cannot be read now is left out, or StillInUse if they must be all.
    """
    facts = packaged_vectors()
    sets = []
    if facts is not None:
        sets.append(VectorSet(PACKAGED, facts.name, facts.words, facts.width, "packaged", facts.licence))
    folders = [path for path in store.settings.vectors.glob("file-*") if FILE_ID.fullmatch(path.name)]
    places: list[tuple[str, Path, Origin]] = [
        (folder.name, folder, "file") for folder in sorted(folders, key=_changed, reverse=True)
    ]
    places += [(run.id, run.model, "learned") for run in learned_runs(store)]
    for name, folder, origin in places:
        try:
            sets += _described(name, folder, origin)
        except StillInUse:
            if all_of_them:
                raise
    return sets


def learned_runs(store: Store) -> list[Run]:
    """The finished runs that learned word vectors, newest first."""
    return [run for run in store.runs() if run.task == TASK and run.status == "done"]


def vector_set(store: Store, name: str) -> VectorSet:
    """The set of this name; ModelError with those there are for any other, StillInUse if one cannot be read now."""
    sets = vector_sets(store, all_of_them=True)
    for candidate in sets:
        if candidate.name == name:
            return candidate
    raise ModelError(
        "There are no word vectors {name!r}. There are: {sets}.",
        name=name[:80],
        sets=", ".join(set.name for set in sets),
    )


def open_vectors(store: Store, name: str) -> WordVectors:
    """The word vectors that a person means by `name`: glove, a loaded file's id, a run's id, or a file.

    A file is loaded once and found again by its content. ModelError, DataError or RunError for what
    is none of these.
    """
    name = name.strip()
    if name == PACKAGED:
        return open_packaged(store.settings)
    if FILE_ID.fullmatch(name):
        return load_vectors(store.settings.vectors / name)
    if IDENTIFIER.fullmatch(name):
        return load_vectors(_run_of(store, name).model)
    if Path(name).is_file():
        return load_vectors(
            store.settings.vectors / drain(add_vectors(store, Path(name), Path(name).name)).name
        )
    sets = ", ".join(known.name for known in vector_sets(store))
    raise ModelError(
        "{name!r} is neither a file nor word vectors that are here. There are: {sets}.",
        name=name[:80],
        sets=sets,
    )


def add_vectors(
    store: Store, path: Path, title: str, *, top: int | None = None, words: Path | None = None
) -> Training[VectorSet]:
    """Read a vector file and keep it; the set, which is the same again for the same content.

    `top` keeps only the first so many words; `words` is the list that belongs to a .npy. Yields
    Progress; raises DataError for a file that is no vector file, RunError if there is no room.
    """
    from tl_core.vectors.files.read import read_vectors_events

    name = f"file-{_fingerprint(path, words, top)}"
    folder = store.settings.vectors / name
    if load_if_whole(folder) is None:
        remove(folder)
        read = yield from read_vectors_events(path, title, top=top, words_path=words)
        about = {"note": "; ".join((read.form, *read.notes)), "created": time.time()}
        try:
            save_vectors(folder, title[:200], read.words, read.rows, about=about)
        except OSError as error:
            raise RunError(
                "{folder} cannot be written ({reason}). Make room or set TL_HOME.",
                folder=folder,
                reason=error.strerror or error,
            ) from error
    [added] = _described(name, folder, "file")
    return added


def delete_vectors(store: Store, name: str) -> None:
    """Remove a loaded file's folder; DataError for any other set, StillInUse, and it stays, if one has it open."""
    if not FILE_ID.fullmatch(name):
        raise DataError("Only loaded files are removed here; learned vectors are deleted with their run.")
    remove(store.settings.vectors / name)


def vectors_stamp(store: Store, name: str) -> str:
    """A stamp that changes when other vectors lie under this name."""
    if name == PACKAGED:
        facts = packaged_vectors()
        return str(facts.path) if facts else ""
    folder = _run_of(store, name).model if IDENTIFIER.fullmatch(name) else store.settings.vectors / name
    return f"{folder} {_changed(folder)}"


def _described(name: str, folder: Path, origin: Origin) -> list[VectorSet]:
    """The set in a folder as a list of one; none for a folder that is broken. StillInUse if it cannot be read now."""
    try:
        record = read_vectors_record(folder)
        return [
            VectorSet(
                name,
                str(record["name"]),
                int(record["words"]),
                int(record["width"]),
                origin,
                str(record.get("note", "")),
            )
        ]
    except (ModelError, ValueError, TypeError):
        return []


def _run_of(store: Store, run_id: str) -> Run:
    run = store.run(run_id)
    if run.task != TASK:
        raise RunError("Run {run_id} did not learn word vectors.", run_id=run_id)
    if run.status != "done":
        raise RunError(
            "Run {run_id} is {status}; only a finished run has word vectors.",
            run_id=run_id,
            status=run.status,
        )
    return run


def _fingerprint(path: Path, words: Path | None, top: int | None) -> str:
    """16 hexadecimal digits that are the same for the same content and choice."""
    digest = hashlib.sha256(f"{top or 0}".encode())
    for source in (path, words):
        if source is not None:
            try:
                with source.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
            except OSError as error:
                raise DataError(
                    "{file} cannot be read ({reason}).", file=source.name, reason=error.strerror
                ) from error
    return digest.hexdigest()[:16]


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
