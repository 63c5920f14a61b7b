"""What an answer's score hangs on: gradient x input, word by word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.encoders.adapted import base_model
from tl_core.tasks.read.opened import OpenWindow, window_inputs
from tl_core.tasks.read.reader import Reader
from tl_core.text.places import Numbers, members
from tl_core.training.precision import as_float64

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Shading:
    """How much each word holds the answer's score up (above 0) or down: (Q,) and (P,), largest 1.

    Times `scale` they are sums of gradient x input in logits.
    """

    question: Numbers
    passage: Numbers
    scale: float


def gradient_shading(reader: Reader, opened: OpenWindow) -> Shading:
    """Gradient x input of the answer's score with respect to the word embeddings, summed per word.

    The score is the start logit of the first token plus the end logit of the last one less the null
    score (Simonyan et al. 2014; Shrikumar et al. 2017). The network's own gradients stay untouched.
    """
    import torch

    held: list[torch.Tensor] = []

    def hold(module: Any, arguments: Any, embedded: torch.Tensor) -> torch.Tensor:
        held.append(embedded.detach().requires_grad_())  # a quantised table's rows are no parameters
        return held[-1]

    first, last = opened.answer
    table = base_model(reader.encoder).get_submodule(reader.encoder.family.word_table)
    with reader.lock, torch.inference_mode(False), torch.enable_grad():
        handle = table.register_forward_hook(hold)
        try:
            logits = reader.network(window_inputs(reader, opened))[0]  # (T, 2)
        finally:
            handle.remove()
        score = logits[first, 0] + logits[last, 1] - logits[opened.window.null].sum()
        (gradient,) = torch.autograd.grad(score, held)
    shades = as_float64((gradient * held[0]).sum(-1).flatten())  # (T,)
    question = members(opened.question_of, len(opened.question_words)) @ shades
    passage = members(opened.passage_of, len(opened.passage_words)) @ shades
    scale = float(np.abs(np.concatenate([question, passage])).max(initial=0.0))
    return Shading(question / (scale or 1.0), passage / (scale or 1.0), scale)
