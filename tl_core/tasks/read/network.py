"""An encoder with a span head: two logits for every token, start and end of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tl_core.encoders.batches import pad
from tl_core.encoders.load import Encoder
from tl_core.text.windows import Window
from tl_core.training.devices import to_device

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """B windows on a device: the encoder's arguments, (B, T) each, and which tokens may be an answer.

    `allowed` is (B, T): the passage's tokens and the null position. `shift` is (B,): how far a
    window's tokens were moved by padding on the left.
    """

    inputs: dict[str, torch.Tensor]
    allowed: torch.Tensor
    shift: torch.Tensor


def make_batch(encoder: Encoder, windows: Sequence[Window], device: torch.device) -> WindowBatch:
    """The windows as one padded batch."""
    import torch

    family = encoder.family
    inputs = pad(
        [window.encoded for window in windows],
        encoder.pad_id,
        type_ids=family.type_ids,
        pad_left=family.pad_left,
    )
    length = inputs["input_ids"].shape[1]
    shift = torch.tensor([length - len(window.encoded) if family.pad_left else 0 for window in windows])
    first = torch.tensor([window.first for window in windows]) + shift
    count = torch.tensor([window.count for window in windows])
    null = torch.tensor([window.null for window in windows]) + shift
    places = torch.arange(length)
    allowed = (places >= first[:, None]) & (places < (first + count)[:, None])
    allowed |= places == null[:, None]
    return WindowBatch(to_device(inputs, device), allowed.to(device), shift.to(device))


def make_reader_network(encoder: Encoder, dropout: float = 0.0) -> torch.nn.Module:
    """An nn.Module from an encoder's arguments to span logits (B, T, 2): `.encoder`, dropout, `.head`."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder.model
            self.dropout = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(encoder.width, 2)
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
            hidden = self.encoder(**inputs).last_hidden_state
            with torch.autocast(hidden.device.type, enabled=False):  # bfloat16 logits would tie
                logits: torch.Tensor = self.head(self.dropout(hidden).to(self.head.weight.dtype))
            return logits

    return Network()


def allowed_logits(logits: torch.Tensor, allowed: torch.Tensor) -> torch.Tensor:
    """Span logits as float32, minus infinity where no answer may start or end: (B, T, 2)."""
    return logits.float().masked_fill(~allowed.unsqueeze(-1), float("-inf"))
