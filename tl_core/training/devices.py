"""Where a training runs and in which precision: accelerate decides the device, this module the rest."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tl_core.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

PRECISIONS = ("auto", "float32", "bfloat16")
LONGEST_WAIT = timedelta(hours=6)  # other processes wait while the first trains what is not shared


def has_bfloat16(device_type: str) -> bool:
    """Whether matrix products in bfloat16 are done by the hardware of this device."""
    import torch

    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device_type == "cpu":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and (
            torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
        )
    return False


def resolve_precision(precision: str, device_type: str) -> str:
    """'float32' or 'bfloat16'; 'auto' takes bfloat16 where the hardware has it."""
    if precision not in PRECISIONS:
        raise ConfigError(f"precision must be one of {', '.join(PRECISIONS)}; got {precision!r}.")
    if precision == "auto":
        return "bfloat16" if has_bfloat16(device_type) else "float32"
    return precision


def best_device() -> torch.device:
    """The device accelerate would choose in a single process: CUDA, MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """A context for forward passes in `precision` ('float32' or 'bfloat16') on `device`."""
    import torch

    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def make_accelerator(precision: str) -> Accelerator:
    """An `Accelerator` for one training; `precision` is 'auto', 'float32' or 'bfloat16'.

    accelerate keeps one precision per process, so its state is begun anew where the last
    training of this process used another one.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    on_cpu = best_device().type == "cpu"  # accelerate starts several CPU processes only if told so
    device_type = PartialState(cpu=on_cpu, timeout=LONGEST_WAIT).device.type
    mixed = "bf16" if resolve_precision(precision, device_type) == "bfloat16" else "no"
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != mixed:
        AcceleratorState._reset_state()
    return Accelerator(
        cpu=on_cpu,
        mixed_precision=mixed,
        kwargs_handlers=[
            DistributedDataParallelKwargs(find_unused_parameters=True),
            InitProcessGroupKwargs(timeout=LONGEST_WAIT),
        ],
    )


def end_process(code: int) -> int:
    """`code` for a single process; one of several under torchrun leaves its group and ends here with `code`.

    The interpreter's own end is passed over: torch keeps the group's threads once a model was wrapped
    for several processes, and one that lets go of a tensor while the interpreter ends aborts it.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return code
    import torch.distributed

    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
