"""The networks on word vectors: a word table, a mean, an embedding bag, a recurrent network.

Every network has `.table` (the words), `.head` (the last linear layer) and takes one batch to logits (B, C).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.classify.words.config import (
    AnyWordConfig,
    BagConfig,
    CnnConfig,
    RecurrentConfig,
    WordConfig,
)
from tl_core.tasks.classify.words.documents import PAD, UNKNOWN, Batch, Documents, Flat, Indices, Padded
from tl_core.tasks.classify.words.splitting import Splitter, read_corpus

if TYPE_CHECKING:
    import torch

CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}


def make_table(vectors: NDArray[np.float32], trained: int, word_dropout: float) -> torch.nn.Module:
    """The word table: V vectors of width D, of which the first `trained` can be trained.

    The others are a buffer, so that the optimizer never sweeps them: training rows hold few such words or none.
    Padding is zero and stays zero.
    """
    import torch
    from torch.nn.functional import embedding, embedding_bag

    class Table(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trained = torch.nn.Parameter(torch.from_numpy(vectors[:trained].copy()))
            self.kept = torch.nn.Buffer(torch.from_numpy(vectors[trained:].copy()))
            self.width = vectors.shape[1]

        def drop(self, ids: torch.Tensor) -> torch.Tensor:
            """In training, take a share of the words as unknown."""
            if not self.training or not word_dropout:
                return ids
            dropped = torch.rand(ids.shape, device=ids.device) < word_dropout
            return torch.where(dropped & (ids != PAD), UNKNOWN, ids)

        def weight(self, ids: torch.Tensor) -> torch.Tensor:
            """All vectors, (V, D); only those that can be trained where the ids ask for no other."""
            if not ids.numel() or int(ids.max()) < trained:
                return self.trained
            return torch.cat([self.trained, self.kept])

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            """Vectors of ids of any shape: (..., D)."""
            ids = self.drop(ids)
            if not self.training:
                return embedding(ids, self.weight(ids))
            stays = ids >= trained
            embedded = embedding(ids.masked_fill(stays, PAD), self.trained, padding_idx=PAD)
            if len(self.kept) and bool(
                stays.any()
            ):  # a gradient through `weight` would sweep the whole table
                embedded = torch.where(
                    stays.unsqueeze(-1), embedding((ids - trained).clamp(min=0), self.kept), embedded
                )
            return embedded

        def bag(self, batch: Flat) -> torch.Tensor:
            """The mean vector of each text, (B, D); zeros for an empty one."""
            ids = self.drop(batch.ids)
            return embedding_bag(ids, self.weight(ids), batch.offsets, mode="mean")

    return Table()


def make_mean(table: Any, config: WordConfig, classes: int) -> torch.nn.Module:
    """Mean of a text's word vectors, dropout, a linear layer; from padded texts, or `Flat` ones by EmbeddingBag."""
    import torch

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = table
            self.dropout = torch.nn.Dropout(config.dropout)
            self.head = make_head(table.width, classes)

        def forward(self, batch: Padded | Flat) -> torch.Tensor:
            logits: torch.Tensor = self.head(self.dropout(self.text(batch)))
            return logits

        def text(self, batch: Padded | Flat) -> torch.Tensor:
            """The mean vector of each text, (B, D)."""
            if isinstance(batch, Flat):
                return self.table.bag(batch)  # type: ignore[no-any-return]
            return masked_mean(self.table(batch.ids), batch.ids)

    return Mean()


def masked_mean(states: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """The mean of states (B, T, D) over the words that are no padding: (B, D), zeros for an empty text."""
    mask = (ids != PAD).to(states.dtype).unsqueeze(-1)
    return (states * mask).sum(1) / mask.sum(1).clamp(min=1)


def make_recurrent(table: Any, config: RecurrentConfig, classes: int) -> torch.nn.Module:
    """A recurrent network over a text's words; the second direction reads each text from its own end.

    Directions are layers of their own, so that padded texts give what packed ones give.
    """
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    ways = 2 if config.bidirectional else 1

    class Recurrent(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = table
            cell = getattr(torch.nn, CELLS[config.cell])
            widths = [table.width] + [ways * config.state_width] * (config.layers - 1)
            self.layers = torch.nn.ModuleList(
                torch.nn.ModuleList(cell(width, config.state_width, batch_first=True) for _ in range(ways))
                for width in widths
            )
            self.dropout = torch.nn.Dropout(config.dropout)
            self.head = make_head(ways * config.state_width, classes)

        def forward(self, batch: Padded) -> torch.Tensor:
            lengths = batch.lengths.clamp(min=1)
            backwards = _turned(lengths, batch.ids.shape[1]).to(batch.ids.device)
            states = self.table(batch.ids)
            for number, layer in enumerate(self.layers):
                states = self.dropout(states) if number else states
                read = [self.read(layer[0], states, lengths)]  # type: ignore[index]
                if ways == 2:
                    turned = self.read(layer[1], _at(states, backwards), lengths)  # type: ignore[index]
                    read.append(_at(turned, backwards))
                states = torch.cat(read, -1)
            logits: torch.Tensor = self.head(self.dropout(self.text(states, batch, lengths)))
            return logits

        def read(self, cell: Any, states: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
            """All states of one direction, (B, T, H); what stands at padding means nothing."""
            if not config.packed:
                output: torch.Tensor = cell(states)[0]
                return output
            packed = pack_padded_sequence(states, lengths, batch_first=True, enforce_sorted=False)
            return pad_packed_sequence(cell(packed)[0], batch_first=True, total_length=states.shape[1])[0]

        def text(self, states: torch.Tensor, batch: Padded, lengths: torch.Tensor) -> torch.Tensor:
            if config.state == "mean":
                return masked_mean(states, batch.ids)
            rows = torch.arange(len(states), device=states.device)
            last = states[rows, lengths.to(states.device) - 1, : config.state_width]
            first = states[:, 0, config.state_width :]  # where the second direction ends
            return torch.cat([last, first], -1)

    return Recurrent()


def _turned(lengths: torch.Tensor, most: int) -> torch.Tensor:
    """Places that turn each text round within its own length, padding left where it is: (B, T)."""
    import torch

    columns = torch.arange(most)
    turned = lengths.unsqueeze(1) - 1 - columns
    return torch.where(turned >= 0, turned, columns)


def _at(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return states.gather(1, places.unsqueeze(-1).expand_as(states))


def make_head(width: int, classes: int) -> torch.nn.Linear:
    """The last linear layer, nearly zero at birth."""
    import torch

    head = torch.nn.Linear(width, classes)
    torch.nn.init.normal_(head.weight, std=0.02)
    torch.nn.init.zeros_(head.bias)
    return head


def make_word_network(table: torch.nn.Module, config: AnyWordConfig, classes: int) -> torch.nn.Module:
    """The network of these settings on a word table, new layers drawn from torch's random state."""
    if isinstance(config, CnnConfig):
        from tl_core.tasks.classify.words.cnn import make_cnn

        return make_cnn(table, config, classes)
    if isinstance(config, RecurrentConfig):
        return make_recurrent(table, config, classes)
    return make_mean(table, config, classes)


def make_documents(
    config: AnyWordConfig,
    splitter: Splitter,
    texts: Sequence[str],
    index: Mapping[str, int],
    device: torch.device,
) -> Documents:
    """Texts as ids of the words in `index`, cut as these settings say."""
    corpus = read_corpus(splitter, texts, config.max_words)
    return Documents(corpus, index, getattr(config, "longest_sentence", config.max_words), device)


def make_batch(config: AnyWordConfig, documents: Documents, rows: Indices) -> Batch:
    """These rows in the form that the network of these settings reads."""
    if isinstance(config, CnnConfig):
        return documents.by_sentences(rows)
    if isinstance(config, BagConfig):
        return documents.flat(rows)
    return documents.padded(rows)
