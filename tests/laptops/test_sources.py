"""What the source may not say, so that the next change works on every system as well."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tl_core import pythons
from tl_core.processes import NEW_GROUP, NO_WINDOW, apart, hidden

PROJECT = Path(__file__).resolve().parents[2]
OURS = sorted([PROJECT / "app.py", *(PROJECT / "tl_core").rglob("*.py"), *(PROJECT / "pages").rglob("*.py")])
TESTS = sorted(path for path in (PROJECT / "tests").rglob("*.py") if "rules" not in path.parts)
POSIX_MODULES = {"resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "crypt"}
POSIX_NAMES = {
    "fork",
    "getuid",
    "geteuid",
    "killpg",
    "setsid",
    "sched_getaffinity",
    "SIGKILL",
    "SIGUSR1",
    "uname",
}
MOVING = {"rename", "rmtree", "unlink", "removedirs", "rmdir"}
ONE_PLACE = "whole_files.py"


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def nodes(path: Path) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
    """Every node of a file with those around it, the outermost first."""

    def walk(node: ast.AST, around: list[ast.AST]) -> Iterator[tuple[ast.AST, list[ast.AST]]]:
        for child in ast.iter_child_nodes(node):
            yield child, [*around, node]
            yield from walk(child, [*around, node])

    yield from walk(ast.parse(path.read_text(encoding="utf-8")), [])


def is_guarded(around: list[ast.AST]) -> bool:
    """Whether something around asks for the system, or catches that a thing is not there."""
    for each in around:
        if isinstance(each, (ast.If, ast.IfExp)):
            asked = ast.unparse(each.test)
            if any(word in asked for word in ("platform", "hasattr", "os.name")):
                return True
        if isinstance(each, ast.Try):
            caught = " ".join(ast.unparse(handler.type) for handler in each.handlers if handler.type)
            if any(word in caught for word in ("ImportError", "OSError", "AttributeError")):
                return True
    return False


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_nothing_that_only_posix_has_is_used_unguarded(path: Path):
    found = []
    for node, around in nodes(path):
        imported = []
        if isinstance(node, ast.Import):
            imported = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        elif isinstance(node, ast.Attribute) and node.attr in POSIX_NAMES:
            imported = [node.attr]
        if POSIX_MODULES & set(imported) or POSIX_NAMES & set(imported):
            found += [] if is_guarded(around) else [(node.lineno, ast.unparse(node))]
    assert not found


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_files_are_moved_and_removed_in_one_place(path: Path):
    if path.name == ONE_PLACE:
        return
    found = [
        (node.lineno, ast.unparse(node))
        for node, _ in nodes(path)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr in MOVING or ast.unparse(node.func) in ("os.replace", "os.remove", "shutil.move"))
    ]
    assert not found, f"use tl_core/{ONE_PLACE}"


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_temporary_folders_durations_and_copies_are_those_that_work_everywhere(path: Path):
    found = []
    for node, _ in nodes(path):
        if not isinstance(node, ast.Call):
            continue
        said = ast.unparse(node.func)
        if said.endswith("TemporaryDirectory"):
            found.append(f"{node.lineno}: scratch_folder empties what is mapped first")
        if said.endswith("time.monotonic"):
            found.append(f"{node.lineno}: time.perf_counter does not tick every 15.6 ms")
        if any(each.arg == "non_blocking" for each in node.keywords) and path.name != "devices.py":
            found.append(f"{node.lineno}: to_device knows which device may copy so")
        if said.endswith((".double", ".to")) and "portable" not in path.parts:
            to_double = said.endswith(".double") or any("float64" in ast.unparse(each) for each in node.args)
            if to_double:
                found.append(f"{node.lineno}: an Apple GPU has no float64; as_float64 makes it on the CPU")
    assert not found


@pytest.mark.parametrize("path", [*OURS, *TESTS], ids=name_of)
def test_every_text_file_names_its_encoding(path: Path):
    found = []
    for node, _ in nodes(path):
        if not isinstance(node, ast.Call) or any(each.arg in ("encoding", None) for each in node.keywords):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("read_text", "write_text"):
            found += [] if len(node.args) > (node.func.attr == "write_text") else [node.lineno]
        if any(
            each.arg in ("text", "universal_newlines") for each in node.keywords
        ) and "subprocess" in ast.unparse(node.func):
            found.append(node.lineno)
    assert not found


def test_a_worker_outlives_the_console_and_opens_none():
    assert apart("win32") == {"creationflags": NO_WINDOW | NEW_GROUP}
    assert hidden("win32") == {"creationflags": NO_WINDOW}
    assert apart("linux") == apart("darwin") == {"start_new_session": True}
    assert hidden("darwin") == {}


def test_another_python_is_told_in_one_line():
    assert [pythons.refusal((3, minor)) for minor in (11, 12, 13)] == ["", "", ""]
    for version in ((3, 10), (3, 14), (4, 0)):
        line = pythons.refusal(version)
        assert "Python 3.11 to 3.13" in line
        assert "\n" not in line


def test_the_server_asks_nothing_and_is_open_to_this_machine_alone():
    import tomllib

    config = tomllib.loads((PROJECT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["showEmailPrompt"] is False
    assert config["server"]["address"] == "localhost"


def test_line_ends_are_the_same_on_every_system():
    said = (PROJECT / ".gitattributes").read_text(encoding="utf-8")
    assert "* text=auto eol=lf" in said
    assert "*.safetensors binary" in said
