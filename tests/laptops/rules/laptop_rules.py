"""What Windows and macOS refuse or lack, on Linux.

`windows()` puts this process under the rules of Windows: what a process under them has open or mapped cannot be
replaced, renamed or removed; nothing is renamed onto what is there; `resource` and its like, /proc and the
affinity of a process are absent for code of this project; the clock of `time.monotonic` ticks every 15.6 ms, as
on Python 3.11 and 3.12 there. `mac()` builds torch as the wheels for macOS are, without oneDNN, and refuses
float64 to tensors that did not come to the CPU first, as an Apple GPU does. Both return what undoes them.

`sitecustomize.py` beside this file does the same for a whole process, and so for every worker of a test.
"""

from __future__ import annotations

import builtins
import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

ABSENT = ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty")
TICK = 64  # a second
POSSIBLE = os.path.isdir("/proc/self/fd")


def processes() -> str:
    """The folder in which every process under the rules has a file of its id."""
    folder = os.environ.get("TL_LAPTOP_PIDS") or os.path.join(tempfile.gettempdir(), "laptop-rules")
    os.makedirs(folder, exist_ok=True)
    return folder


def _of_this_project(depth: int) -> bool:
    """Whether the code that asks, the standard library left out, is none of site-packages."""
    frame: Any = sys._getframe(depth)
    while frame:
        name = frame.f_code.co_filename
        library = f"{os.sep}lib{os.sep}python" in name and "site-packages" not in name
        if not name.startswith("<frozen") and not library and name != __file__:
            return "site-packages" not in name
        frame = frame.f_back
    return False


def windows() -> Callable[[], None]:
    """Put this process under the rules of Windows; what is returned takes them away."""
    listed = os.path.join(processes(), str(os.getpid()))
    with open(listed, "w", encoding="ascii"):
        pass
    kept = {name: getattr(os, name) for name in ("replace", "rename", "unlink", "remove", "stat")}
    affinity = getattr(os, "sched_getaffinity", None)
    before = builtins.__import__, time.monotonic, shutil._use_fd_functions

    def held() -> Iterator[str]:
        for process in os.listdir(processes()):
            folder = f"/proc/{process}"
            try:
                names = os.listdir(f"{folder}/fd")
            except OSError:
                with contextlib.suppress(OSError):
                    kept["unlink"](os.path.join(processes(), process))  # it has ended
                continue
            for name in names:
                with contextlib.suppress(OSError):
                    yield os.readlink(f"{folder}/fd/{name}")
            with contextlib.suppress(OSError), open(f"{folder}/maps", encoding="utf-8") as maps:
                for line in maps:
                    parts = line.rstrip("\n").split(None, 5)
                    if len(parts) == 6 and parts[5].startswith("/"):
                        yield parts[5]

    def check(path: Any, within: bool = False) -> None:
        real = os.path.realpath(os.fsdecode(path))
        if any(name == real or (within and name.startswith(f"{real}/")) for name in held()):
            raise PermissionError(
                13, "The process cannot access the file because it is being used by another process", real
            )

    def replace(source: Any, place: Any, **options: Any) -> None:
        check(source, within=True)
        check(place)
        kept["replace"](source, place, **options)

    def rename(source: Any, place: Any, **options: Any) -> None:
        if os.path.lexists(place):
            raise FileExistsError(
                17, "Cannot create a file when that file already exists", os.fsdecode(place)
            )
        check(source, within=True)
        kept["rename"](source, place, **options)

    def unlink(path: Any, **options: Any) -> None:
        check(path)
        kept["unlink"](path, **options)

    def stat(path: Any, *rest: Any, **options: Any) -> os.stat_result:
        named = isinstance(path, (str, os.PathLike)) and str(os.fspath(path)).startswith("/proc/")
        if named and _of_this_project(2):
            raise FileNotFoundError(2, "No such file or directory", os.fspath(path))
        found: os.stat_result = kept["stat"](path, *rest, **options)
        return found

    def import_(name: str, *rest: Any, **options: Any) -> Any:
        if name in ABSENT:
            asker = sys._getframe(1).f_code.co_filename
            if f"{os.sep}lib{os.sep}python" not in asker and "site-packages" not in asker:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return before[0](name, *rest, **options)

    monotonic = time.monotonic
    os.replace, os.rename, os.unlink, os.remove, os.stat = replace, rename, unlink, unlink, stat  # type: ignore[assignment]
    builtins.__import__ = import_
    time.monotonic = lambda: int(monotonic() * TICK) / TICK
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    if affinity is not None:
        del os.sched_getaffinity

    def undo() -> None:
        for name, function in kept.items():
            setattr(os, name, function)
        builtins.__import__, time.monotonic, shutil._use_fd_functions = before  # type: ignore[attr-defined]
        if affinity is not None:
            os.sched_getaffinity = affinity
        with contextlib.suppress(OSError):
            os.unlink(listed)

    return undo


def mac() -> Callable[[], None]:
    """Let torch lack what it lacks on a Mac; what is returned gives it back. Loads torch."""
    import torch

    ops, is_available = torch.ops.mkldnn, torch.backends.mkldnn.is_available
    double, to, cpu = torch.Tensor.double, torch.Tensor.to, torch.Tensor.cpu

    class NoOperations:
        def __getattr__(self, name: str) -> Any:
            raise AttributeError(f"'_OpNamespace' 'mkldnn' object has no attribute '{name}'")

    def refuse(tensor: Any) -> None:
        if (
            tensor.is_floating_point()
            and not getattr(tensor, "came_to_the_cpu", False)
            and _of_this_project(3)
        ):
            raise TypeError(
                "Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."
            )

    def checked_double(self: Any, *rest: Any, **options: Any) -> Any:
        refuse(self)
        return double(self, *rest, **options)

    def checked_to(self: Any, *rest: Any, **options: Any) -> Any:
        if torch.float64 in (*rest, options.get("dtype")):
            refuse(self)
        return to(self, *rest, **options)

    def marked_cpu(self: Any, *rest: Any, **options: Any) -> Any:
        found = cpu(self, *rest, **options)
        found = found.view_as(found) if found is self else found
        found.came_to_the_cpu = True
        return found

    torch.ops.mkldnn = NoOperations()  # type: ignore[assignment]
    torch.backends.mkldnn.is_available = lambda: False
    torch.Tensor.double, torch.Tensor.to, torch.Tensor.cpu = checked_double, checked_to, marked_cpu  # type: ignore[assignment, method-assign]

    def undo() -> None:
        torch.ops.mkldnn, torch.backends.mkldnn.is_available = ops, is_available
        torch.Tensor.double, torch.Tensor.to, torch.Tensor.cpu = double, to, cpu  # type: ignore[method-assign]

    return undo
