"""Files and folders whole or not at all: what a refusal, an error or a full disk leaves behind."""

from __future__ import annotations

import errno
import gc
import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tl_core import whole_files
from tl_core.errors import OutputError, StillInUse
from tl_core.whole_files import (
    check_output,
    folder_aside,
    move,
    read_whole,
    remove,
    replace,
    replace_folder,
    scratch_folder,
    write_whole,
    written_aside,
    written_for_user,
)

SAID = "영화 🙂 ü"
HELD = (errno.EACCES, "The process cannot access the file")
pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused stays so; waiting for it the whole two seconds would prove nothing more."""
    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 0.03)


@pytest.fixture
def patient(impatient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused only at first is waited for, however busy the machine is."""
    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 30.0)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Path]]:
    """Let `os.rename` or `os.replace` refuse a path, as Windows refuses one that is open; gives what was refused."""

    def start(
        name: str,
        wanted: Callable[[Path, Path], bool],
        times: int = 10**6,
        error: Callable[..., OSError] = PermissionError,
    ) -> list[Path]:
        real, refused = getattr(os, name), []

        def step(source: Path, place: Path) -> None:
            if wanted(Path(source), Path(place)) and len(refused) < times:
                refused.append(Path(source))
                raise error(*HELD)
            real(source, place)

        monkeypatch.setattr(whole_files.os, name, step)
        return refused

    return start


def a_file(path: Path, text: str = SAID) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def a_folder(path: Path, text: str = SAID) -> Path:
    a_file(path / "deep" / "down.txt", text)
    a_file(path / "up.txt", text)
    return path


def contents(folder: Path) -> dict[str, str | None]:
    """Everything under a folder, hidden names too: the text of each file, None for a folder."""
    return {
        each.relative_to(folder).as_posix(): None if each.is_dir() else each.read_text(encoding="utf-8")
        for each in folder.rglob("*")
    }


def leaving(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.name.startswith(".leaving-")]


def no_room(*_: object) -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def full(*_: object) -> None:
    raise no_room()


def begin(make: Callable[[Path, str], Path], path: Path, error: BaseException | type[BaseException]) -> None:
    """Make something half of which is there when an error comes."""
    make(path, "half")
    raise error


# move


@pytest.mark.parametrize("make", [a_file, a_folder])
def test_what_is_moved_is_at_its_new_place_alone(tmp_path: Path, make: Callable[[Path], Path]):
    (tmp_path / "from").mkdir()
    source = make(tmp_path / "from" / "source")
    before = contents(tmp_path / "from")
    (tmp_path / "to").mkdir()
    move(source, tmp_path / "to" / "source")
    assert contents(tmp_path / "from") == {}
    assert contents(tmp_path / "to") == before


@pytest.mark.parametrize("make_place", [a_file, a_folder, Path.mkdir])
@pytest.mark.parametrize("make_source", [a_file, a_folder])
def test_nothing_is_moved_onto_what_is_there(tmp_path: Path, make_source, make_place):
    source, place = tmp_path / "source", tmp_path / "place"
    make_source(source)
    make_place(place)
    before = contents(tmp_path)
    with pytest.raises(FileExistsError):
        move(source, place)
    assert contents(tmp_path) == before


def test_a_refused_move_is_tried_again(tmp_path: Path, refuse, patient: None):
    refused = refuse("rename", lambda source, _: True, times=2)
    move(a_file(tmp_path / "source"), tmp_path / "place")
    assert len(refused) == 2
    assert contents(tmp_path) == {"place": SAID}


def test_a_move_that_stays_refused_says_what_is_in_use_and_moves_nothing(tmp_path: Path, refuse):
    source = a_folder(tmp_path / "source")
    before = contents(tmp_path)
    refuse("rename", lambda *_: True)
    with pytest.raises(StillInUse, match=f"{re.escape(str(source))} is still in use.*Nothing was changed"):
        move(source, tmp_path / "place")
    assert contents(tmp_path) == before


def test_only_a_refusal_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tries = []

    def rename(*paths: Path) -> None:
        tries.append(paths)
        full()

    monkeypatch.setattr(whole_files.os, "rename", rename)
    with pytest.raises(OSError, match="No space left"):
        move(a_file(tmp_path / "source"), tmp_path / "place")
    assert len(tries) == 1


# replace


@pytest.mark.parametrize("old", [None, "old"])
def test_a_file_takes_the_place_of_another_or_of_none(tmp_path: Path, old: str | None):
    if old is not None:
        a_file(tmp_path / "place", old)
    replace(a_file(tmp_path / "source", "new"), tmp_path / "place")
    assert contents(tmp_path) == {"place": "new"}


def test_a_refused_replacement_is_tried_again(tmp_path: Path, refuse, patient: None):
    a_file(tmp_path / "place", "old")
    refused = refuse("replace", lambda *_: True, times=2)
    replace(a_file(tmp_path / "source", "new"), tmp_path / "place")
    assert len(refused) == 2
    assert contents(tmp_path) == {"place": "new"}


def test_a_replacement_that_stays_refused_changes_nothing(tmp_path: Path, refuse):
    place, source = a_file(tmp_path / "place", "old"), a_file(tmp_path / "source", "new")
    refuse("replace", lambda *_: True)
    with pytest.raises(StillInUse, match=f"{re.escape(str(place))} is still in use"):
        replace(source, place)
    assert contents(tmp_path) == {"place": "old", "source": "new"}


# replace_folder


def test_a_folder_is_put_where_none_is(tmp_path: Path):
    replace_folder(a_folder(tmp_path / "source"), tmp_path / "place")
    assert set(contents(tmp_path)) == {"place", "place/up.txt", "place/deep", "place/deep/down.txt"}


def test_a_folder_takes_the_place_of_another_of_which_nothing_is_left(tmp_path: Path):
    a_file(a_folder(tmp_path / "place", "old") / "only in the old one.txt")
    replace_folder(a_folder(tmp_path / "source", "new"), tmp_path / "place")
    assert contents(tmp_path) == {
        "place": None,
        "place/up.txt": "new",
        "place/deep": None,
        "place/deep/down.txt": "new",
    }


@pytest.mark.parametrize("held", ["place", "source"])
def test_the_old_folder_stays_when_it_or_the_new_one_is_in_use(tmp_path: Path, refuse, held: str):
    place, source = a_folder(tmp_path / "place", "old"), a_folder(tmp_path / "source", "new")
    before = contents(tmp_path)
    refuse("rename", lambda source, _: source.name == held)
    with pytest.raises(StillInUse, match=re.escape(str(tmp_path / held))):
        replace_folder(source, place)
    assert contents(tmp_path) == before


def test_the_old_folder_stays_when_there_is_no_new_one(tmp_path: Path):
    place = a_folder(tmp_path / "place", "old")
    before = contents(tmp_path)
    with pytest.raises(FileNotFoundError):
        replace_folder(tmp_path / "source", place)
    assert contents(tmp_path) == before


def test_the_old_folder_comes_back_though_that_is_refused_at_first(tmp_path: Path, refuse, patient: None):
    place, source = a_folder(tmp_path / "place", "old"), a_folder(tmp_path / "source", "new")
    before = contents(tmp_path)
    refuse("rename", lambda source, _: source.name == "source", error=no_room)
    coming_back = refuse("rename", lambda source, _: source.name.startswith(".leaving-"), times=2)
    with pytest.raises(OSError, match="No space left"):
        replace_folder(source, place)
    assert len(coming_back) == 2
    assert contents(tmp_path) == before


# remove


def test_files_and_folders_are_removed_together_and_absent_ones_are_fine(tmp_path: Path):
    stays = a_file(tmp_path / "stays.txt")
    remove(
        a_file(tmp_path / "a.txt"),
        a_folder(tmp_path / "b"),
        tmp_path / "absent",
        a_file(tmp_path / "c" / "d.txt"),
    )
    remove()
    remove(tmp_path / "absent" / "too")
    assert contents(tmp_path) == {stays.name: SAID, "c": None}


def test_a_name_as_long_as_a_name_may_be_can_be_removed(tmp_path: Path):
    path = a_file(tmp_path / ("가" * 83 + ".txt"))  # 253 bytes of 255
    remove(path)
    assert contents(tmp_path) == {}


def test_of_a_link_the_link_is_removed_and_what_it_leads_to_stays(tmp_path: Path):
    target, link = a_folder(tmp_path / "target"), tmp_path / "link"
    try:
        link.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("links are not for everybody on Windows")
    before = {name for name in contents(tmp_path) if not name.startswith("link")}
    remove(link)
    assert set(contents(tmp_path)) == before


@pytest.mark.parametrize("held", ["first", "second", "third"])
def test_where_one_of_several_is_in_use_none_is_removed(tmp_path: Path, refuse, held: str):
    paths = [a_folder(tmp_path / "first"), a_file(tmp_path / "second"), a_folder(tmp_path / "third")]
    before = contents(tmp_path)
    refuse("rename", lambda source, _: source.name == held)
    with pytest.raises(StillInUse, match=f"{re.escape(str(tmp_path / held))} is still in use"):
        remove(*paths)
    assert contents(tmp_path) == before


def test_what_was_moved_aside_comes_back_though_that_is_refused_at_first(
    tmp_path: Path, refuse, patient: None
):
    first, second = a_folder(tmp_path / "first"), a_folder(tmp_path / "second")
    before = contents(tmp_path)
    refuse("rename", lambda source, _: source.name == "second", error=no_room)
    coming_back = refuse("rename", lambda _, place: place.name == "first", times=2)
    with pytest.raises(OSError, match="No space left"):
        remove(first, second)
    assert len(coming_back) == 2
    assert contents(tmp_path) == before


def test_what_cannot_come_back_keeps_nothing_else_from_coming_back(tmp_path: Path, refuse):
    paths = [a_file(tmp_path / name) for name in ("first", "second", "third")]
    refuse("rename", lambda source, _: source.name == "third")
    refuse("rename", lambda _, place: place.name == "second")
    with pytest.raises(StillInUse):
        remove(*paths)
    assert {"first", "third"} <= set(contents(tmp_path))
    [aside] = leaving(tmp_path)
    assert aside.name.endswith("-second")
    assert aside.read_text(encoding="utf-8") == SAID


def test_what_is_broken_off_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first, second = a_folder(tmp_path / "first"), a_folder(tmp_path / "second")
    before, real = contents(tmp_path), os.rename

    def rename(source: Path, place: Path) -> None:
        if Path(source) == second:
            raise KeyboardInterrupt
        real(source, place)

    monkeypatch.setattr(whole_files.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        remove(first, second)
    assert contents(tmp_path) == before


def test_what_somebody_else_removed_first_keeps_nothing_from_being_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = a_file(tmp_path / "first"), a_file(tmp_path / "second")
    real = os.rename

    def rename(source: Path, place: Path) -> None:
        if Path(source) == first:
            first.unlink()
        real(source, place)

    monkeypatch.setattr(whole_files.os, "rename", rename)
    remove(first, second)
    assert contents(tmp_path) == {}


def test_what_could_not_be_deleted_is_gone_by_its_name_and_goes_with_a_removal_a_minute_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = a_folder(tmp_path / "folder")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", lambda *_, **__: None)
        remove(path)
    assert not path.exists()
    assert len(leaving(tmp_path)) == 1
    remove(tmp_path / "something else")
    assert len(leaving(tmp_path)) == 1  # its remover may still move it back
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + whole_files.LEFT_SECONDS[whole_files.LEAVING] + 2)
    remove(tmp_path / "something else")
    assert contents(tmp_path) == {}


def test_only_what_was_left_for_more_than_a_minute_is_swept_and_only_beside_what_is_removed(tmp_path: Path):
    now = int(time.time())
    old, young = f".leaving-{now - 62}-0a1b2c3d-old", f".leaving-{now - 30}-0a1b2c3d-young"
    coming = f".coming-{now - 62}-0a1b2c3d-written"
    for name in (old, young):
        a_folder(tmp_path / "here" / name)
        a_folder(tmp_path / "elsewhere" / name)
    a_file(tmp_path / "here" / f"{old}.txt")
    a_file(tmp_path / "here" / coming)  # of somebody who writes
    remove(a_file(tmp_path / "here" / "file"))
    assert {each.name for each in (tmp_path / "here").iterdir()} == {young, coming}
    assert {each.name for each in (tmp_path / "elsewhere").iterdir()} == {old, young}


# reading and writing whole files


def test_a_file_is_written_with_its_folders_and_read_as_it_was_written(tmp_path: Path):
    path, content = tmp_path / "a" / "b" / "영화.bin", bytes(range(256)) + b"\r\n\n"
    write_whole(path, content)
    assert read_whole(path) == content
    write_whole(path, b"")
    assert read_whole(path) == b""
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_absent_file_is_absent_and_nothing_else(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_whole(tmp_path / "absent")


def test_a_refused_read_is_tried_again_and_then_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = a_file(tmp_path / "file")
    real, left = Path.read_bytes, [2]

    def read(self: Path) -> bytes:
        if left[0]:
            left[0] -= 1
            raise PermissionError(*HELD)
        return real(self)

    monkeypatch.setattr(Path, "read_bytes", read)
    with monkeypatch.context() as patched:
        patched.setattr(whole_files, "PATIENCE_SECONDS", 30.0)
        assert read_whole(path) == SAID.encode("utf-8")
    left[0] = 10**6
    with pytest.raises(StillInUse, match=f"{re.escape(str(path))} is still in use"):
        read_whole(path)


def test_without_room_the_old_file_stays_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = a_file(tmp_path / "file", "old")
    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert contents(tmp_path) == {"file": "old"}


def test_a_held_file_is_not_written_and_nothing_stays_beside_it(tmp_path: Path, refuse):
    path = a_file(tmp_path / "file", "old")
    refuse("replace", lambda _, place: place == path)
    with pytest.raises(StillInUse):
        write_whole(path, b"new")
    assert contents(tmp_path) == {"file": "old"}


# written_aside and folder_aside


def test_a_file_written_aside_takes_its_place_at_the_end_and_not_before(tmp_path: Path):
    path = a_file(tmp_path / "file.csv", "old")
    with written_aside(path) as aside:
        assert aside.parent == path.parent
        assert aside.name.endswith("file.csv")  # some writers go by the end of a name
        a_file(aside, "new")
        assert path.read_text(encoding="utf-8") == "old"
    assert contents(tmp_path) == {"file.csv": "new"}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_error_while_writing_aside_leaves_the_old_file_alone(tmp_path: Path, error: type[BaseException]):
    path = a_file(tmp_path / "file", "old")
    with pytest.raises(error), written_aside(path) as aside:
        begin(a_file, aside, error)
    assert contents(tmp_path) == {"file": "old"}


def test_writing_aside_and_writing_nothing_is_an_error(tmp_path: Path):
    path = a_file(tmp_path / "file", "old")
    with pytest.raises(FileNotFoundError), written_aside(path):
        pass
    assert contents(tmp_path) == {"file": "old"}


def test_a_folder_filled_aside_is_in_its_place_at_the_end_and_not_before(tmp_path: Path):
    folder = tmp_path / "new" / "folder"
    with folder_aside(folder) as aside:
        assert list(aside.iterdir()) == []
        a_file(aside / "file")
        assert not folder.exists()
    assert contents(tmp_path / "new") == {"folder": None, "folder/file": SAID}


def test_a_folder_filled_aside_does_not_take_the_place_of_one_that_came_meanwhile(tmp_path: Path):
    folder = tmp_path / "folder"
    with pytest.raises(FileExistsError), folder_aside(folder):
        a_file(folder / "file", "old")
    assert contents(tmp_path) == {"folder": None, "folder/file": "old"}


def test_a_folder_filled_aside_replaces_one_that_may_be_replaced(tmp_path: Path):
    folder = a_folder(tmp_path / "folder", "old")
    with folder_aside(folder, replacing=True) as aside:
        a_file(aside / "file", "new")
    assert contents(tmp_path) == {"folder": None, "folder/file": "new"}


@pytest.mark.parametrize("replacing", [False, True])
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_while_filling_a_folder_leaves_nothing_of_it(
    tmp_path: Path, error: type[BaseException], replacing: bool
):
    folder = a_folder(tmp_path / "folder", "old")
    before = contents(tmp_path)
    with pytest.raises(error), folder_aside(folder, replacing=replacing) as aside:
        begin(a_folder, aside, error)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("held", ["folder", "the new one"])
def test_where_a_folder_cannot_be_replaced_the_old_one_stays_alone(tmp_path: Path, refuse, held: str):
    folder = a_folder(tmp_path / "folder", "old")
    before = contents(tmp_path)
    mark = ".coming-" if held == "the new one" else "folder"
    refuse("rename", lambda source, _: source.name.startswith(mark))
    with pytest.raises(StillInUse), folder_aside(folder, replacing=True) as aside:
        a_folder(aside, "new")
    assert contents(tmp_path) == before


# what a person named


def one_line(error: pytest.ExceptionInfo[OutputError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_for_the_user_is_written(tmp_path: Path):
    for text in ("first", "second"):
        with written_for_user(tmp_path / "영화 🙂.csv") as aside:
            a_file(aside, text)
        assert contents(tmp_path) == {"영화 🙂.csv": text}


def test_a_file_that_the_user_may_write_is_not_changed_by_asking(tmp_path: Path):
    path = a_file(tmp_path / "file", "old")
    os.utime(path, (1, 1))
    check_output(path)
    assert path.stat().st_mtime == 1
    check_output(tmp_path / "absent")
    assert contents(tmp_path) == {"file": "old"}


def test_a_file_in_a_folder_that_is_not_there_is_refused_in_one_line(tmp_path: Path):
    path = tmp_path / "absent" / "out.csv"
    with pytest.raises(OutputError) as caught, written_for_user(path):
        pytest.fail("the work began")
    assert one_line(caught) == f"{path.parent} is not a folder; name a file in one that exists."
    assert contents(tmp_path) == {}


def test_a_folder_named_as_a_file_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(OutputError) as caught, written_for_user(tmp_path):
        pytest.fail("the work began")
    assert one_line(caught) == f"{tmp_path} is a folder; name a file."


def test_a_file_that_a_spreadsheet_keeps_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path, real = a_file(tmp_path / "out.csv", "old"), Path.open

    def open_(self: Path, mode: str = "r", **options) -> object:
        if self == path and "+" in mode:
            raise PermissionError(*HELD)
        return real(self, mode, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", open_)
        with pytest.raises(OutputError) as caught, written_for_user(path):
            pytest.fail("the work began")
    assert one_line(caught).startswith(f"{path} cannot be written: another program has it open")
    assert contents(tmp_path) == {"out.csv": "old"}


def test_a_file_that_a_spreadsheet_opened_meanwhile_is_refused_in_one_line_and_stays(tmp_path: Path, refuse):
    path = a_file(tmp_path / "out.csv", "old")
    refuse("replace", lambda _, place: place == path)
    with pytest.raises(OutputError) as caught, written_for_user(path) as aside:
        a_file(aside, "new")
    assert one_line(caught).startswith(f"{path} cannot be written: another program has it open")
    assert contents(tmp_path) == {"out.csv": "old"}


def test_a_full_disk_is_told_in_one_line_and_nothing_stays(tmp_path: Path):
    path = a_file(tmp_path / "out.csv", "old")
    with pytest.raises(OutputError) as caught, written_for_user(path) as aside:
        begin(a_file, aside, no_room())
    assert one_line(caught) == f"{path} cannot be written (No space left on device)."
    assert contents(tmp_path) == {"out.csv": "old"}


def test_a_mistake_of_the_work_is_not_called_one_of_the_file(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), written_for_user(tmp_path / "out.csv") as aside:
        begin(a_file, aside, ZeroDivisionError)
    assert contents(tmp_path) == {}


# scratch folders


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_scratch_folder_is_there_for_a_while(temporary: Path):
    with scratch_folder() as folder, scratch_folder() as other:
        assert folder != other
        a_folder(folder)
        assert {each.name for each in temporary.iterdir()} == {folder.name, other.name}
    assert contents(temporary) == {}


@pytest.mark.parametrize("how", ["itself", "by its cause", "by what went before"])
def test_a_scratch_folder_goes_also_where_an_error_holds_an_array_mapped_from_it(temporary: Path, how: str):
    mapped = []

    def read(path: Path) -> None:
        array = np.load(path, mmap_mode="r")
        mapped.append(weakref.ref(array))
        raise ValueError(f"{array[1]} is no number")

    def work(path: Path) -> None:
        np.save(path, np.ones(3))
        try:
            read(path)
        except ValueError as error:
            if how == "by its cause":
                raise RuntimeError("the file cannot be used") from error
            if how == "by what went before":
                raise RuntimeError("the file cannot be used") from None
            raise

    with pytest.raises((ValueError, RuntimeError)) as caught, scratch_folder() as folder:
        work(folder / "array.npy")
    assert caught.value.__traceback__ is not None
    assert mapped[0]() is None  # Windows removes nothing that is mapped
    assert contents(temporary) == {}


def test_a_scratch_folder_that_holds_a_read_only_file_does_not_hide_the_error(temporary: Path):
    def read_only(path: Path, text: str) -> Path:
        a_file(path, text).chmod(0o444)
        return path

    with pytest.raises(ZeroDivisionError), scratch_folder() as folder:
        begin(read_only, folder / "file", ZeroDivisionError)
    for left in temporary.rglob("file"):  # where Windows kept it
        left.chmod(0o666)


def test_what_only_a_cycle_still_holds_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Network:
        def __init__(self) -> None:
            self.itself = self

    gc.disable()
    try:
        alive = weakref.ref(Network())
        move_whole = os.rename

        def refused_while_alive(*paths: Path) -> None:
            if alive() is not None:
                raise PermissionError(*HELD)
            move_whole(*paths)

        monkeypatch.setattr(os, "rename", refused_while_alive)
        (tmp_path / "model").write_bytes(b"weights")
        move(tmp_path / "model", tmp_path / "moved")
    finally:
        gc.enable()
    assert (tmp_path / "moved").exists()
    assert not (tmp_path / "model").exists()
