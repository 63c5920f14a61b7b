"""Subjects on tiny random encoders, whose heads are wide enough that outputs differ: for tests everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.encoders.tiny import TINY_TYPES, write_tiny_encoder
from tl_core.encoders.attention.subject import Subject, Target
from tl_core.encoders.load import Encoder, find_encoder, load_encoder
from tl_core.settings import Settings
from tl_core.text.inputs import ModelInput

if TYPE_CHECKING:
    import torch

READING_TYPES = tuple(each for each in TINY_TYPES if each != "gpt2")
OWN_ATTENTION = ("xlnet", "mpnet", "deberta", "deberta-v2")  # computed in a way of their own
WATCHABLE_TYPES = tuple(each for each in TINY_TYPES if each not in OWN_ATTENTION)
CLASSES = ("bad", "fair", "good")
TEXT = "The king, a very good man, saw a big dog in my old house!"
QUESTION = "Who saw the dog?"


def tiny_encoder(folder: Path, model_type: str, seed: int = 0) -> Encoder:
    """A random encoder of a family, written to a folder of its own and loaded."""
    settings = Settings(home=folder / "home", threads=1, offline=True)
    written = write_tiny_encoder(folder / model_type, model_type, seed)
    return load_encoder(find_encoder(str(written), settings), settings)


def tiny_bare_subject(folder: Path, model_type: str) -> Subject:
    """An encoder without a head."""
    encoder = tiny_encoder(folder, model_type)
    return Subject("tiny", "A tiny encoder", "bare", encoder, encoder.max_tokens)


def tiny_classifier_subject(folder: Path, model_type: str, seed: int = 0) -> Subject:
    """A random classifier of three classes."""
    from tl_core.tasks.classify.encoder.classifier import make_encoder_network

    encoder = tiny_encoder(folder, model_type, seed)
    network = _spread(lambda: make_encoder_network(encoder, len(CLASSES), dropout=0.1), seed)
    return Subject(
        "tiny", "A tiny classifier", "classes", encoder, encoder.max_tokens, network, CLASSES, class_targets
    )


def tiny_reader_subject(folder: Path, model_type: str, seed: int = 0) -> Subject:
    """A random reader of at most 64 tokens."""
    from tl_core.tasks.read.network import make_reader_network

    encoder = tiny_encoder(folder, model_type, seed)
    network = _spread(lambda: make_reader_network(encoder), seed)
    return Subject("tiny", "A tiny reader", "span", encoder, encoder.max_tokens, network, (), span_targets)


def class_targets(logits: torch.Tensor, shown: ModelInput) -> list[Target]:
    """The logit of every class, the most probable first."""
    shares = logits.double().softmax(-1).tolist()
    found = [
        Target(CLASSES[at], _class_value(at), float(logits[at]), shares[at]) for at in range(len(shares))
    ]
    return sorted(found, key=lambda each: -each.score)


def span_targets(logits: torch.Tensor, shown: ModelInput) -> list[Target]:
    """Start and end logit less those of the first token, of all spans of one to three tokens, best first."""
    places = np.flatnonzero(shown.sides == 1).tolist()
    spans = [(first, last) for first in places for last in places if first <= last < first + 3]
    found = []
    for first, last in spans:
        value = _span_value(first, last)
        found.append(Target(" ".join(shown.tokens[first : last + 1]), value, float(value(logits[None])[0])))
    return sorted(found, key=lambda each: -each.score)


def _class_value(at: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda logits: logits[:, at]


def _span_value(first: int, last: int) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda logits: logits[:, first, 0] + logits[:, last, 1] - logits[:, 0].sum(-1)


def _spread(make: Callable[[], torch.nn.Module], seed: int) -> torch.nn.Module:
    """The network in evaluation mode, its random head as wide as the tests need it."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = make()
        torch.nn.init.normal_(network.head.weight, std=1.0)  # type: ignore[union-attr, arg-type]
    return network.eval()
