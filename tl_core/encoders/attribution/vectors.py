"""Passes of one input through a network with other word vectors in the place of the table's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tl_core.encoders.adapted import base_model
from tl_core.encoders.attention.subject import Subject, network_of, tensors
from tl_core.encoders.load import Encoder
from tl_core.text.inputs import SPECIAL, ModelInput
from tl_core.text.tokens import unknown_id

if TYPE_CHECKING:
    import torch

MASKS = ("[MASK]", "<mask>")


class EmbeddedInput:
    """T tokens of an input as vectors of width D, and the network as a function of them.

    The places, the token types and the mask stay those of the input, whatever the vectors are. Works with
    a quantised word table too, whose rows are no parameters. Hold the subject's lock around it.
    """

    def __init__(self, subject: Subject, shown: ModelInput) -> None:
        self.network = network_of(subject)
        self.batch = tensors(subject, [shown])
        model, family = base_model(subject.encoder), subject.encoder.family
        self._table = model.get_submodule(family.word_table)
        self._norm = model.get_submodule(family.first_norm) if family.first_norm else None
        self._ids = self.batch["input_ids"]
        self._without = without_texts(subject.encoder, shown, self._ids)

    def of_input(self) -> torch.Tensor:
        """The vectors of the input: (1, T, D)."""
        return self._read(self._ids)

    def of_reference(self) -> torch.Tensor:
        """The same with every token of the texts replaced by the filler: (1, T, D)."""
        return self._read(self._without)

    def _read(self, ids: torch.Tensor) -> torch.Tensor:
        """What the network reads of these ids: rows of the table, or what its first norm makes of them."""
        vectors: torch.Tensor = self._table(ids)
        return (vectors if self._norm is None else self._norm(vectors)).detach()

    def logits(self, vectors: torch.Tensor) -> torch.Tensor:
        """The network's logits on B rows of vectors, (B, T, D): float32, (B, ...)."""
        import torch

        batch = {name: tensor.expand(len(vectors), -1) for name, tensor in self.batch.items()}

        def put(module: Any, arguments: tuple[torch.Tensor, ...], looked_up: torch.Tensor) -> torch.Tensor:
            as_given = self._norm is not None or torch.equal(arguments[0], batch["input_ids"])
            return vectors if as_given else vectors.transpose(0, 1)  # XLNet turns its ids: (T, B)

        handle = (self._norm or self._table).register_forward_hook(put)
        try:
            logits: torch.Tensor = self.network(batch)
        finally:
            handle.remove()
        return logits.float()


def without_texts(encoder: Encoder, shown: ModelInput, ids: torch.Tensor) -> torch.Tensor:
    """The ids, (1, T), with the filler in the place of every token of the texts; special tokens stay."""
    import torch

    own = torch.from_numpy(shown.sides != SPECIAL).to(ids.device)
    return ids.masked_fill(own, filler_id(encoder))


def filler_id(encoder: Encoder) -> int:
    """The token that stands where a word is left out: the mask, else the unknown token, else padding.

    The mask is what an encoder has learnt to read as 'some word'; GPT-2 has neither mask nor unknown token.
    """
    tokenizer = encoder.tokenizer
    masks = [tokenizer.token_to_id(mask) for mask in MASKS]
    filler = next(
        (candidate for candidate in (*masks, unknown_id(tokenizer)) if candidate is not None), encoder.pad_id
    )
    return int(filler)
