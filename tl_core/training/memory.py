"""The largest memory a piece of work held, in bytes: of the GPU where it ran there, else of the process."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
_held = 0  # bytes of the GPU when the peak began


def start_peak() -> None:
    """Begin a new peak: what was held before this call no longer counts (Linux and CUDA)."""
    try:
        CLEAR.write_text("5")  # resets VmHWM, see man 5 proc
    except OSError:
        pass  # elsewhere the peak is that of the whole process: never too small
    global _held
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
    if STATUS.exists():
        for line in STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


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
