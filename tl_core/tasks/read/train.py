"""Train a reader: an encoder, bare or trained before, and a span head, in the one training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.data.reading import ReadingSet, with_unanswerable
from tl_core.encoders.adapted import (
    StartingPoint,
    has_frozen_words,
    load_trainable,
    load_with_adapter,
    save_adapter,
    save_weights,
    use_plain_attention,
)
from tl_core.encoders.load import Encoder
from tl_core.encoders.tuning import epochs_for, set_dropout
from tl_core.tasks.fitting import Fitted, TrainingContext
from tl_core.tasks.read.config import ReadConfig
from tl_core.tasks.read.examples import SpanExamples, WindowDrawer, span_examples
from tl_core.tasks.read.network import WindowBatch, allowed_logits, make_batch, make_reader_network
from tl_core.tasks.read.saved import read_head, save_reader
from tl_core.training.batches import sorted_batches
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Training
from tl_core.training.loop import Indices, Problem, fit, loop_config

if TYPE_CHECKING:
    import torch

VALIDATION_BATCH = 32
SHORT_TOKENS = 256  # up to here plain attention trains 1.5 times as fast on a CPU as the fused one


@dataclass(frozen=True, slots=True, eq=False)
class TrainedReader:
    """A reader in memory as it was trained; `save_encoder(folder)` writes what was trained in its encoder."""

    start: StartingPoint
    encoder: Encoder
    network: torch.nn.Module
    save_encoder: Callable[[Path], None]

    def save(self, folder: Path) -> None:
        """Write the encoder's trained part and the span head, for `load_reader`."""
        self.save_encoder(folder)
        save_reader(folder, self.start, self.encoder, self.network)


def fit_reader(
    context: TrainingContext, train: ReadingSet, validation: ReadingSet | None, config: ReadConfig
) -> Training[Fitted[TrainedReader]]:
    """Train encoder and span head on the questions of `train`; validation questions choose the epoch.

    Starts from the head of an earlier reader, if `context.start` has one. Yields what `fit` yields;
    raises DataError if the questions leave nothing to learn from.
    """
    import torch

    torch.manual_seed(context.seed)
    encoder, save_encoder = _encoder(context, config)
    if config.method == "full" and has_frozen_words(encoder):
        yield Note("The word table of this encoder is quantised and stays as it is.")
    set_dropout(encoder.model, config.encoder_dropout, config.attention_dropout)
    network = make_reader_network(encoder, config.dropout)
    head = read_head(context.starting_point.trained)
    if head is not None:
        network.head.load_state_dict(head)  # type: ignore[union-attr, operator]
        yield Note("Starts from an earlier reader, its span head included.")
    accelerator = make_accelerator(config.precision)
    learned = with_unanswerable(train, config.unanswerable_share, context.seed)
    drawer = WindowDrawer(
        encoder, learned, max_tokens=config.max_tokens, seed=context.seed, any_reference=config.any_reference
    )
    held = None
    if validation is not None and len(validation):
        held = span_examples(encoder, validation, max_tokens=config.max_tokens, seed=context.seed)
    problem = make_problem(encoder, drawer.draw, held, accelerator.device)
    if accelerator.device.type == "cpu" and problem.lengths.max() <= SHORT_TOKENS:
        use_plain_attention(encoder)
    config = replace(config, learning_rate=config.encoder_rate)
    loop = loop_config(config, epochs_for(config, len(problem.lengths)), context.seed)
    result = yield from fit(network, network.head, problem, loop, accelerator, context.control)  # type: ignore[arg-type]
    reader = TrainedReader(context.starting_point, encoder, network, save_encoder)
    facts = {
        "windows": len(problem.lengths),
        "epochs": loop.epochs,
        "device": accelerator.device.type,
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "learning_rate": loop.learning_rate,
        **(context.starting_point.rank_facts() if config.method == "lora" else {}),
    }
    return Fitted(reader, result.seconds, result.trained_parameters, facts)


def _encoder(context: TrainingContext, config: ReadConfig) -> tuple[Encoder, Callable[[Path], None]]:
    """The encoder with what may be trained in it, and how to save that."""
    if config.method == "lora":
        encoder = load_with_adapter(
            context.starting_point, context.settings, rank=config.rank, alpha=config.alpha, dropout=0.0
        )
        return encoder, lambda folder: save_adapter(encoder, folder, context.starting_point)
    encoder = load_trainable(context.starting_point, context.settings)
    return encoder, lambda folder: save_weights(encoder, folder)


def make_problem(
    encoder: Encoder, draw: Callable[[int], SpanExamples], held: SpanExamples | None, device: torch.device
) -> Problem:
    """The mean of start and end cross-entropy (Devlin et al. 2019, section 4.2), for the loop.

    `draw(epoch)` gives the windows of an epoch, always as many. Right is a validation window whose best start and
    best end are both the reference's.
    """

    now = draw(0)

    def renew(epoch: int) -> Indices:
        nonlocal now
        now = draw(epoch)
        return now.lengths

    def losses(model: torch.nn.Module, rows: Indices) -> torch.Tensor:
        batch = make_batch(encoder, [now.windows[row] for row in rows], device)
        return _losses(model(batch.inputs), batch, now, rows)

    if held is None:
        return Problem(now.lengths, losses, renew=renew)

    def validate(model: torch.nn.Module, part: int, parts: int) -> NDArray[np.float64]:
        sums = np.zeros(3)
        for rows in sorted_batches(held.lengths, VALIDATION_BATCH)[part::parts]:
            batch = make_batch(encoder, [held.windows[row] for row in rows], device)
            logits = model(batch.inputs)
            best = allowed_logits(logits, batch.allowed).argmax(1)
            right = (best == _targets(batch, held, rows)).all(-1)
            sums += [float(_losses(logits, batch, held, rows).sum()), float(right.sum()), len(rows)]
        return sums

    return Problem(now.lengths, losses, validate, renew)


def _losses(logits: torch.Tensor, batch: WindowBatch, examples: SpanExamples, rows: Indices) -> torch.Tensor:
    """Of each window: (B,)."""
    from torch.nn.functional import cross_entropy

    targets = _targets(batch, examples, rows)
    return cross_entropy(allowed_logits(logits, batch.allowed), targets, reduction="none").mean(-1)


def _targets(batch: WindowBatch, examples: SpanExamples, rows: Indices) -> torch.Tensor:
    """Positions of start and end in the padded batch: (B, 2)."""
    import torch

    places = np.stack([examples.starts[rows], examples.ends[rows]], axis=1)
    return torch.from_numpy(places).to(batch.shift.device) + batch.shift[:, None]
