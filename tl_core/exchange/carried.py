"""Files of the engine that an exported run carries, so that its predict.py finds them beside itself.

A script in `portable/` imports what it shares with the engine, and the zip holds those files as they are, under the same
names: `tl_core/text/windows.py`. They must be light: at their top they import the standard library, NumPy and each
other, nothing else. A contract of import-linter (pyproject.toml) and tests/exchange/test_carried.py keep them so.
"""

from __future__ import annotations

import ast
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import tl_core

ENGINE = Path(tl_core.__file__).parent
SCRIPTS = Path(__file__).with_name("portable")
ANY_CARRIED = re.compile(r"tl_core/(?:\w+/)*\w+\.py", re.ASCII)  # as a zip names them


def carry(script: str, folder: Path) -> None:
    """Put all files of the engine that a script needs into a folder, as the package that it imports."""
    for file in carried(SCRIPTS / script):
        target = folder / file.relative_to(ENGINE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def carried(script: Path) -> list[Path]:
    """The files of the engine that a script imports, and all that these import in turn."""
    files: set[Path] = set()
    waiting = [script]
    while waiting:
        new = {file for name in imported(waiting.pop()) for file in _files(name)} - files
        files |= new
        waiting += new
    return sorted(files)


def imported(file: Path) -> Iterator[str]:
    """Names of the engine that a file imports, at its top or in a function; not what is there for types alone."""
    waiting: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name.name}" for name in node.names]  # nothing is imported relatively
        yield from (name for name in names if name.partition(".")[0] == tl_core.__name__)
        waiting += ast.iter_child_nodes(node)


def _files(name: str) -> Iterator[Path]:
    """The files that Python runs to import a module, or a name out of it: its packages come first."""
    place = ENGINE.parent
    for part in name.split("."):
        place = place / part
        if place.is_dir():
            yield place / "__init__.py"
        elif place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
