"""Attention roll-out against worked examples, attention flow against linear programming."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from tl_core.encoders.attention.maps import Maps
from tl_core.encoders.attention.rollout import MOST_FLOW_TOKENS, attention_flow, rollout
from tl_core.errors import ConfigError, DataError


def random_maps(layers: int, heads: int, tokens: int, seed: int = 0, peak: float = 0.3) -> Maps:
    rows = np.random.default_rng(seed).dirichlet(np.full(tokens, peak), size=(layers, heads, tokens))
    return rows.astype(np.float32)


def uniform(layers: int, tokens: int) -> Maps:
    return np.full((layers, 2, tokens, tokens), 1 / tokens, dtype=np.float32)


def test_rollout_of_a_worked_example() -> None:
    maps = np.array([[[[0, 1], [0, 1]]], [[[1, 0], [1, 0]]]], dtype=np.float32)
    drawn = rollout(maps)
    # A_1 = [[.5, .5], [0, 1]], A_2 = [[1, 0], [.5, .5]], R_2 = A_2 A_1
    assert drawn[0].tolist() == [[0.5, 0.5], [0, 1]]
    assert drawn[1].tolist() == [[0.5, 0.5], [0.25, 0.75]]


def test_heads_count_alike_in_rollout() -> None:
    maps = np.array([[[[1, 0], [1, 0]], [[0, 1], [0.5, 0.5]]]], dtype=np.float32)
    assert rollout(maps, residual=0)[0].tolist() == [[0.5, 0.5], [0.75, 0.25]]


@pytest.mark.parametrize("residual", [0.0, 0.2, 0.5, 1.0])
def test_rollout_of_uniform_attention_is_uniform_plus_what_the_residual_kept(residual: float) -> None:
    drawn = rollout(uniform(4, 8), residual=residual)
    for layer in range(4):
        kept = residual ** (layer + 1)
        assert drawn[layer] == pytest.approx(kept * np.eye(8) + (1 - kept) / 8, abs=1e-6)


def test_rollout_of_uniform_attention_without_residual_is_exactly_uniform() -> None:
    assert np.array_equal(rollout(uniform(3, 8), residual=0), np.full((3, 8, 8), 1 / 8, dtype=np.float32))


def test_rollout_is_the_sum_over_all_paths() -> None:
    maps = random_maps(3, 2, 4)
    one, two, three = (0.5 * np.eye(4) + 0.5 * each.mean(0) for each in maps.astype(np.float64))
    paths = np.einsum("ia,ab,bj->ij", three, two, one)
    drawn = rollout(maps)
    assert drawn[-1] == pytest.approx(paths, abs=1e-6)
    assert drawn.sum(-1) == pytest.approx(np.ones((3, 4)), abs=1e-6)
    assert drawn.dtype == np.float32


def flow_by_linear_programming(capacities: NDArray[np.float64], sources: list[int], sink: int) -> float:
    """The largest flow through (L, T, T) capacities; its variables are the flow on every edge."""
    layers, count, _ = capacities.shape
    variable = np.arange(layers * count * count).reshape(capacities.shape)
    kept = []  # what enters a node between two layers leaves it
    for layer in range(1, layers):
        for node in range(count):
            row = np.zeros(variable.size)
            row[variable[layer, :, node]] += 1
            row[variable[layer - 1, node, :]] -= 1
            kept.append(row)
    limits = capacities.copy()
    limits[-1, [each for each in range(count) if each not in sources], :] = 0
    limits[0, :, [each for each in range(count) if each != sink]] = 0
    gain = np.zeros(variable.size)
    gain[variable[0, :, sink]] = -1
    bounds = [(0.0, float(each)) for each in limits.ravel()]
    made = linprog(
        gain, A_eq=np.array(kept) if kept else None, b_eq=np.zeros(len(kept)) if kept else None, bounds=bounds
    )
    assert made.success
    return -float(made.fun)


@pytest.mark.parametrize("sources", [[0], [2], [1, 3]])
@pytest.mark.parametrize(("layers", "residual"), [(1, 0.5), (2, 0.5), (3, 0.5), (4, 0.1), (3, 0.0)])
def test_flow_is_the_maximum_that_linear_programming_finds(
    layers: int, residual: float, sources: list[int]
) -> None:
    maps = random_maps(layers, 2, 5, seed=layers)
    capacities = residual * np.eye(5) + (1 - residual) * maps.astype(np.float64).mean(1)
    expected = np.array([flow_by_linear_programming(capacities, sources, sink) for sink in range(5)])
    flow = attention_flow(maps, sources, residual=residual)
    assert flow == pytest.approx(expected / expected.sum(), abs=2e-5)
    assert flow.sum() == pytest.approx(1)


def test_flow_through_one_layer_is_its_attention() -> None:
    maps = random_maps(1, 3, 6)
    assert attention_flow(maps, 2, residual=0) == pytest.approx(maps.mean(1)[0, 2], abs=2e-6)


def test_flow_of_a_worked_example() -> None:
    # From token 1 above: 0.3 to the first and 0.7 to the second node, which pass on (0.2, 0.8) and (0.6, 0.4).
    maps = np.array([[[[0.2, 0.8], [0.6, 0.4]]], [[[0.5, 0.5], [0.3, 0.7]]]], dtype=np.float32)
    # At most 0.2 + 0.6 reach token 0, and 0.3 + 0.4 token 1.
    assert attention_flow(maps, [1], residual=0) == pytest.approx(np.array([8, 7]) / 15, abs=1e-5)


def test_flow_of_uniform_attention_is_uniform_and_nothing_flows_where_nobody_looks() -> None:
    assert attention_flow(uniform(3, 5), [1], residual=0) == pytest.approx(np.full(5, 0.2))
    causal = np.tril(random_maps(3, 2, 6)) + np.tril(np.ones((6, 6), dtype=np.float32)) * 1e-3
    flow = attention_flow(causal / causal.sum(-1, keepdims=True), 2)
    assert flow[3:].tolist() == [0, 0, 0]
    assert (flow[:3] > 0).all()


def test_a_token_named_twice_is_one_source() -> None:
    maps = random_maps(3, 2, 5)
    assert np.array_equal(attention_flow(maps, [1, 1]), attention_flow(maps, 1))
    assert np.array_equal(attention_flow(maps, np.int64(1)), attention_flow(maps, 1))  # type: ignore[arg-type]


def test_the_longest_text_flows_and_a_longer_one_is_refused() -> None:
    longest = random_maps(2, 1, MOST_FLOW_TOKENS)
    assert attention_flow(longest, 0).sum() == pytest.approx(1)
    with pytest.raises(
        DataError, match=f"at most {MOST_FLOW_TOKENS} tokens; this text has {MOST_FLOW_TOKENS + 1}"
    ):
        attention_flow(uniform(1, MOST_FLOW_TOKENS + 1), 0)


@pytest.mark.parametrize("residual", [-0.1, 1.1, float("nan")])
def test_a_residual_outside_its_range_is_refused(residual: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        rollout(uniform(1, 2), residual=residual)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        attention_flow(uniform(1, 2), 0, residual=residual)


def test_tokens_that_are_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match="No token is chosen"):
        attention_flow(uniform(1, 2), [])
    for token in (2, -1):
        with pytest.raises(ConfigError, match="the text has 2 tokens"):
            attention_flow(uniform(1, 2), [0, token])
