"""Shares of each input token that reach a token of a later layer: attention roll-out and attention flow.

Both follow Abnar & Zuidema 2020 (arXiv 2005.00928), section 3: heads are averaged, and a residual
connection carries a token past the attention of its layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.attention.maps import Maps
from tl_core.errors import ConfigError, DataError
from tl_core.text.places import Numbers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MOST_FLOW_TOKENS = 128  # one second on one core with 12 layers, two with 24
CAPACITY_STEPS = 1_000_000  # flow is computed in whole numbers; a capacity of 1 is this many


def rollout(maps: Maps, *, residual: float = 0.5) -> NDArray[np.float32]:
    """Shares of each input token that each token draws on after each layer: (L, T, T), rows sum to one.

    R_l = A_l R_(l-1), where A_l = residual * I + (1 - residual) * the mean over heads (eq. 1; the paper's
    residual is 0.5). `maps` are (L, H, T, T). ConfigError for a residual outside 0 to 1.
    """
    _check_residual(residual)
    drawn = np.empty((len(maps), *maps.shape[2:]), dtype=np.float32)
    reached = np.eye(maps.shape[-1])
    for layer, attention in enumerate(maps):
        reached = _with_residual(attention, residual) @ reached
        drawn[layer] = reached
    return drawn


def shares_of_words(
    drawn: NDArray[np.float32], tokens: Sequence[int], groups: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Shares of each word that some tokens, together, draw on: (W,). It sums to one less what special tokens keep.

    `drawn` (T, T) is the roll-out after one layer, or any attention; `groups` (W, T) says which tokens make a word.
    """
    shares: NDArray[np.float32] = groups @ drawn[list(tokens)].mean(0)
    return shares


def attention_flow(
    maps: Maps, token_or_tokens: int | Sequence[int], *, residual: float = 0.5
) -> NDArray[np.float64]:
    """The most that can flow from tokens of the last layer down to each input token: (T,), sums to one.

    The maximum flow to each input token on its own, through the graph whose capacities are the attention
    of `rollout` (section 3 of the paper). Several tokens are one source, each giving as much as it can.
    ConfigError for a residual outside 0 to 1, no token, or one that is not there; DataError for more than
    MOST_FLOW_TOKENS tokens.
    """
    _check_residual(residual)
    count = maps.shape[-1]
    tokens = _checked_tokens(token_or_tokens, count)
    if count > MOST_FLOW_TOKENS:
        raise DataError(
            "Attention flow takes at most {most_flow_tokens} tokens; this text has {count:,}. Shorten the text, or "
            "choose roll-out.",
            most_flow_tokens=MOST_FLOW_TOKENS,
            count=count,
        )
    capacities = np.stack([_with_residual(attention, residual) for attention in maps])
    flows = _flows(np.rint(capacities * CAPACITY_STEPS).astype(np.int32), tokens)
    flows /= flows.sum()
    return flows


def _with_residual(attention: NDArray[np.float32], residual: float) -> Numbers:
    """Attention of one layer, (H, T, T), with the residual connection: (T, T), rows sum to one."""
    mean = attention.mean(0, dtype=np.float64)
    mean /= mean.sum(-1, keepdims=True)
    made: Numbers = residual * np.eye(len(mean)) + (1 - residual) * mean
    return made


def _flows(capacities: NDArray[np.int32], tokens: list[int]) -> Numbers:
    """Maximum flow from the tokens above the last layer to each token under the first: (T,)."""
    from scipy.sparse.csgraph import maximum_flow

    given = capacities[-1][tokens].sum(0, dtype=np.int32)
    if len(capacities) == 1:
        return np.array(given, dtype=np.float64)
    graph = _graph(capacities, given)
    source, sink = graph.shape[0] - 2, graph.shape[0] - 1
    last = np.flatnonzero(graph.indices == sink)
    flows = np.empty(capacities.shape[-1])
    for token, received in enumerate(capacities[0].T):
        graph.data[last] = received
        flows[token] = maximum_flow(graph, source, sink).flow_value
    return flows


def _graph(capacities: NDArray[np.int32], given: NDArray[np.int32]) -> csr_array:
    """The graph between a source that gives (T,) into the last layer and a sink that takes from the first.

    Node (l - 1) * T + i is token i between layers l and l + 1, l from 1; the last two nodes are source and
    sink. The capacities into the sink are still to be set.
    """
    from scipy.sparse import csr_array

    layers, count, _ = capacities.shape
    inner = (layers - 1) * count
    source, sink = inner, inner + 1
    above, below = (index.ravel() for index in np.indices((count, count)))
    rows = [np.full(count, source), np.arange(count)]
    columns = [inner - count + np.arange(count), np.full(count, sink)]
    values = [given, np.ones(count, dtype=np.int32)]
    for layer in range(1, layers - 1):
        rows.append(layer * count + above)
        columns.append((layer - 1) * count + below)
        values.append(capacities[layer].ravel())
    places = (np.concatenate(rows).astype(np.int32), np.concatenate(columns).astype(np.int32))
    graph = csr_array((np.concatenate(values), places), shape=(inner + 2, inner + 2))
    graph.sort_indices()
    return graph


def _checked_tokens(token_or_tokens: int | Sequence[int], count: int) -> list[int]:
    tokens = list(dict.fromkeys(int(token) for token in np.atleast_1d(token_or_tokens)))
    if not tokens:
        raise ConfigError("No token is chosen. Choose the one whose flow is to be shown.")
    for token in tokens:
        if not 0 <= token < count:
            raise ConfigError(
                "There is no token {token}: the text has {count:,} tokens.", token=token + 1, count=count
            )
    return tokens


def _check_residual(residual: float) -> None:
    if not 0 <= residual <= 1:
        raise ConfigError(
            "The share of the residual connection must be between 0 and 1; got {residual}.", residual=residual
        )
