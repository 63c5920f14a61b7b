"""Contrastive tuning for few rows: pairs of texts pull the classes apart, then a linear head is learned.

SetFit (Tunstall et al. 2022, section 3), with a LoRA adapter in place of new weights for the whole encoder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.adapted import load_with_adapter
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.features import Features, feature_events
from tl_core.encoders.load import Encoder
from tl_core.encoders.pool import pool
from tl_core.encoders.tuning import set_dropout
from tl_core.tasks.classify.config import ContrastiveConfig, pairs_for
from tl_core.tasks.classify.effort import Effort, Rates, Workload
from tl_core.tasks.classify.encoder.classifier import PREDICT_BATCH, EncoderClassifier, Use, adapter_saver
from tl_core.tasks.classify.encoder.effort import work_tokens
from tl_core.tasks.classify.encoder.frozen import fit_scaled_head, network_with_head
from tl_core.tasks.classify.encoder.tuned import seed_torch, train_fast
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, Targets
from tl_core.tasks.fitting import Fitted
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Training, part_of, stoppable
from tl_core.training.loop import Indices, Problem, fit, loop_config
from tl_core.training.precision import resolve_precision

if TYPE_CHECKING:
    import torch


def _cost(config: ContrastiveConfig, rows: int, seed: int, test_rows: int) -> float:
    return 6.0 * pairs_in_epoch(config, rows) * config.epochs + test_rows


def _seconds(config: ContrastiveConfig, work: Workload, rates: Rates) -> float:
    tokens = work_tokens(work, config.max_tokens)
    pairs = pairs_in_epoch(config, len(work.train)) * config.epochs
    mean = float(tokens.train.mean()) if len(work.train) else 0.0
    computed = rates.predict * (tokens.train_pass + tokens.validation_pass)
    return work.trainings * (tokens.scoring_seconds(rates) + rates.train * pairs * mean + computed)


CONTRASTIVE_EFFORT = Effort(in_loop=True, cost=_cost, seconds=_seconds)


def pairs_in_epoch(config: ContrastiveConfig, rows: int) -> int:
    """Number of pairs that an epoch draws from this many training rows: the config's, or for 0 as many as suit them."""
    return config.pairs or pairs_for(rows)


def fit_contrastive(given: FitInput[ContrastiveConfig]) -> Training[FittedClassifier]:
    """Train a LoRA adapter on pairs of training rows, then logistic regression on the features it gives.

    Validation rows are used for the head too.
    """
    import torch

    context, train, validation, config = given.context, given.train, given.validation, given.config
    start = context.starting_point
    seed_torch(context.seed)
    encoder = load_with_adapter(start, context.settings, rank=config.rank, alpha=config.alpha, dropout=0.0)
    if start.adapter is not None:
        yield Note("The source's adapter is trained further, with its own rank.")
    set_dropout(encoder.model, 0.0)
    accelerator = make_accelerator(config.precision)
    batches = Batcher(encoder, train.texts, config.max_tokens, accelerator.device)
    train_fast(encoder, batches.lengths, accelerator.device)
    pairs, same = draw_pairs(train.targets, pairs_in_epoch(config, len(train)), context.seed)
    problem = make_pair_problem(batches, pairs, same)
    network = make_vector_network(encoder)
    loop, no_head = loop_config(config, config.epochs, context.seed), torch.nn.Identity()
    texts = train.texts + validation.texts
    before = loop.epochs * len(pairs)
    total = before + len(texts)
    result = yield from part_of(fit(network, no_head, problem, loop, accelerator, context.control), 0, total)
    began = time.perf_counter()
    computing = feature_events(
        encoder,
        texts,
        max_tokens=config.max_tokens,
        batch_size=PREDICT_BATCH,
        device=accelerator.device,
        precision=resolve_precision(config.precision, accelerator.device.type),
    )
    features = yield from part_of(stoppable(computing, context.control.stop_requested), before, total)
    targets = np.concatenate([train.targets, validation.targets])
    weight, bias = fit_length_head(
        features, targets, len(given.classes), config.strength, given.sklearn_weights
    )
    classifier = EncoderClassifier(
        encoder,
        network_with_head(encoder, weight, bias).to(accelerator.device),
        given.classes,
        start,
        Use(config.max_tokens, config.precision),
        adapter_saver(encoder, start),
    )
    seconds = result.seconds + time.perf_counter() - began
    trained = result.trained_parameters + weight.size + bias.size
    facts = {"pairs": len(pairs), "device": accelerator.device.type, **start.rank_facts()}
    return Fitted(classifier, seconds, trained, facts)


def draw_pairs(targets: Targets, count: int, seed: int) -> tuple[Indices, NDArray[np.float32]]:
    """Pairs of rows, (P, 2), and 1 for those of one class, 0 for others, (P,): half of each kind.

    Every row begins as many pairs as any other of its kind (one more or less); its partner is drawn from the
    other rows of its class or from the rows of other classes. Where no class has two rows, all differ; where there
    is but one class, all are alike.
    """
    random = np.random.default_rng([seed, len(targets)])
    order = np.argsort(targets, kind="stable")  # rows, class by class
    sizes = np.bincount(targets)[targets]  # of each row's class
    starts = np.searchsorted(targets[order], targets)  # where it begins in that order
    places = np.argsort(order)
    paired = np.flatnonzero(sizes > 1)
    alike = 0 if not len(paired) else count if sizes[0] == len(targets) else count // 2
    first = _rounds(paired, alike, random)
    drawn = starts[first] + random.integers(0, sizes[first] - 1)
    partner = order[drawn + (drawn >= places[first])]
    other = _rounds(np.arange(len(targets)), count - alike, random)
    drawn = random.integers(0, np.maximum(1, len(targets) - sizes[other]))
    stranger = order[drawn + np.where(drawn >= starts[other], sizes[other], 0)]
    pairs = np.column_stack([np.concatenate([first, other]), np.concatenate([partner, stranger])])
    return pairs, (np.arange(count) < alike).astype(np.float32)


def _rounds(rows: Indices, count: int, random: np.random.Generator) -> Indices:
    """`count` rows, (count,): all of them in a new order, again and again."""
    rounds = [random.permutation(rows) for _ in range(-(-count // max(1, len(rows))))]
    return np.concatenate([rows[:0], *rounds])[:count]


def fit_length_head(
    features: Features, targets: Targets, classes: int, strength: float, weights: str | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A linear head (C, D) and bias (C,) on features divided by their mean length.

    Contrastive tuning gives the numbers that tell classes apart a larger spread than others, which standardising would
    take away.
    """
    length = np.linalg.norm(features, axis=1).mean() + 1e-6
    none = np.zeros(features.shape[1], dtype=np.float32)
    return fit_scaled_head(features, targets, classes, strength, none, none + length, weights)


def make_pair_problem(batches: Batcher, pairs: Indices, same: NDArray[np.float32]) -> Problem:
    """The squared difference of each pair's cosine from 1 (one class) or 0 (two), for the loop.

    A text that stands in several pairs of a batch is computed once.
    """
    import torch
    from torch.nn.functional import normalize

    wanted = torch.from_numpy(same).to(batches.device)

    def losses(model: torch.nn.Module, rows: Indices) -> torch.Tensor:
        texts, places = np.unique(pairs[rows], return_inverse=True)
        vectors = normalize(model(batches(texts)).float(), dim=-1)
        first, second = torch.from_numpy(places.reshape(-1, 2)).to(batches.device).unbind(1)
        cosines = (vectors[first] * vectors[second]).sum(-1)
        return (cosines - wanted[torch.from_numpy(rows).to(batches.device)]).square()

    return Problem(batches.lengths[pairs].max(1), losses)


def make_vector_network(encoder: Encoder) -> torch.nn.Module:
    """An nn.Module from a padded batch to sentence vectors, (B, D)."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder.model

        def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            hidden = self.encoder(**batch).last_hidden_state
            return pool(hidden, batch["attention_mask"], encoder.family.pooling)

    return Network()
