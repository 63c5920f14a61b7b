"""Records on disk: whole or not at all, and a refusal is never an absence."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from tl_core import whole_files
from tl_core.errors import RunError, StillInUse, TLError
from tl_core.records import read_record, write_record


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused stays so; waiting for it the whole two seconds would prove nothing more."""
    monkeypatch.setattr(whole_files, "PATIENCE_SECONDS", 0.03)


def refused(*_: object) -> bytes:
    raise PermissionError(errno.EACCES, "The process cannot access the file")


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


# writing


def test_a_record_comes_back_as_it_was_written_and_its_folder_is_made(tmp_path: Path):
    path = tmp_path / "jobs" / "one" / "record.json"
    record = {"title": "영화 🙂 ü\n", "share": 0.1, "none": None, "list": [1, {"deep": True}]}
    write_record(path, record)
    assert read_record(path) == record
    assert names(path.parent) == ["record.json"]


def test_a_record_is_text_in_utf8_that_a_person_can_read(tmp_path: Path):
    write_record(tmp_path / "record.json", {"title": "영화"})
    assert '"title": "영화"' in (tmp_path / "record.json").read_text(encoding="utf-8")


def test_a_record_replaces_the_one_before_with_all_its_fields(tmp_path: Path):
    write_record(tmp_path / "record.json", {"status": "running", "pid": 7})
    write_record(tmp_path / "record.json", {"status": "done"})
    assert read_record(tmp_path / "record.json") == {"status": "done"}


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path):
    (tmp_path / "home").write_text("a file", encoding="utf-8")
    path = tmp_path / "home" / "jobs" / "record.json"
    with pytest.raises(RunError, match=f"{re.escape(str(path.parent))} cannot be written .*TL_HOME"):
        write_record(path, {})
    assert (tmp_path / "home").read_text(encoding="utf-8") == "a file"


def test_without_room_the_old_record_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_record(tmp_path / "record.json", {"number": 1})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(whole_files.os, "fsync", full)
    with pytest.raises(RunError, match="cannot be written .No space left on device.*Make room"):
        write_record(tmp_path / "record.json", {"number": 2})
    assert read_record(tmp_path / "record.json") == {"number": 1}
    assert names(tmp_path) == ["record.json"]


def test_a_record_that_is_held_stays_and_is_told_as_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_record(tmp_path / "record.json", {"number": 1})
    monkeypatch.setattr(whole_files.os, "replace", refused)
    with pytest.raises(StillInUse, match="record.json is still in use"):
        write_record(tmp_path / "record.json", {"number": 2})
    assert read_record(tmp_path / "record.json") == {"number": 1}
    assert names(tmp_path) == ["record.json"]


def test_what_is_no_json_leaves_the_old_record(tmp_path: Path):
    write_record(tmp_path / "record.json", {"number": 1})
    with pytest.raises(TypeError):
        write_record(tmp_path / "record.json", {"path": tmp_path})
    assert read_record(tmp_path / "record.json") == {"number": 1}
    assert names(tmp_path) == ["record.json"]


# reading


def test_a_record_that_is_not_there_is_none(tmp_path: Path):
    (tmp_path / "file").touch()
    assert read_record(tmp_path / "record.json") is None
    assert read_record(tmp_path / "absent" / "record.json") is None
    assert read_record(tmp_path / "file" / "record.json") is None
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "content",
    [b"", b'{"id": "half', b"[1, 2]", b"3", b"null", b"\x00" * 64, b'{"title": "\xff\xfe"}', b"PK\x03\x04"],
    ids=["empty", "half", "a list", "a number", "null", "zeros", "not UTF-8", "a zip"],
)
def test_a_record_that_is_broken_or_not_one_of_ours_is_none_and_stays(tmp_path: Path, content: bytes):
    (tmp_path / "record.json").write_bytes(content)
    assert read_record(tmp_path / "record.json") is None
    assert (tmp_path / "record.json").read_bytes() == content


def test_a_record_that_an_editor_saved_with_a_byte_order_mark_is_read(tmp_path: Path):
    (tmp_path / "record.json").write_text('{"title": "영화"}', encoding="utf-8-sig")
    assert read_record(tmp_path / "record.json") == {"title": "영화"}


def test_a_refused_read_is_an_error_and_no_absence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_record(tmp_path / "record.json", {"number": 1})
    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(TLError, match="record.json is still in use"):
        read_record(tmp_path / "record.json")


def test_a_disk_that_fails_is_an_error_of_one_line_and_no_absence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_record(tmp_path / "record.json", {"number": 1})

    def broken(_: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "read_bytes", broken)
    with pytest.raises(TLError, match=r"record.json cannot be read \(Input/output error\). Try again."):
        read_record(tmp_path / "record.json")
