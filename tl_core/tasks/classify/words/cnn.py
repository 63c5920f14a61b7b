"""The convolutional document model: words to sentences to a document, by convolution and k-max pooling.

Denil, Demiraj, Kalchbrenner, Blunsom & de Freitas 2014, "Modelling, visualising and summarising documents
with a single convolutional neural network" (arXiv 1406.3830).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.errors import ConfigError
from tl_core.tasks.classify.words.config import CnnConfig
from tl_core.tasks.classify.words.documents import PAD, Sentences

if TYPE_CHECKING:
    import torch

    from tl_core.tasks.classify.words.saved import WordClassifier

DECIMALS = 3  # of values that are ranked


def k_max(values: torch.Tensor, mask: torch.Tensor, k: int) -> torch.Tensor:
    """The k largest values of each feature in the order in which they stand: (B, T, F) to (B, k * F).

    `mask` (B, T) is True where values count; where fewer than k count, zeros come last
    (Kalchbrenner et al. 2014, section 3.2). Of values equal to three decimals the earlier ones are kept:
    a repeated sentence must not be placed by the last digit of arithmetic.
    """
    import torch

    least = torch.finfo(values.dtype).min
    values = values.masked_fill(~mask.unsqueeze(-1), least)
    if k == 1:
        largest = values.amax(1)
    else:
        if values.shape[1] < k:
            values = torch.nn.functional.pad(values, (0, 0, 0, k - values.shape[1]), value=least)
        with torch.no_grad():
            ranked = values.round(decimals=DECIMALS).argsort(dim=1, descending=True, stable=True)
            places = ranked[:, :k].sort(1).values
        largest = values.gather(1, places).flatten(1)
    return largest.masked_fill(largest == least, 0.0)


def make_cnn(table: Any, config: CnnConfig, classes: int) -> torch.nn.Module:
    """The document model: a batch of `Sentences` to logits (B, C)."""
    import torch
    from torch.nn.functional import linear, pad, relu

    class Convolution(torch.nn.Module):
        """Features of every window inside a row, (B, T + kernel - 1, D) to (B, T, F)."""

        def __init__(self, width: int, filters: int, kernel: int) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.empty(filters, width, 1, kernel))
            self.bias = torch.nn.Parameter(torch.zeros(filters))
            self.reach = ((kernel - 1) // 2, kernel // 2)
            torch.nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            # A product of windows: sentences of a new shape each step cost a convolution its planning on CPUs.
            filters, width, _, kernel = self.weight.shape
            count = rows.shape[1] - kernel + 1
            windows = torch.cat([rows[:, at : at + count] for at in range(kernel)], -1)
            weight = self.weight.squeeze(2).transpose(1, 2).reshape(filters, kernel * width)
            return linear(windows, weight, self.bias)

    class Cnn(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = table
            width = config.sentence_k * config.sentence_filters
            self.sentence = Convolution(table.width, config.sentence_filters, config.sentence_kernel)
            self.document = Convolution(width, config.document_filters, config.document_kernel)
            self.dropout = torch.nn.Dropout(config.dropout)
            last = config.document_k * config.document_filters
            self.hidden = torch.nn.Linear(last, config.hidden) if config.hidden else None
            self.head = torch.nn.Linear(config.hidden or last, classes)
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def sentence_vectors(self, batch: Sentences) -> torch.Tensor:
            """The vector of each sentence in its place: (B, Z, k * F), zeros where there is none."""
            texts, width = len(batch.counts), config.sentence_k * config.sentence_filters
            grid: torch.Tensor = self.table.trained.new_zeros(texts * batch.most, width)
            if batch.groups:
                padded = [pad(ids, self.sentence.reach) for ids in batch.groups]
                words = self.table(
                    torch.cat([ids.flatten() for ids in padded])
                )  # one sweep of the table's gradient
                rows = words.split([ids.numel() for ids in padded])
                parts = [
                    k_max(self.sentence(vectors.view(*wide.shape, -1)), ids != PAD, config.sentence_k)
                    for vectors, wide, ids in zip(rows, padded, batch.groups, strict=True)
                ]
                grid = grid.index_copy(0, batch.places, relu(torch.cat(parts)).to(grid.dtype))
            return grid.view(texts, batch.most, width)

        def classify(self, sentences: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
            """Logits (B, C) from sentence vectors (B, Z, k * F), of which the first `counts` are there."""
            mask = torch.arange(sentences.shape[1], device=sentences.device) < counts.unsqueeze(1)
            rows = pad(self.dropout(sentences), (0, 0, *self.document.reach))
            text = relu(k_max(self.document(rows), mask, config.document_k))
            if self.hidden is not None:
                text = relu(self.hidden(self.dropout(text)))
            logits: torch.Tensor = self.head(self.dropout(text))
            return logits

        def forward(self, batch: Sentences) -> torch.Tensor:
            return self.classify(self.sentence_vectors(batch), batch.counts)

    return Cnn()


@dataclass(frozen=True, slots=True)
class SentenceScore:
    """Score of one sentence for a class: text[start:end], or (-1, -1) where it stands otherwise in the text."""

    sentence: str
    start: int
    end: int
    score: float


def sentence_scores(classifier: WordClassifier, text: str, label: str) -> list[SentenceScore]:
    """Scores of a text's sentences, what each adds to the logit of a class, in the order of the text.

    The gradient of the logit by the sentence's vector times that vector, summed (Denil et al. 2014, section 5,
    with the vector itself as the direction). Sentences without words, and those beyond the longest text, are left
    out. ConfigError if the classifier is no document model or has no such class.
    """
    import torch

    if not isinstance(classifier.config, CnnConfig):
        raise ConfigError("Only the convolutional document model has sentence vectors. Choose cnn.")
    if label not in classifier.classes:
        raise ConfigError(
            "The class must be one of {classes}; got {label!r:.80}.",
            classes=", ".join(classifier.classes),
            label=label,
        )
    network: Any = classifier.network.eval()
    documents = classifier.documents([text])
    batch = documents.by_sentences(np.zeros(1, dtype=np.int64))
    with torch.enable_grad():
        vectors = network.sentence_vectors(batch).detach().requires_grad_()
        logit = network.classify(vectors, batch.counts)[0, classifier.classes.index(label)]
        (gradient,) = torch.autograd.grad(logit, vectors)
    scores = (gradient * vectors).sum(-1)[0].tolist()
    lengths = np.diff(documents.sentences).tolist()
    return _joined(classifier, text, list(zip(lengths, scores, strict=False)))


def _joined(classifier: WordClassifier, text: str, pieces: list[tuple[int, float]]) -> list[SentenceScore]:
    """The scores of pieces, each with its length in words, as scores of the sentences they are cut from."""
    sentences, at, cursor = [], 0, 0
    words = next(classifier.splitter.words([text]))
    for sentence, inside in zip(classifier.splitter.strings(text), words, strict=True):
        start = text.find(sentence, cursor)
        cursor = start + len(sentence) if start >= 0 else cursor
        score, left = 0.0, len(inside)
        if not left or at >= len(pieces):
            continue
        while left > 0 and at < len(pieces):
            score, left, at = score + pieces[at][1], left - pieces[at][0], at + 1
        sentences.append(SentenceScore(sentence, start, cursor if start >= 0 else -1, score))
    return sentences
