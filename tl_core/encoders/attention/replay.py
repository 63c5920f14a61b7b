"""Passes that begin at a later layer: what the layers below gave is taken from an earlier pass.

Works on the list of blocks that every family has, each called once a layer (ALBERT calls one of them L times).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tl_core.encoders.adapted import base_model
from tl_core.encoders.load import Encoder


@contextmanager
def recorded(encoder: Encoder) -> Iterator[list[Any]]:
    """One pass whose L layers leave what they give in a list; hold the encoder's lock around it."""
    outputs: list[Any] = []

    def keep(module: Any, arguments: Any, output: Any) -> None:
        outputs.append(output)

    handles = [block.register_forward_hook(keep) for block in _blocks(encoder)]
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
    calls = 0

    def instead_of(forward: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            layer, calls = calls % encoder.layers, calls + 1
            return outputs[layer] if layer < len(outputs) else forward(*arguments, **named)

        return run

    blocks = _blocks(encoder)
    try:
        for block in blocks:
            block.forward = instead_of(block.forward)
        yield
    finally:
        for block in blocks:
            vars(block).pop("forward", None)  # the class's own comes back


def _blocks(encoder: Encoder) -> list[Any]:
    return list(base_model(encoder).get_submodule(encoder.family.blocks))
