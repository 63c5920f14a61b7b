"""States that the lower, frozen blocks of an encoder give: computed once, kept in memory, and passes that begin above them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.batcher import Batcher
from tl_core.encoders.layers import blocks_of
from tl_core.encoders.load import Encoder
from tl_core.training.batches import sorted_batches
from tl_core.training.events import Progress, Training

if TYPE_CHECKING:
    import torch

LARGEST_BYTES = 1_000_000_000  # of all kept states together
KEEP_BATCH = 32


class LowerStates:
    """The states after block `layers` of all texts of a batcher, their tokens one after another in memory."""

    def __init__(self, batcher: Batcher, layers: int, kept: torch.dtype) -> None:
        import torch

        self.encoder, self.layers = batcher.encoder, layers
        self.lengths = _lengths(batcher)
        self.ends = np.cumsum(self.lengths)
        self.flat = torch.zeros(
            int(self.lengths.sum()), self.encoder.width, dtype=kept, device=batcher.device
        )
        self.parts = 0  # of what a block gives, where that is a tuple that begins with the states

    def put(self, rows: NDArray[Any], batch: dict[str, torch.Tensor]) -> None:
        """Compute and keep the states of these texts, given as the padded batch of them."""
        import torch

        self.encoder.model.eval()
        with torch.no_grad(), _ended_after(self.encoder, self.layers) as given:
            self.encoder.model(**batch)
        self.parts = len(given[0]) if isinstance(given[0], tuple) else 0
        states = given[0][0] if self.parts else given[0]
        if self.encoder.family.time_first:
            states = states.transpose(0, 1)  # (B, T, D)
        real = states[batch["attention_mask"].bool()].to(self.flat.dtype)
        for row, piece in zip(rows, real.split(self.lengths[rows].tolist()), strict=True):
            self.flat[self.ends[row] - len(piece) : self.ends[row]] = piece

    def __call__(self, rows: NDArray[Any]) -> torch.Tensor:
        """The states of these texts, (B, T, D), padded with zeros to the longest on the family's side."""
        longest = int(self.lengths[rows].max())
        states = self.flat.new_zeros(len(rows), longest, self.flat.shape[-1])
        for at, row in enumerate(rows):
            length = int(self.lengths[row])
            first = longest - length if self.encoder.family.pad_left else 0
            states[at, first : first + length] = self.flat[self.ends[row] - length : self.ends[row]]
        return states


def kept_type(
    batchers: Sequence[Batcher], width: int, precision: str, largest: int = LARGEST_BYTES
) -> torch.dtype | None:
    """The number type in which the states of all these texts fit into `largest` bytes; None if in none.

    float32 if it can be, else bfloat16 where that is the precision that is computed in.
    """
    import torch

    numbers = sum(int(_lengths(batcher).sum()) for batcher in batchers) * width
    if 4 * numbers <= largest:
        return torch.float32
    return torch.bfloat16 if precision == "bfloat16" and 2 * numbers <= largest else None


def lower_states(
    batchers: Sequence[Batcher],
    layers: int,
    kept: torch.dtype,
    computing: Callable[[], AbstractContextManager[Any]],
) -> Training[list[LowerStates]]:
    """States after the lowest `layers` blocks (at least 1) for the texts of each batcher, kept as numbers of type `kept`.

    The blocks above are not computed. `computing()` is a context for each pass, such as autocast.
    Yields Progress in texts.
    """
    total, done = sum(len(batcher.lengths) for batcher in batchers), 0
    kept_states = []
    for batcher in batchers:
        states = LowerStates(batcher, layers, kept)
        for rows in sorted_batches(batcher.lengths, KEEP_BATCH):
            with computing():
                states.put(rows, batcher(rows))
            done += len(rows)
            yield Progress(done, total)
        kept_states.append(states)
    return kept_states


@contextmanager
def begun_above(kept_states: LowerStates, rows: NDArray[Any]) -> Iterator[None]:
    """Passes of these texts in which the lower blocks are not computed but give what was kept."""
    states = kept_states(rows)
    if kept_states.encoder.family.time_first:
        states = states.transpose(0, 1).contiguous()
    output: Any = (states, *(None,) * (kept_states.parts - 1)) if kept_states.parts else states
    with blocks_run(
        kept_states.encoder, lambda layer, compute: output if layer < kept_states.layers else compute()
    ):
        yield


@contextmanager
def _ended_after(encoder: Encoder, layers: int) -> Iterator[list[Any]]:
    """One pass in which the blocks above `layers` only hand on what the last of these gave; it is put into the list."""
    given: list[Any] = []

    def run(layer: int, compute: Callable[[], Any]) -> Any:
        if layer >= layers:
            return given[0]
        output = compute()
        if layer == layers - 1:
            given.append(output)
        return output

    with blocks_run(encoder, run):
        yield given


@contextmanager
def blocks_run(encoder: Encoder, run: Callable[[int, Callable[[], Any]], Any]) -> Iterator[None]:
    """Passes in which layer l (from 0) gives `run(l, compute)`, where `compute()` is what the block itself gives."""
    calls = 0

    def instead_of(forward: Callable[..., Any]) -> Callable[..., Any]:
        def begun(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            layer, calls = calls % encoder.layers, calls + 1
            return run(layer, lambda: forward(*arguments, **named))

        return begun

    blocks = blocks_of(encoder)
    try:
        for block in blocks:
            block.forward = instead_of(block.forward)
        yield
    finally:
        for block in blocks:
            vars(block).pop("forward", None)  # the class's own comes back


def _lengths(batcher: Batcher) -> NDArray[np.int64]:
    """Tokens of each text as they are computed: a text without tokens stands as one."""
    return np.maximum(batcher.lengths, 1)
