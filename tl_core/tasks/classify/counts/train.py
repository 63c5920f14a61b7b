"""Bag of words and n-grams: how often each stands in a text, and one linear layer over that, in torch.

A text's logits are the sum of the weights (C,) of its n-grams and a bias; order beyond an n-gram is
lost. A sparse row of counts is what `embedding_bag` reads, so no (N, V) table is ever made.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from tl_core.tasks.classify.counts.config import COUNTED_ROW, BagOfWordsConfig, epochs_for
from tl_core.tasks.classify.counts.n_grams import BagOfWords, fit_view
from tl_core.tasks.classify.counts.network import as_bags, make_counts_network
from tl_core.tasks.classify.counts.saved import PREDICT_BATCH, BagOfWordsClassifier
from tl_core.tasks.classify.effort import light_effort
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, LabelledTexts, Targets, Weights
from tl_core.tasks.classify.problem import cross_entropy_problem
from tl_core.tasks.fitting import Fitted
from tl_core.text.script import is_korean
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Progress, Training
from tl_core.training.loop import Problem, fit, loop_config

if TYPE_CHECKING:
    import torch
    from scipy.sparse import csr_matrix

BAG_OF_WORDS_EFFORT = light_effort(COUNTED_ROW, epochs_for)


def fit_bag_of_words(given: FitInput[BagOfWordsConfig]) -> Training[FittedClassifier]:
    """Count n-grams and train a linear layer over them; for Korean, character 2-4 grams are counted too."""
    from scipy.sparse import hstack

    began = time.perf_counter()
    context, train, config = given.context, given.train, given.config
    characters = is_korean(train.texts)
    if characters:
        yield Note("Character 2-4 grams stand beside the words.")
    names = ("words", "characters") if characters else ("words",)
    views = {name: fit_view(name, train.texts, config) for name in names}
    bag = BagOfWords({name: view for name, (view, _) in views.items()}, config.ngrams, config.weights)
    counts = hstack([rows for _, rows in views.values()], format="csr")
    counted_seconds = time.perf_counter() - began
    network = make_counts_network(
        bag.size, len(given.classes), sorted({int(target) for target in train.targets})
    )
    accelerator = make_accelerator("float32", "words")
    problem = _make_problem(bag, counts, train.targets, given.validation, accelerator.device, given.weights)
    loop = loop_config(config, epochs_for(config, len(train)), context.seed)
    result = yield from fit(network, network, problem, loop, accelerator, context.control)
    yield Progress(loop.epochs * len(train), loop.epochs * len(train))
    facts = {
        "n_grams": bag.size,
        "characters": characters,
        "epochs": loop.epochs,
        "device": accelerator.device.type,
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
    }
    trained = sum(parameter.numel() for parameter in network.parameters())
    classifier = BagOfWordsClassifier(bag, network.cpu(), given.classes)
    return Fitted(classifier, counted_seconds + result.seconds, trained, facts)


def _make_problem(
    bag: BagOfWords,
    counts: csr_matrix,
    train_targets: Targets,
    validation: LabelledTexts,
    device: torch.device,
    weights: Weights | None,
) -> Problem:
    """Cross-entropy over the training rows, and its sums over validation rows, for the loop."""
    held = bag.rows(validation.texts) if len(validation) else counts[:0]
    batches = [
        np.arange(start, min(start + PREDICT_BATCH, held.shape[0]))
        for start in range(0, held.shape[0], PREDICT_BATCH)
    ]
    return cross_entropy_problem(
        np.ones(len(train_targets), dtype=np.int64),  # nothing is padded, so any rows may stand together
        lambda model, rows: model(as_bags(counts[rows], device)),
        train_targets,
        lambda model, rows: model(as_bags(held[rows], device)),
        validation.targets,
        batches,
        weights,
    )
