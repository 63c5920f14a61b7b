"""In which precision a device computes (float32, or bfloat16 where its hardware has it), and float64 beside it."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "float32", "bfloat16")


def has_bfloat16(device_type: str) -> bool:
    """Whether matrix products in bfloat16 are done by the hardware of this device."""
    import torch

    if device_type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device_type == "cpu":
        return (
            torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # wheels for macOS are built without it
            and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
            and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
        )
    return False


def resolve_precision(precision: str, device_type: str) -> str:
    """'float32' or 'bfloat16'; 'auto' takes bfloat16 where the hardware has it."""
    if precision not in PRECISIONS:
        raise ConfigError(
            "precision must be one of {precisions}; got {precision!r}.",
            precisions=", ".join(PRECISIONS),
            precision=precision,
        )
    if precision == "auto":
        return "bfloat16" if has_bfloat16(device_type) else "float32"
    return precision


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """A context for forward passes in `precision` ('float32' or 'bfloat16') on `device`."""
    import torch

    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def as_float64(tensor: torch.Tensor) -> NDArray[np.float64]:
    """The numbers of a tensor as NumPy's float64: made on the CPU, since an Apple GPU has no float64."""
    import torch

    here = tensor.detach().cpu()
    return (here.float() if here.dtype == torch.bfloat16 else here).numpy().astype(np.float64)


def class_shares(logits: torch.Tensor) -> NDArray[np.float64]:
    """The softmax of logits (..., C) in float64."""
    from scipy.special import softmax

    shares: NDArray[np.float64] = softmax(as_float64(logits), axis=-1)
    return shares
