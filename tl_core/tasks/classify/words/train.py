"""Train a classifier on word vectors: words, table, network, what is moved from a source, the one loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tl_core.tasks.classify.effort import light_effort
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, LabelledTexts, Weights
from tl_core.tasks.classify.problem import cross_entropy_problem
from tl_core.tasks.classify.words.config import (
    WORD_ROW,
    AnyWordConfig,
    CnnConfig,
    WordConfig,
    epochs_for,
    settled,
)
from tl_core.tasks.classify.words.documents import Documents
from tl_core.tasks.classify.words.networks import make_batch, make_word_network
from tl_core.tasks.classify.words.networks import make_table as make_table_module
from tl_core.tasks.classify.words.saved import (
    PREDICT_WORDS,
    WordClassifier,
    read_facts,
    read_layers,
    read_source,
)
from tl_core.tasks.classify.words.splitting import Splitter, read_corpus
from tl_core.tasks.classify.words.vocabulary import make_table
from tl_core.tasks.fitting import Fitted, WordStart
from tl_core.text.script import is_korean
from tl_core.training.batches import token_batches
from tl_core.training.devices import make_accelerator
from tl_core.training.events import Note, Training
from tl_core.training.loop import Indices, Problem, RateOf, fit, loop_config

if TYPE_CHECKING:
    import torch

HEAD = ("head.weight", "head.bias")
TABLE = "table.trained"


WORDS_EFFORT = light_effort(WORD_ROW, epochs_for)


def fit_words(given: FitInput[AnyWordConfig]) -> Training[FittedClassifier]:
    """Train the network that the settings are of, over word vectors: mean, EmbeddingBag, recurrent network or CNN."""
    import torch

    context, train, classes = given.context, given.train, given.classes
    torch.manual_seed(context.seed)
    folder = context.words.source
    config = settled(given.config, len(train), has_source=folder is not None)
    splitter = Splitter(choose_splitter(config, context.words, train.texts))
    corpus = read_corpus(splitter, train.texts, config.max_words)
    source = read_source(folder) if folder is not None else None
    words = yield from make_table(corpus, splitter, config, context.words.vectors, source, context.seed)
    table = make_table_module(words.vectors, words.trained, config.word_dropout)
    table.trained.requires_grad_(config.embeddings != "frozen")  # type: ignore[operator]
    network = make_word_network(table, config, len(classes))
    moved = yield from _move(network, context.words, config, classes)

    accelerator = make_accelerator(config.precision, "words")
    longest = config.longest_sentence if isinstance(config, CnnConfig) else config.max_words
    documents = Documents(corpus, words.index, longest, accelerator.device)
    held_corpus = read_corpus(splitter, given.validation.texts, config.max_words)
    held = Documents(held_corpus, words.index, longest, accelerator.device)
    problem = _make_problem(config, _Rows(documents, train), _Rows(held, given.validation), given.weights)
    loop = loop_config(config, epochs_for(config, len(train)), context.seed)
    rates = _rates(config, moved, source is not None)
    result = yield from fit(network, network.head, problem, loop, accelerator, context.control, rates)  # type: ignore[arg-type]

    for vectors in (
        table.trained,
        table.kept,
    ):  # as they will be saved, so that a saved model predicts the same
        vectors.data = vectors.detach().half().float()  # type: ignore[union-attr, operator, assignment]
    learned = words.learned.copy()
    learned[: words.trained] |= config.embeddings != "frozen" and any(
        rates(TABLE, epoch) > 0 for epoch in range(loop.epochs)
    )
    classifier = WordClassifier(network, config, classes, splitter, words.words, learned)
    facts = {
        **words.facts,
        "splitter": splitter.name,
        "embeddings": config.embeddings,
        "moved": sorted(moved),
        "epochs": loop.epochs,
        "device": accelerator.device.type,
        "best_epoch": result.best_epoch,
        "stopped_early": result.stopped_early,
    }
    return Fitted(classifier, result.seconds, result.trained_parameters, facts)


def choose_splitter(config: WordConfig, start: WordStart, texts: Sequence[str]) -> str:
    """Name of the splitter: as the settings say; auto takes the source's way, else what texts and vectors ask for."""
    if config.splitter != "auto":
        return config.splitter
    if start.source is not None:
        return str(read_facts(start.source)["splitter"])
    if is_korean(texts):
        return "morphemes"
    vectors = start.vectors if config.start == "pretrained" else None
    return "penn" if vectors is None or "n't" in vectors.vocabulary else "words"


def _move(
    network: torch.nn.Module, start: WordStart, config: WordConfig, classes: tuple[str, ...]
) -> Training[set[str]]:
    """Copy the source's layers of the same name and shape; their names. The head only if the classes are the same."""
    import torch

    if start.source is None or config.moves != "everything":
        return set()
    layers = read_layers(start.source)
    same_classes = tuple(read_facts(start.source)["classes"]) == classes
    moved: set[str] = set()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name == TABLE or (name in HEAD and not same_classes):
                continue
            if name in layers and layers[name].shape == parameter.shape:
                parameter.copy_(layers[name])
                moved.add(name)
    new = sorted(name for name, _ in network.named_parameters() if name not in moved and name != TABLE)
    if not moved:
        yield Note("No layer of the source fits this network: only its word vectors are taken.")
    elif new:
        yield Note(
            "Taken from the source beside its words: {taken}. New: {new}.",
            {"taken": ", ".join(sorted(moved)), "new": ", ".join(new)},
        )
    return moved


def _rates(config: WordConfig, moved: set[str], has_source: bool) -> RateOf:
    """The rate of each parameter: its own for slow word vectors, 0 for what was moved in the first epochs.

    The last layer always takes the network's rate.
    """

    def rate(name: str, epoch: int) -> float:
        if name in HEAD:
            return config.learning_rate
        stays = name == TABLE or name in moved
        if has_source and stays and epoch < config.keep_layers_frozen_epochs:
            return 0.0
        if name == TABLE and config.embeddings == "slow":
            return config.embedding_rate
        return config.learning_rate * (config.moved_rate if name in moved else 1.0)

    return rate


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Texts as ids, with their classes."""

    documents: Documents
    labelled: LabelledTexts


def _make_problem(config: AnyWordConfig, train: _Rows, held: _Rows, weights: Weights | None) -> Problem:
    """Cross-entropy over the training rows, and its sums over validation rows, for the loop."""

    def logits_of(rows: _Rows) -> Callable[[Any, Indices], torch.Tensor]:
        return lambda model, chosen: model(make_batch(config, rows.documents, chosen))

    return cross_entropy_problem(
        train.documents.lengths,
        logits_of(train),
        train.labelled.targets,
        logits_of(held),
        held.labelled.targets,
        token_batches(held.documents.lengths, PREDICT_WORDS) if len(held.labelled) else [],
        weights,
    )
