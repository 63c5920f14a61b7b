"""Figures of the Compare page: data in, figure data out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pages.components.charts.grid import (
    probes_by_layer,
    scores_over_sizes,
    similarity_by_layer,
    weights_by_layer,
    words_before_and_after,
    worth_of_source,
)
from tl_core.encoders.movement.probe import Probed
from tl_core.encoders.movement.weights import MovedWeights
from tl_core.outcomes.experiment import Gain, Grid, Point, ZeroShot
from tl_core.outcomes.moved import MovedLayers, MovedWords
from tl_core.tasks.intervals import Interval
from tl_core.vectors.movement import find_movement

MEASURES = (("exact_match", "exact match"), ("f1", "F1"))


def point(strategy: str, rows: float, accuracies: tuple[float, ...], from_source: bool = False) -> Point:
    return Point(
        arm=strategy,
        title=strategy.upper(),
        strategy=strategy,
        from_source=from_source,
        size=int(rows) // 2,
        rows=rows,
        seeds=tuple(range(1, len(accuracies) + 1)),
        values=accuracies,
        others={},
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
    zero = (ZeroShot("cnn", "CNN", 0.78, None),)
    return Grid(100, points, (), zero, "good", 0.5)


def test_a_line_for_each_strategy_and_start_with_the_spread_as_a_band():
    figure = scores_over_sizes(grid())
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
    assert {each.line.dash for each in scores_over_sizes(bare).data} == {"solid"}


def test_the_levels_stand_in_the_legend_and_the_axis_names_the_sizes():
    figure = scores_over_sizes(grid())
    levels = {each.name: each.y0 for each in figure.layout.shapes if each.showlegend}
    assert levels == {"CNN, the source alone: 78.0%": 0.78, "Most frequent class: 50.0%": 0.5}
    assert not figure.layout.annotations
    assert figure.layout.xaxis.type == "log"
    assert list(figure.layout.xaxis.ticktext) == ["20", "200"]


def test_readers_have_a_line_a_start_by_any_measure_and_their_titles_are_escaped():
    bare = replace(point("lora", 16, (0.0, 0.1)), arm="start1", others={"f1": (0.05, 0.15)})
    more = replace(bare, size=32, rows=64, values=(0.2,), others={"f1": (0.3,)})
    english = replace(
        bare, arm="start2", title="after <English>", from_source=True, others={"f1": (0.4, 0.4)}
    )
    found = Grid(60, (bare, more, english), (), (), "", None, "question", True, MEASURES)
    figure = scores_over_sizes(found, "f1")
    lines = [each for each in figure.data if each.mode == "lines+markers"]
    assert [list(line.y) for line in lines] == [pytest.approx([0.1, 0.3]), pytest.approx([0.4])]
    assert lines[1].name == "after &lt;English&gt;"
    assert lines[0].line.color != lines[1].line.color
    assert list(figure.layout.xaxis.ticktext) == ["16", "64"]
    assert figure.layout.yaxis.title.text == "F1 on the test questions"
    assert scores_over_sizes(found).layout.yaxis.title.text == "Exact match on the test questions"


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
