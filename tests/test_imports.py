"""No module of the engine or the pages imports, at its top or in a function, what imports it in turn."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
FILES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for root in ("tl_core", "pages")
    for path in (PROJECT / root).rglob("*.py")
}


def imported(path: Path) -> Iterator[str]:
    """The modules of this project that a file imports; what stands under TYPE_CHECKING is for readers of types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    types_only = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                if inner in FILES or node.module in FILES:
                    yield inner if inner in FILES else node.module


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Groups of modules that reach one another (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[set[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in graph[module]:
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            group = set()
            while module not in group:
                group.add(stack.pop())
            if len(group) > 1:
                found.append(group)

    for module in graph:
        if module not in order:
            visit(module)
    return found


def test_there_are_no_import_circles():
    graph = {name: {each for each in imported(path) if each != name} for name, path in FILES.items()}
    assert circles(graph) == []
    assert sum(map(len, graph.values())) > 500  # they were found at all


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]


def test_no_task_imports_another_one():
    """The same for each folder of a task, in `tasks/` and in `jobs/`, whichever tasks there are."""
    for room in ("tl_core.tasks", "tl_core.jobs"):
        folders = {
            name
            for name, path in FILES.items()
            if path.name == "__init__.py" and name.rpartition(".")[0] == room
        }
        assert len(folders) >= 2
        for name, path in FILES.items():
            own = next((folder for folder in folders if f"{name}.".startswith(f"{folder}.")), None)
            if own:
                others = [
                    each
                    for each in imported(path)
                    if any(f"{each}.".startswith(f"{f}.") for f in folders - {own})
                ]
                assert not others, f"{name} imports {others}"
