"""Scores: how much each token and each word of an input adds to one number of a network's output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from tl_core.encoders.attention.subject import Subject, Target, network_of, tensors
from tl_core.encoders.attribution.vectors import EmbeddedInput, filler_id
from tl_core.errors import ConfigError
from tl_core.text.inputs import ModelInput
from tl_core.text.places import Numbers, members
from tl_core.training.precision import as_float64

if TYPE_CHECKING:
    import torch

Method = Literal["gradxinput", "ig", "occlusion"]
TOKENS_AT_ONCE = 2048  # of integrated gradients, so that memory stays bounded
WORDS_AT_ONCE = 16


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Scores that hold a target's value up (above 0) or down, in its own unit (logits).

    `tokens` (T,) are the scores of tokens, None where a method knows whole words alone; `words` (W,) the sums
    of their tokens' scores. `output` is the target's value on the input, `baseline` that on the reference, and
    `completeness_error` how far the sum of all scores misses their difference; both None without a reference.
    """

    method: Method
    tokens: Numbers | None
    words: Numbers
    output: float
    baseline: float | None = None
    completeness_error: float | None = None

    @property
    def scale(self) -> float:
        """The size of the strongest word's score."""
        return float(np.abs(self.words).max(initial=0.0))

    @property
    def shades(self) -> Numbers:
        """The words' scores as shares of the strongest: (W,), -1 to 1."""
        return self.words / (self.scale or 1.0)

    @property
    def relative_error(self) -> float | None:
        """The completeness error as a share of what is to be explained; None without either."""
        if self.completeness_error is None or self.baseline is None or self.output == self.baseline:
            return None
        return self.completeness_error / abs(self.output - self.baseline)


def attribute(
    subject: Subject, shown: ModelInput, target: Target, method: Method, *, steps: int = 50
) -> Attribution:
    """The scores of an input's words for a target by one method; `steps` is for `ig` alone.

    - `gradxinput`: the gradient with respect to a token's word vector times that vector (Simonyan et al.
      2014; Shrikumar et al. 2017): what the output would lose were it linear and the vector zero.
    - `ig`: integrated gradients (Sundararajan et al. 2017, eq. 1) from a reference in which the filler
      (`filler_id`) stands for every token of the texts; special tokens stay and so score nothing. The
      integral is a Gauss-Legendre sum of `steps` gradients.
    - `occlusion`: the fall of the output when the filler stands for all tokens of one word. Nothing moves, so
      that the places of a span remain what they were.

    ModelError for a bare encoder, ConfigError for another method or less than one step. The network's own
    gradients stay untouched.
    """
    import torch

    if method not in get_args(Method):
        raise ConfigError(
            "method must be one of {methods}; got {method!r}.",
            methods=", ".join(get_args(Method)),
            method=method,
        )
    if steps < 1:
        raise ConfigError("steps must be at least 1; got {steps}.", steps=steps)
    network = network_of(subject)
    with subject.lock, torch.inference_mode(False), torch.enable_grad():
        network.eval()
        if method == "occlusion":
            return _occlusion(subject, shown, target)
        vectors = EmbeddedInput(subject, shown)
        value = _value(vectors, target)
        if method == "gradxinput":
            return _gradient_x_input(shown, vectors.of_input(), value)
        return _integrated_gradients(shown, vectors.of_input(), vectors.of_reference(), value, steps)


Value = Callable[["torch.Tensor"], "torch.Tensor"]  # (B, T, D) to (B,)


def _value(vectors: EmbeddedInput, target: Target) -> Value:
    return lambda given: target.value(vectors.logits(given))


def _noted(value: Value, outputs: list[torch.Tensor]) -> Value:
    """The same value, with all its outputs noted: captum asks for the input's own first, and keeps it to itself."""

    def noted(given: torch.Tensor) -> torch.Tensor:
        outputs.append(value(given))
        return outputs[-1]

    return noted


def _gradient_x_input(shown: ModelInput, vectors: torch.Tensor, value: Value) -> Attribution:
    from captum.attr import InputXGradient

    outputs: list[torch.Tensor] = []
    scores = InputXGradient(_noted(value, outputs)).attribute(vectors.requires_grad_())
    tokens = _per_token(scores.detach())
    return Attribution("gradxinput", tokens, _per_word(shown, tokens), float(outputs[0].detach()[0]))


def _integrated_gradients(
    shown: ModelInput, vectors: torch.Tensor, reference: torch.Tensor, value: Value, steps: int
) -> Attribution:
    import torch
    from captum.attr import IntegratedGradients

    scores = IntegratedGradients(value).attribute(
        vectors,
        reference,
        n_steps=steps,
        method="gausslegendre",
        internal_batch_size=max(1, TOKENS_AT_ONCE // len(shown)),
    )
    with torch.no_grad():
        output, baseline = as_float64(value(torch.cat([vectors, reference]))).tolist()
    tokens = _per_token(scores)
    error = abs(float(tokens.sum()) - (output - baseline))
    return Attribution("ig", tokens, _per_word(shown, tokens), output, baseline, error)


def _occlusion(subject: Subject, shown: ModelInput, target: Target) -> Attribution:
    """One pass with every word, then one without each, several together; all are of the same length."""
    import torch
    from captum.attr import FeatureAblation

    network, batch = network_of(subject), tensors(subject, [shown])
    ids = batch["input_ids"]
    word_of = torch.from_numpy(shown.word_of).to(ids.device)
    left_out = ids.masked_fill(word_of >= 0, filler_id(subject.encoder))  # tokens of no word stay as they are

    def value(rows: torch.Tensor) -> torch.Tensor:
        expanded = {name: tensor.expand(len(rows), -1) for name, tensor in batch.items()}
        return target.value(network(expanded | {"input_ids": rows}).float())

    outputs: list[torch.Tensor] = []
    scores = FeatureAblation(_noted(value, outputs)).attribute(
        ids, left_out, feature_mask=word_of[None] + 1, perturbations_per_eval=WORDS_AT_ONCE
    )
    of_word = members(shown.word_of, len(shown.words))  # each token has its whole word's score
    words = of_word @ as_float64(scores)[0] / of_word.sum(1)
    return Attribution("occlusion", None, words, float(outputs[0][0]))


def _per_token(scores: torch.Tensor) -> Numbers:
    """The sums over the width of scores (1, T, D): (T,)."""
    sums: Numbers = as_float64(scores).sum(-1)[0]
    return sums


def _per_word(shown: ModelInput, tokens: Numbers) -> Numbers:
    words: Numbers = members(shown.word_of, len(shown.words)) @ tokens
    return words
