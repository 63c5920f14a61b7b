"""Texts as ids of a word table, cached in flat arrays, and the batches that each network reads.

Id 0 is padding, id 1 stands for every word that the table does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.classify.words.splitting import Corpus

if TYPE_CHECKING:
    import torch

PAD, UNKNOWN = 0, 1
FIRST = 2  # id of the first word
GROUPS = 6  # sentences of a batch are padded in this many groups of like length
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Padded:
    """Texts padded at their ends: `ids` (B, T) with T at least 1, `lengths` (B,) on the CPU, 0 for empty texts."""

    ids: torch.Tensor
    lengths: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Texts one after another: `ids` (R,), text b begins at `offsets[b]`, (B,)."""

    ids: torch.Tensor
    offsets: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Sentences:
    """The sentences of B texts, of at most Z sentences each (Z at least 1), in groups of like length.

    Each of `groups` is (S_g, T_g) padded ids, none empty; `places` (S,) gives for the sentences of all groups
    their place in the (B * Z) grid of texts and sentences; `counts` (B,) is the number of sentences.
    """

    groups: tuple[torch.Tensor, ...]
    places: torch.Tensor
    counts: torch.Tensor
    most: int


Batch = Padded | Flat | Sentences


class Documents:
    """N texts of a corpus as ids of a table; `lengths` (N,) in words.

    Sentences longer than `longest_sentence` are cut into several.
    """

    def __init__(
        self, corpus: Corpus, index: Mapping[str, int], longest_sentence: int, device: torch.device
    ) -> None:
        mapped = np.array([index.get(word, UNKNOWN) for word in corpus.words], dtype=np.int32)
        self.ids: NDArray[np.int32] = mapped[corpus.ids] if len(mapped) else corpus.ids
        self.starts: Indices = corpus.sentences[corpus.texts]
        self.lengths: Indices = np.diff(self.starts)
        self.sentences, self.texts = _cut(corpus.sentences, corpus.texts, longest_sentence)
        self.device = device

    def __len__(self) -> int:
        return len(self.lengths)

    def padded(self, rows: Indices) -> Padded:
        """These texts for a network that reads word after word."""
        import torch

        lengths = self.lengths[rows]
        ids = self._rectangle(self.starts[rows], lengths)
        return Padded(torch.from_numpy(ids).to(self.device), torch.from_numpy(lengths))

    def flat(self, rows: Indices) -> Flat:
        """These texts for an EmbeddingBag."""
        import torch

        lengths = self.lengths[rows]
        ids = self.ids[ranges(self.starts[rows], lengths)].astype(np.int64)
        offsets = np.cumsum(lengths) - lengths
        return Flat(torch.from_numpy(ids).to(self.device), torch.from_numpy(offsets).to(self.device))

    def by_sentences(self, rows: Indices) -> Sentences:
        """These texts for the document model."""
        import torch

        counts = np.diff(self.texts)[rows]
        chosen = ranges(self.texts[rows], counts)
        most = max(1, int(counts.max(initial=0)))
        places = ranges(np.arange(len(rows)) * most, counts)
        starts, lengths = self.sentences[chosen], np.diff(self.sentences)[chosen]
        order = np.argsort(lengths, kind="stable")
        parts = [part for part in np.array_split(order, GROUPS) if len(part)]
        groups = tuple(
            torch.from_numpy(self._rectangle(starts[part], lengths[part])).to(self.device) for part in parts
        )
        return Sentences(
            groups,
            torch.from_numpy(places[order]).to(self.device),
            torch.from_numpy(counts).to(self.device),
            most,
        )

    def _rectangle(self, starts: Indices, lengths: Indices) -> Indices:
        """Stretches of the running words padded to the longest: (B, T), T at least 1."""
        columns = np.arange(max(1, int(lengths.max(initial=0))))
        if not len(self.ids):
            return np.zeros((len(starts), len(columns)), dtype=np.int64)
        at = np.minimum(starts[:, None] + columns, len(self.ids) - 1)
        return np.where(columns < lengths[:, None], self.ids[at], PAD).astype(np.int64)


def ranges(starts: Indices, lengths: Indices) -> Indices:
    """The numbers of several stretches one after another: starts [5, 0], lengths [2, 1] give 5, 6, 0."""
    before = np.cumsum(lengths) - lengths
    indices: Indices = np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
    return indices


def _cut(sentences: Indices, texts: Indices, longest: int) -> tuple[Indices, Indices]:
    """Offsets with sentences longer than `longest` cut into pieces of it, and the texts' offsets into them."""
    lengths = np.diff(sentences)
    pieces = -(-lengths // longest)
    within = ranges(np.zeros_like(pieces), pieces)
    starts = np.repeat(sentences[:-1], pieces) + within * longest
    before = np.concatenate([[0], np.cumsum(pieces)])
    return np.concatenate([starts, sentences[-1:]]), before[texts]
