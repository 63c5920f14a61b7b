"""Encoders that are trained: LoRA adapters and full fine-tuning, in one loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tl_core.encoders.adapted import (
    has_frozen_words,
    load_trainable,
    load_with_adapter,
    use_plain_attention,
)
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.load import Encoder
from tl_core.encoders.tuning import (
    FullConfig,
    LoraConfig,
    TunedConfig,
    epochs_for,
    lora_rate,
    set_dropout,
)
from tl_core.tasks.classify.effort import Effort, Rates, Workload
from tl_core.tasks.classify.encoder.classifier import (
    PREDICT_BATCH,
    EncoderClassifier,
    Use,
    adapter_saver,
    make_encoder_network,
    weights_saver,
)
from tl_core.tasks.classify.encoder.effort import work_tokens
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, LabelledTexts, Weights
from tl_core.tasks.classify.problem import cross_entropy_problem
from tl_core.tasks.fitting import Fitted
from tl_core.training.batches import length_batches, padded_tokens, sorted_batches
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Training, part_of
from tl_core.training.loop import Indices, LoopConfig, LoopControl, Problem, RateOf, fit, loop_config

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator

T = TypeVar("T")
Forward = Callable[
    ["torch.nn.Module", Batcher, Indices], "torch.Tensor"
]  # network, texts, rows -> logits (B, C)
Keep = Callable[[Sequence[Batcher], "Accelerator", LoopControl], Training[Forward]]
SHORT_TOKENS = 192  # up to here plain attention trains faster on a CPU than the fused one, and holds little


@dataclass(frozen=True, slots=True)
class Change:
    """Change of an encoder in a training: the parameters that require gradients; `save` writes them to a folder.

    `rates` gives every parameter a rate of its own. `keep` computes what stays the same for the training
    and the validation texts, and gives a forward pass that makes use of it. Yields Progress in texts.
    """

    encoder: Encoder
    save: Callable[[Path], None]
    rates: Callable[[LoopConfig], RateOf] | None = None
    keep: Keep | None = None


def _cost(config: TunedConfig, rows: int, seed: int, test_rows: int) -> float:
    return 3.0 * rows * epochs_for(config, rows) + test_rows


def _seconds(config: TunedConfig, work: Workload, rates: Rates) -> float:
    tokens = work_tokens(work, config.max_tokens)
    batches = length_batches(tokens.train, config.batch_size, seed=0, epoch=0)
    trained = rates.train * padded_tokens(tokens.train, batches)
    each_epoch = trained + rates.predict * tokens.validation_pass
    epochs = epochs_for(config, len(work.train))
    return work.trainings * (tokens.scoring_seconds(rates) + epochs * each_epoch)


TUNED_EFFORT = Effort(in_loop=True, cost=_cost, seconds=_seconds)


def chosen_epochs(config: TunedConfig, rows: int, layers: int) -> list[str]:
    """In words, what is chosen where `epochs` is 0, for about this many training rows."""
    if config.epochs:
        return []
    return [f"{epochs_for(config, rows)} epochs, chosen for about {rows:,} training rows"]


def chosen_epochs_and_rate(config: LoraConfig, rows: int, layers: int) -> list[str]:
    """The same, and what is chosen where the rate is 0, for an encoder of this many layers; 0 where that is not known."""
    choices = chosen_epochs(config, rows, layers)
    if config.learning_rate == 0 and layers:
        rate = lora_rate(config, layers)
        choices.append(f"learning rate {rate:g}, chosen for an encoder of {layers} layers")
    return choices


def fit_lora(given: FitInput[LoraConfig]) -> Training[FittedClassifier]:
    """Train a LoRA adapter and a new head; the encoder's own weights stay."""
    context, config = given.context, given.config
    start = context.starting_point
    seed_torch(context.seed)
    encoder = load_with_adapter(
        start, context.settings, rank=config.rank, alpha=config.alpha, dropout=config.adapter_dropout
    )
    if start.adapter is not None:
        yield Note("The source's adapter is trained further, with its own rank.")
    config = replace(config, learning_rate=lora_rate(config, encoder.layers))
    change = Change(encoder, adapter_saver(encoder, start))
    fitted = yield from fit_change(replace(given, config=config), change)
    return replace(fitted, facts=fitted.facts | start.rank_facts())


def fit_full(given: FitInput[FullConfig]) -> Training[FittedClassifier]:
    """Train every weight of the encoder and a new head; a packaged quantised word table stays."""
    context = given.context
    seed_torch(context.seed)
    encoder = load_trainable(context.starting_point, context.settings)
    if has_frozen_words(encoder):
        yield Note("The word table of this encoder is quantised and stays as it is.")
    return (yield from fit_change(given, Change(encoder, weights_saver(encoder))))


def fit_change(given: FitInput[TunedConfig], change: Change) -> Training[FittedClassifier]:
    """Train what requires gradients in the encoder, and a new head: the classifier that comes out of it."""
    context, train, validation, config = given.context, given.train, given.validation, given.config
    encoder = change.encoder
    set_dropout(encoder.model, config.encoder_dropout)
    network = make_encoder_network(encoder, len(given.classes), config.dropout)
    accelerator = make_accelerator(config.precision)
    network.to(accelerator.device)
    batches = Batcher(encoder, train.texts, config.max_tokens, accelerator.device)
    held = Batcher(encoder, validation.texts, config.max_tokens, accelerator.device)
    train_fast(encoder, batches.lengths, accelerator.device)
    loop = loop_config(config, epochs_for(config, len(train)), context.seed)
    forward: Forward = plain
    before, total, began = 0, loop.epochs * len(train), time.perf_counter()
    if change.keep:
        before = len(train) + len(validation)
        forward = yield from part_of(
            change.keep([batches, held], accelerator, context.control), 0, before + total
        )
    keeping = time.perf_counter() - began
    problem = make_problem((batches, train), (held, validation), forward, given.weights)
    rate_of = change.rates(loop) if change.rates else None
    training = fit(network, network.head, problem, loop, accelerator, context.control, rate_of)  # type: ignore[arg-type]
    result = yield from part_of(training, before, before + total)
    use = Use(config.max_tokens, config.precision)
    classifier = EncoderClassifier(encoder, network, given.classes, context.starting_point, use, change.save)
    facts = {
        "epochs": loop.epochs,
        "device": accelerator.device.type,
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
        "learning_rate": loop.learning_rate,
    }
    return Fitted(classifier, keeping + result.seconds, result.trained_parameters, facts)


def train_fast(encoder: Encoder, lengths: Indices, device: torch.device) -> None:
    """Choose the attention that trains texts of these lengths in the least time."""
    if device.type == "cpu" and lengths.max() <= SHORT_TOKENS:
        use_plain_attention(encoder)


def make_problem(
    train: tuple[Batcher, LabelledTexts],
    validation: tuple[Batcher, LabelledTexts],
    forward: Forward,
    weights: Weights | None = None,
) -> Problem:
    """Cross-entropy over the training rows, and its sums over validation rows, for the loop."""
    (batches, learned), (held, kept) = train, validation
    return cross_entropy_problem(
        batches.lengths,
        lambda model, rows: forward(model, batches, rows),
        learned.targets,
        lambda model, rows: forward(model, held, rows),
        kept.targets,
        sorted_batches(held.lengths, PREDICT_BATCH) if len(kept) else [],
        weights,
    )


def plain(model: torch.nn.Module, batches: Batcher, rows: Indices) -> torch.Tensor:
    """The logits of these rows, (B, C), by the whole network."""
    logits: torch.Tensor = model(batches(rows))
    return logits


def seed_torch(seed: int) -> None:
    """Seed torch before new weights are drawn, so that a seed gives one model."""
    import torch

    torch.manual_seed(seed)
