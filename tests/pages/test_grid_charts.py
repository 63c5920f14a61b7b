"""Figures of the Compare page: data in, figure data out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.components.charts.grid import (
    accuracy_over_rows,
    probes_by_layer,
    similarity_by_layer,
    weights_by_layer,
    words_before_and_after,
    worth_of_source,
)
from tl_core.encoders.movement.probe import Probed
from tl_core.encoders.movement.weights import MovedWeights
from tl_core.outcomes.grid import Gain, Grid, GridPoint, ZeroTarget
from tl_core.outcomes.moved import MovedLayers, MovedWords
from tl_core.tasks.classify.metrics import Interval
from tl_core.vectors.movement import find_movement


def point(strategy: str, rows: float, accuracies: tuple[float, ...], from_source: bool = False) -> GridPoint:
    return GridPoint(
        strategy=strategy,
        title=strategy.upper(),
        from_source=from_source,
        per_class=int(rows) // 2,
        rows=rows,
        accuracies=accuracies,
        interval=None,
        seconds=1.0,
        trained_parameters=10,
        peak_memory=10,
    )


def grid() -> Grid:
    points = (
        point("cnn", 20, (0.6, 0.7)),
        point("cnn", 200, (0.8, 0.8)),
        point("cnn", 20, (0.75, 0.85), from_source=True),
        point("tfidf", 20, (0.5,)),
    )
    zero = (ZeroTarget("cnn", "CNN", 0.78, None),)
    return Grid(100, points, (), zero, "good", 0.5)


def test_a_line_for_each_strategy_and_start_with_the_spread_as_a_band():
    figure = accuracy_over_rows(grid())
    lines = {each.name: each for each in figure.data if each.name}
    assert set(lines) == {"CNN", "CNN, from the source", "TFIDF"}
    assert list(lines["CNN"].x) == [20, 200]
    assert list(lines["CNN"].y) == pytest.approx([0.65, 0.8])
    assert lines["CNN"].line.dash == "dash"
    assert lines["CNN, from the source"].line.dash == "solid"
    bands = [each for each in figure.data if each.fill]
    assert len(bands) == 2  # one seed has no spread
    assert max(bands[0].y) == pytest.approx(0.8)
    assert min(bands[0].y) == pytest.approx(0.65 - np.std([0.6, 0.7], ddof=1))


def test_without_a_source_all_lines_are_solid():
    bare = replace(grid(), points=(point("cnn", 20, (0.6,)), point("tfidf", 20, (0.5,))), zero=())
    assert {each.line.dash for each in accuracy_over_rows(bare).data} == {"solid"}


def test_the_levels_stand_in_the_legend_and_the_axis_names_the_sizes():
    figure = accuracy_over_rows(grid())
    levels = {each.name: each.y0 for each in figure.layout.shapes if each.showlegend}
    assert levels == {"CNN, the source alone: 78.0%": 0.78, "Most frequent class: 50.0%": 0.5}
    assert not figure.layout.annotations
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["20", "200"]


def test_the_gain_is_in_points_with_its_interval():
    gains = [
        Gain("cnn", "CNN", 10, 20, 0.05, Interval(0.02, 0.09), 0.01),
        Gain("cnn", "CNN", 100, 200, -0.01, Interval(-0.03, 0.01), 0.5),
    ]
    [line] = worth_of_source(gains).data
    assert list(line.y) == pytest.approx([5.0, -1.0])
    assert list(line.error_y.array) == pytest.approx([4.0, 2.0])
    assert list(line.error_y.arrayminus) == pytest.approx([3.0, 2.0])


def test_words_are_shown_before_and_after_and_their_text_is_escaped():
    words = ["plot", "<b>dull</b>", "good"]
    before = np.eye(3, dtype=np.float32)
    after = before[[1, 0, 2]]
    moved = MovedWords(words, before, after, find_movement(words, before, after, most=2, k=1))
    figure = words_before_and_after(moved)
    first, last = figure.data[-2:]
    assert (first.name, last.name) == ("before", "after")
    assert "&lt;b&gt;dull&lt;/b&gt;" in last.text
    assert "<b>dull</b>" not in last.text
    paths = [each for each in figure.data if each.mode == "lines"]
    assert len(paths) == len(last.x) == 2
    assert [each.x[1] for each in paths] == pytest.approx(list(last.x))


def test_layers_are_shown_by_weights_similarity_and_probes():
    weights = MovedWeights(("embeddings", "layer 1"), np.array([0.0, 0.25]))
    probed = Probed(np.array([0.5, 0.75]), np.array([0.1, 0.05]), 20, 4, 0.4)
    layers = MovedLayers(weights, np.array([1.0, 0.5]), probed, replace(probed), 20, 8)
    [bars] = weights_by_layer(layers).data
    assert list(bars.y) == [0.0, 25.0]
    [line] = similarity_by_layer(layers).data
    assert (list(line.x), list(line.y)) == ([0, 1], [1.0, 0.5])
    probes = probes_by_layer(probed, replace(probed))
    assert [each.name for each in probes.data] == ["before", "after the source"]
    assert list(probes.data[0].error_y.array) == [0.1, 0.05]
    assert probes.layout.shapes[0].y0 == 0.4
