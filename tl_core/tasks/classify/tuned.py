"""Encoders that are trained: LoRA adapters and full fine-tuning, in one loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import (
    has_frozen_words,
    load_trainable,
    load_with_adapter,
    use_plain_attention,
)
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.load import Encoder
from tl_core.encoders.tuning import FullConfig, LoraConfig, TunedConfig, loop_config, set_dropout
from tl_core.tasks.classify.encoder import (
    PREDICT_BATCH,
    EncoderClassifier,
    Use,
    adapter_saver,
    make_network,
    weights_saver,
)
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts
from tl_core.training.batches import sorted_batches
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Training
from tl_core.training.loop import Indices, Problem, fit

if TYPE_CHECKING:
    import torch

SHORT_TOKENS = 192  # up to here plain attention trains faster on a CPU than the fused one, and holds little


def fit_lora(
    bench: Bench,
    classes: tuple[str, ...],
    train: LabelledTexts,
    validation: LabelledTexts,
    config: LoraConfig,
) -> Training[Fitted]:
    """Train a LoRA adapter and a new head; the encoder's own weights stay."""
    start = bench.starting_point
    _seed(bench.seed)
    encoder = load_with_adapter(
        start, bench.settings, rank=config.rank, alpha=config.alpha, dropout=config.adapter_dropout
    )
    if start.adapter is not None:
        yield Note("The source's adapter is trained further, with its own rank.")
    saver = adapter_saver(encoder, start)
    return (yield from _fit(bench, encoder, classes, train, validation, config, saver))


def fit_full(
    bench: Bench,
    classes: tuple[str, ...],
    train: LabelledTexts,
    validation: LabelledTexts,
    config: FullConfig,
) -> Training[Fitted]:
    """Train every weight of the encoder and a new head; a packaged quantised word table stays."""
    _seed(bench.seed)
    encoder = load_trainable(bench.starting_point, bench.settings)
    if has_frozen_words(encoder):
        yield Note("The word table of this encoder is quantised and stays as it is.")
    saver = weights_saver(encoder)
    return (yield from _fit(bench, encoder, classes, train, validation, config, saver))


def _fit(
    bench: Bench,
    encoder: Encoder,
    classes: tuple[str, ...],
    train: LabelledTexts,
    validation: LabelledTexts,
    config: TunedConfig,
    saver: Callable[[Path], None],
) -> Training[Fitted]:
    set_dropout(encoder.model, config.encoder_dropout)
    network = make_network(encoder, len(classes), config.dropout)
    accelerator = make_accelerator(config.precision)
    problem = make_problem(encoder, train, validation, config.max_tokens, accelerator.device)
    if accelerator.device.type == "cpu" and problem.lengths.max() <= SHORT_TOKENS:
        use_plain_attention(encoder)
    loop = loop_config(config, len(train), bench.seed)
    result = yield from fit(network, network.head, problem, loop, accelerator, bench.desk)  # type: ignore[arg-type]
    use = Use(config.max_tokens, config.precision)
    classifier = EncoderClassifier(encoder, network, classes, bench.starting_point, use, saver)
    trained = sum(each.numel() for each in network.parameters() if each.requires_grad)
    facts = {"epochs": loop.epochs, "best_epoch": result.best_epoch, "stopped_early": result.stopped_early}
    return Fitted(classifier, result.seconds, trained, facts)


def make_problem(
    encoder: Encoder,
    train: LabelledTexts,
    validation: LabelledTexts,
    max_tokens: int,
    device: torch.device,
) -> Problem:
    """Cross-entropy over the training rows, and its sums over validation rows, for the loop."""
    import torch
    from torch.nn.functional import cross_entropy

    batches = Batcher(encoder, train.texts, max_tokens, device)
    targets = torch.from_numpy(train.targets).to(device)

    def losses(model: torch.nn.Module, rows: Indices) -> torch.Tensor:
        return cross_entropy(
            model(batches(rows)).float(), targets[torch.from_numpy(rows).to(device)], reduction="none"
        )

    if not len(validation):
        return Problem(batches.lengths, losses)
    held = Batcher(encoder, validation.texts, max_tokens, device)
    truth = torch.from_numpy(validation.targets).to(device)

    def validate(model: torch.nn.Module, part: int, parts: int) -> NDArray[np.float64]:
        sums = np.zeros(3)
        for rows in sorted_batches(held.lengths, PREDICT_BATCH)[part::parts]:
            logits = model(held(rows)).float()
            wanted = truth[torch.from_numpy(rows).to(device)]
            loss = cross_entropy(logits, wanted, reduction="sum")
            sums += [float(loss), float((logits.argmax(-1) == wanted).sum()), len(rows)]
        return sums

    return Problem(batches.lengths, losses, validate)


def _seed(seed: int) -> None:
    """Seed torch before new weights are drawn, so that a seed gives one model."""
    import torch

    torch.manual_seed(seed)
