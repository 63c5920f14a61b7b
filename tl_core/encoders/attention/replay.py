"""Passes that begin at a later layer: what the layers below gave is taken from an earlier pass.

Works on the list of blocks that every family has, each called once a layer (ALBERT calls one of them L times).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tl_core.encoders.layers import blocks_of
from tl_core.encoders.load import Encoder
from tl_core.encoders.lower import blocks_run


@contextmanager
def recorded(encoder: Encoder) -> Iterator[list[Any]]:
    """One pass whose L layers leave what they give in a list; hold the encoder's lock around it."""
    outputs: list[Any] = []

    def keep(module: Any, arguments: Any, output: Any) -> None:
        outputs.append(output)

    handles = [block.register_forward_hook(keep) for block in blocks_of(encoder)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def replayed(encoder: Encoder, outputs: Sequence[Any]) -> Iterator[None]:
    """Passes of the recorded input in which the first layers are not computed but give these outputs.

    Hold the encoder's lock around it.
    """
    with blocks_run(encoder, lambda layer, compute: outputs[layer] if layer < len(outputs) else compute()):
        yield
