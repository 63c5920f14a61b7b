"""The largest memory a piece of work held, in bytes: of the GPU where it ran there, else of the process."""

from __future__ import annotations

import ctypes
import sys
import threading
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
LOOK_SECONDS = 0.05  # between two looks at the memory where the system keeps no peak that can be begun anew
_held = 0  # bytes of the GPU when the peak began
_watch: _Watch | None = None


class _Watch(threading.Thread):
    """Looks again and again how much memory this process holds; `largest` is the most it saw."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.largest, self.ended = 0, threading.Event()
        self.look()

    def look(self) -> None:
        import psutil

        self.largest = max(self.largest, int(psutil.Process().memory_info().rss))

    def run(self) -> None:
        while not self.ended.wait(LOOK_SECONDS):
            self.look()


def start_peak() -> None:
    """Begin a new peak: what was held before this call no longer counts."""
    global _held, _watch
    if _watch is not None:
        _watch.ended.set()
        _watch = None
    try:
        CLEAR.write_text("5", encoding="ascii")  # resets VmHWM, see man 5 proc
    except OSError:
        _watch = _Watch()
        _watch.start()
    if _cuda_in_use():
        import torch

        torch.cuda.reset_peak_memory_stats()
        _held = int(torch.cuda.memory_allocated())


def peak_bytes() -> int:
    """The largest memory held since `start_peak`: of the GPU if the work took some of it, else of the process."""
    if _cuda_in_use():
        import torch

        if (largest := int(torch.cuda.max_memory_allocated())) > _held:
            return largest
    if _watch is not None:
        _watch.look()
        return _watch.largest
    try:
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return _process_peak()


def _process_peak() -> int:
    """The largest memory this process held since it began, or holds now where the system does not keep that."""
    import psutil

    held = psutil.Process().memory_info()
    return int(getattr(held, "peak_wset", held.rss))


def give_back() -> None:
    """Return freed memory to the system (glibc keeps it otherwise, in pieces that batches of other lengths miss)."""
    if sys.platform == "linux":
        try:
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        except (OSError, AttributeError):
            pass  # another C library


def _cuda_in_use() -> bool:
    torch = sys.modules.get("torch")
    return bool(torch and torch.cuda.is_available() and torch.cuda.is_initialized())
