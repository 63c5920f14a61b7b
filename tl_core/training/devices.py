"""Differences from device to device: copies, memory that runs out, random numbers, several processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from tl_core.settings import read_settings
from tl_core.training.choose_device import Work, choose_device
from tl_core.training.precision import resolve_precision

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")
LONGEST_WAIT = timedelta(hours=6)  # other processes wait while the first trains what is not shared


def best_device(work: Work = "encoder") -> torch.device:
    """The device on which this kind of work is done here; see `choose_device`."""
    import torch

    return torch.device(choose_device(read_settings(), work).kind)


def device_named(name: str, work: Work = "encoder") -> torch.device:
    """The device of this name, such as `cpu`; for '' the one on which this kind of work is done here."""
    import torch

    return torch.device(name) if name else best_device(work)


def to_device(batch: dict[str, torch.Tensor], device: torch.device) -> dict[str, torch.Tensor]:
    """The tensors of a batch on a device. Only CUDA may copy while the program goes on: an Apple GPU would read
    memory that is freed meanwhile (pytorch#189690).
    """
    return {name: tensor.to(device, non_blocking=device.type == "cuda") for name, tensor in batch.items()}


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device's memory did not suffice; an Apple GPU and the CPU say so in words alone."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in OUT_OF_MEMORY)


def free_memory() -> None:
    """Give a GPU's cached memory back, after it ran out."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """State of the random numbers of the CPU and of this device, by name."""
    import torch

    state = {"random.cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["random.cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["random.mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(state: Mapping[str, torch.Tensor]) -> None:
    """Let random numbers go on where `random_state` found them, on the devices that are here."""
    import torch

    torch.set_rng_state(state["random.cpu"])
    if "random.cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["random.cuda"])
    if "random.mps" in state and torch.backends.mps.is_available():
        torch.mps.set_rng_state(state["random.mps"])


def make_accelerator(precision: str, work: Work = "encoder") -> Accelerator:
    """An `Accelerator` for one training of this kind; `precision` is 'auto', 'float32' or 'bfloat16'.

    accelerate keeps one device and one precision per process, so its state is begun anew where the last
    training of this process used others.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState, PartialState
    from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs

    kind = best_device(work).type
    on_cpu = kind == "cpu"  # accelerate starts several CPU processes only if told so
    mixed = "bf16" if resolve_precision(precision, kind) == "bfloat16" else "no"
    if PartialState._shared_state and PartialState().device.type != kind:
        AcceleratorState._reset_state(reset_partial_state=True)
    PartialState(cpu=on_cpu, timeout=LONGEST_WAIT)
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
