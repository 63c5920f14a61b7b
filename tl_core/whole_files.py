"""Files and folders whole or not at all, on every system: the one place that moves, replaces and removes them.

Windows refuses to move, replace or remove what any process has open or mapped, and a virus scanner opens
what was just written. So each step is tried again for about two seconds; after that StillInUse is raised and
everything stands as it stood before.
"""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from tl_core.errors import OutputError, StillInUse

T = TypeVar("T")
PATIENCE_SECONDS = 2.0
IN_USE = (32, 33, 303, 1224)  # Windows: sharing violation, locked part, delete pending, mapped section
SCRATCH = "transfer-learning-"  # and of scratch folders
LEAVING = ".leaving-"  # how the names of what is being removed begin
COMING = ".coming-"  # and of what is being written
# After which what is being removed will not be moved back any more, and what was being written was left by a killed process.
LEFT_SECONDS = {LEAVING: 60.0, COMING: 24 * 3600.0}


def move(source: Path, place: Path) -> None:
    """Give a file or a folder another name; FileExistsError if something has it, StillInUse if it cannot be had."""
    if os.path.lexists(place):  # what Linux would silently write over
        raise FileExistsError(17, "Something of this name is there already", str(place))
    patiently(lambda: os.rename(source, place), source)


def replace(source: Path, place: Path) -> None:
    """Put a file where another one may be, so that a reader sees the one or the other; StillInUse if it cannot be."""
    patiently(lambda: os.replace(source, place), place)


def replace_folder(source: Path, place: Path) -> None:
    """Put a folder where another one may be; StillInUse, and the old one stays, if that cannot be moved away."""
    if not os.path.lexists(place):
        move(source, place)
        return
    old = _beside(place, LEAVING)
    move(place, old)
    try:
        move(source, place)
    except BaseException:
        move(old, place)
        raise
    _discard(old)


def remove(*paths: Path) -> None:
    """Remove files and folders: all of them or, if one is still in use, none (StillInUse). Absent ones are fine.

    Each is moved aside before anything is deleted; what could not be deleted then goes with the next removal
    in the same folder.
    """
    moved: list[Path] = []
    with contextlib.ExitStack() as moves_back:  # all of them, whatever one of them raises
        for path in paths:
            if os.path.lexists(path):
                aside = _beside(path, LEAVING)
                try:
                    move(path, aside)
                except FileNotFoundError:  # somebody else was quicker
                    continue
                moves_back.callback(move, aside, path)
                moved.append(aside)
        moves_back.pop_all()
    for aside in moved:
        _discard(aside)
    for folder in {path.parent for path in paths}:
        for mark, seconds in LEFT_SECONDS.items():
            for left in folder.glob(f"{mark}*"):
                if time.time() - _born(left, mark) > seconds:
                    with contextlib.suppress(OSError):  # once: what is held for so long will go another time
                        _delete(left)


def read_whole(path: Path) -> bytes:
    """The bytes of a file; a refused read is tried again, then StillInUse. FileNotFoundError only if it is absent."""
    return patiently(path.read_bytes, path)


def opened(path: Path) -> BufferedReader:
    """A file opened to read its bytes; a refusal is tried again, then StillInUse. FileNotFoundError only if it is absent."""
    return patiently(lambda: path.open("rb"), path)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; OSError if there is no room, StillInUse if the old one cannot be replaced."""
    with written_aside(path) as aside, aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A name beside `path` to write a file to: at the end it takes the place of `path`; gone if anything fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _beside(path, COMING)
    try:
        yield aside
        replace(aside, path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


@contextmanager
def folder_aside(folder: Path, *, replacing: bool = False) -> Iterator[Path]:
    """A new folder beside `folder` to fill: at the end it is moved there; gone if anything fails.

    FileExistsError if `folder` is there at the end, unless it is to be replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = _beside(folder, COMING)
    aside.mkdir()
    try:
        yield aside
        (replace_folder if replacing else move)(aside, folder)
    except BaseException as error:
        _let_go(error)
        raise
    finally:
        _discard(aside)


@contextmanager
def written_for_user(path: Path) -> Iterator[Path]:
    """`written_aside` for a file that a person named; OutputError, one clear line, if it cannot be written."""
    check_output(path)
    aside = path
    try:
        with written_aside(path) as aside:
            yield aside
    except StillInUse as error:
        raise _held(path) from error
    except OSError as error:
        if error.filename not in (None, str(path), str(aside)):  # of another file, which the writer read
            raise
        raise OutputError(
            "{path} cannot be written ({reason}).", path=path, reason=error.strerror or error
        ) from error


def check_output(path: Path) -> None:
    """OutputError if a file that a person named cannot be written: worth asking before long work."""
    if not path.parent.is_dir():
        raise OutputError("{parent} is not a folder; name a file in one that exists.", parent=path.parent)
    if path.is_dir():
        raise OutputError("{path} is a folder; name a file.", path=path)
    if path.exists():
        try:
            path.open("r+b").close()
        except OSError as error:
            raise _held(path) from error


def _held(path: Path) -> OutputError:
    return OutputError(
        "{path} cannot be written: another program has it open, or it may not be changed. Close it there "
        "(a spreadsheet keeps its file), or choose another name.",
        path=path,
    )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder for a while; removed at the end, also where an error holds what was mapped from a file in it."""
    folder = Path(tempfile.mkdtemp(prefix=SCRATCH))
    _sweep(folder.parent, folder.stat().st_mtime)
    try:
        yield folder
    except BaseException as error:
        _let_go(error)
        raise
    finally:
        _discard(folder)


def _sweep(folder: Path, now: float) -> None:
    """Delete the scratch folders that killed processes left a day ago or earlier."""
    for left in folder.glob(f"{SCRATCH}*"):
        with contextlib.suppress(OSError):
            if now - left.stat().st_mtime > LEFT_SECONDS[COMING]:
                _delete(left)


def _let_go(error: BaseException | None) -> None:
    """Empty the frames that an error and its causes carry, and with them what they have open or mapped."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__


def patiently(step: Callable[[], T], path: Path) -> T:
    """The result of a step on `path`; while it is refused it is tried again, and then StillInUse is raised."""
    end, pause = 0.0, 0.005
    while True:
        try:
            return step()
        except OSError as error:
            if not _is_refused(error):
                raise
            if not end:
                gc.collect()  # a network that nobody uses any more keeps its file mapped until then
                end = time.perf_counter() + PATIENCE_SECONDS
                continue
            if time.perf_counter() > end:
                raise StillInUse(
                    "{path} is still in use by another program or page, or may not be changed. Nothing was "
                    "changed: close what has it open and try again.",
                    path=path,
                ) from error
        time.sleep(pause)
        pause = min(2 * pause, 0.1)


def _is_refused(error: OSError) -> bool:
    """Whether an error says that somebody else uses the file now. Windows has several ways to say so, and Python one."""
    return isinstance(error, PermissionError) or getattr(error, "winerror", None) in IN_USE


def _beside(path: Path, mark: str) -> Path:
    return path.with_name(f"{mark}{int(time.time())}-{secrets.token_hex(4)}-{path.name[-40:]}")


def _born(aside: Path, mark: str) -> float:
    """The time at which a name of ours was given, in seconds since 1970."""
    moment = aside.name.removeprefix(mark).partition("-")[0]
    return float(moment) if moment.isdigit() else 0.0


def _discard(path: Path) -> None:
    """Delete a file or a folder that nobody knows by name any more, as far as that can be done."""
    with contextlib.suppress(OSError, StillInUse):
        patiently(lambda: _delete(path), path)


def _delete(path: Path) -> None:
    """Delete a file or a folder; absent is fine. Of a folder everything that can go goes, whatever stays."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        shutil.rmtree(path)  # for its reason
