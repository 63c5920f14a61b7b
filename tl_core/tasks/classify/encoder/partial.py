"""Encoders that are trained in part: the top layers alone, or one layer after the other from the top."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.encoders.adapted import has_frozen_words, load_trainable, save_weights
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.layers import blocks_of, depth_of, frozen_below
from tl_core.encoders.load import Encoder
from tl_core.encoders.lower import begun_above, kept_type, lower_states
from tl_core.encoders.tuning import GradualConfig, TopLayersConfig, set_dropout
from tl_core.tasks.classify.encoder.classifier import weights_saver
from tl_core.tasks.classify.encoder.tuned import Change, Forward, fit_change, plain, seed_torch
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier
from tl_core.training.events import Note, Training, stoppable
from tl_core.training.loop import Indices, LoopConfig, LoopControl, RateOf
from tl_core.training.precision import resolve_precision

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

IN_ENCODER = "encoder."  # what the network's names put before the names of the encoder's parameters


def fit_top_layers(given: FitInput[TopLayersConfig]) -> Training[FittedClassifier]:
    """Train the top layers of the encoder and a new head; embeddings and lower layers stay as they are.

    What the lower layers give is computed once and kept in memory where it fits.
    """
    context, config = given.context, given.config
    seed_torch(context.seed)
    encoder = load_trainable(context.starting_point, context.settings)
    blocks, layers = frozen_below(encoder, config.layers)
    if layers != encoder.layers - config.layers:
        yield Note(
            "Layers of this encoder share their weights: {layers} layers are trained.",
            {"layers": encoder.layers - layers},
        )
    for name, parameter in encoder.model.named_parameters():
        parameter.requires_grad_(parameter.requires_grad and depth_of(encoder, name) > blocks)
    keep = functools.partial(_keep_lower, encoder, blocks, layers, config)
    change = Change(encoder, functools.partial(_save_whole, encoder), keep=keep)
    return (yield from fit_change(given, change))


def _keep_lower(
    encoder: Encoder,
    blocks: int,
    layers: int,
    config: TopLayersConfig,
    batchers: Sequence[Batcher],
    accelerator: Accelerator,
    control: LoopControl,
) -> Training[Forward]:
    """A forward pass that begins above the lowest `layers` layers, if what they give fits into memory."""
    set_dropout(encoder.model, 0.0)  # what is not trained gives the same in every pass
    for block in blocks_of(encoder)[blocks:]:
        set_dropout(block, config.encoder_dropout)
    precision = resolve_precision(config.precision, accelerator.device.type)
    kept = kept_type(batchers, encoder.width, precision)
    if kept is None or not layers:
        return plain
    computing = lower_states(batchers, layers, kept, accelerator.autocast)
    states = yield from stoppable(computing, control.stop_requested)

    def forward(model: torch.nn.Module, batches: Batcher, rows: Indices) -> torch.Tensor:
        with begun_above(states[batchers.index(batches)], rows):
            return plain(model, batches, rows)

    return forward


def _save_whole(encoder: Encoder, folder: Path) -> None:
    """Write every weight, trained or not, so that the folder needs neither base nor source."""
    trained = [parameter.requires_grad for parameter in encoder.model.parameters()]
    for parameter in encoder.model.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    save_weights(encoder, folder)
    for parameter, was_trained in zip(encoder.model.parameters(), trained, strict=True):
        parameter.requires_grad_(was_trained)


def fit_gradual(given: FitInput[GradualConfig]) -> Training[FittedClassifier]:
    """Train the head alone, then the blocks too, from the top to the embeddings, each with a rate of its own.

    Gradual unfreezing and discriminative fine-tuning (Howard & Ruder 2018, sections 3.3 and 3.2).
    """
    context, config = given.context, given.config
    seed_torch(context.seed)
    encoder = load_trainable(context.starting_point, context.settings)
    if has_frozen_words(encoder):
        yield Note("The word table of this encoder is quantised and stays as it is.")
    change = Change(encoder, weights_saver(encoder), rates=lambda loop: gradual_rates(encoder, config, loop))
    return (yield from fit_change(given, change))


def gradual_rates(encoder: Encoder, config: GradualConfig, loop: LoopConfig) -> RateOf:
    """The rate of each parameter of a classifier's network in each epoch.

    The head takes its own rate. The top block takes `learning_rate`, each block below that of the one above
    divided by `rate_decay`, the embeddings the least. In the first epoch all but the head rest; after each
    epoch `layers_an_epoch` more blocks are released. With a single epoch all are trained in it.
    """
    top = len(blocks_of(encoder))
    later = loop.epochs - 1
    at_once = config.layers_an_epoch or -(-(top + 1) // max(1, later))

    def rate_of(name: str, epoch: int) -> float:
        if not name.startswith(IN_ENCODER):
            return config.head_learning_rate
        below_top = top - depth_of(encoder, name.removeprefix(IN_ENCODER))
        released = below_top < epoch * at_once or not later
        return config.learning_rate / config.rate_decay**below_top if released else 0.0

    return rate_of
