"""Figures of maps of words, of the quality of word vectors and of two sets compared: data in, figure data out."""

from __future__ import annotations

import numpy as np
import pytest

from pages.components.charts.quality import (
    MOST_PAIRS,
    MOST_SECTIONS,
    largest_sections,
    overlap_histogram,
    section_bars,
    similarity_scatter,
)
from pages.components.charts.word_map import MOST_LABELS, places_of, word_map_figure
from pages.views.vectors.evaluation import pair_ranks
from tl_core.vectors.clusters import Clusters
from tl_core.vectors.quality import AnalogyReport, Score, ScoredPair, SimilarityReport

WORDS = ["king", "<b>queen</b>", "$x$ apple", "pear"]
CLUSTERS = Clusters(np.array([0, 0, 1, 1]), ("king, <b>queen</b>", "pear, $x$ apple"))


def points(count: int = 4, dimensions: int = 2) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, dimensions)).astype(np.float32)


def analogies(scores: list[Score], split: bool = True) -> AnalogyReport:
    overall = Score("all", 1, 2, 3)
    half = overall if split else None
    return AnalogyReport("made", tuple(scores), overall, half, half, ())


def pairs(count: int) -> SimilarityReport:
    rows = tuple(ScoredPair(f"<i>{at}", "b", float(at), 1 - at / count) for at in range(count))
    return SimilarityReport("made", -1.0, -1.0, count, count, rows, ())


def test_a_map_has_a_trace_a_cluster_with_colour_and_symbol_of_its_own():
    at = points()
    figure = word_map_figure(WORDS, at, CLUSTERS, (0.5, 0.25))
    one, other = figure.data
    assert np.allclose(np.c_[one.x, one.y], at[:2])
    assert np.allclose(np.c_[other.x, other.y], at[2:])
    assert one.marker.color != other.marker.color
    assert one.marker.symbol != other.marker.symbol
    assert figure.layout.showlegend
    assert figure.layout.dragmode == "lasso"
    assert "50%" in figure.layout.xaxis.title.text
    assert "25%" in figure.layout.yaxis.title.text
    assert figure.layout.xaxis.showticklabels is False


def test_words_and_names_of_clusters_are_escaped():
    written = str(word_map_figure(WORDS, points(), CLUSTERS).to_dict())
    assert "&lt;b&gt;queen" in written
    assert "<b>" not in written
    assert "$x$" not in written


def test_without_clusters_there_is_one_trace_and_no_legend():
    figure = word_map_figure(WORDS, points())
    assert len(figure.data) == 1
    assert not figure.layout.showlegend
    assert not figure.layout.xaxis.title.text


def test_a_deep_map_has_a_third_axis_and_can_be_turned():
    figure = word_map_figure(WORDS, points(dimensions=3), CLUSTERS, (0.5, 0.3, 0.1))
    assert {trace.type for trace in figure.data} == {"scatter3d"}
    assert figure.layout.scene.dragmode == "turntable"
    assert "10%" in figure.layout.scene.zaxis.title.text


def test_many_words_are_drawn_but_only_those_that_name_a_cluster_are_written():
    words = [f"w{at}" for at in range(MOST_LABELS + 1)]
    clusters = Clusters(np.zeros(len(words), dtype=int), ("w3, w5",))
    [trace] = word_map_figure(words, points(len(words)), clusters).data
    assert {text for text in trace.text if text} == {"w3", "w5"}
    assert list(trace.hovertext) == words


def test_thirty_clusters_can_be_told_apart():
    words = [f"w{at}" for at in range(30)]
    clusters = Clusters(np.arange(30), tuple(words))
    looks = {(t.marker.color, t.marker.symbol) for t in word_map_figure(words, points(30), clusters).data}
    assert len(looks) == 30


def test_five_thousand_words_are_all_on_the_map():
    words = [f"w{at}" for at in range(5_000)]
    clusters = Clusters(np.arange(5_000) % 6, tuple("abcdef"))
    figure = word_map_figure(words, points(5_000), clusters)
    assert sum(len(trace.x) for trace in figure.data) == 5_000


def test_selected_points_lead_back_to_their_words():
    mixed = Clusters(np.array([1, 0, 1, 0]), ("a", "b"))
    figure = word_map_figure(WORDS, points(), mixed)
    chosen = [{"curve_number": 1, "point_index": 1}, {"curve_number": 0, "point_index": 0}]
    assert places_of(figure, chosen) == [1, 2]
    assert places_of(figure, [{"curve_number": 7, "point_index": 0}]) == []


def test_section_bars_tell_accuracy_and_number_and_part_the_two_halves():
    scores = [Score("<i>family", 3, 4, 5), Score("gram1", 1, 2, 2), Score("currency", 0, 0, 9)]
    figure = section_bars(analogies(scores))
    semantic, syntactic = figure.data
    assert (list(semantic.x), list(semantic.y)) == ([0.75, 0], [0, 2])
    assert list(semantic.text) == ["75% of 4", "none covered"]
    assert (list(syntactic.x), list(syntactic.y)) == ([0.5], [1])
    assert "<i>" not in str(figure.to_dict()).replace("<extra>", "")
    assert len(section_bars(analogies(scores, split=False)).data) == 1


def test_of_very_many_sections_the_largest_are_drawn_in_their_order():
    scores = [Score(f"s{at}", 0, at % 50, 50) for at in range(200)]
    kept = largest_sections(scores)
    assert len(kept) == MOST_SECTIONS
    assert min(each.covered for each in kept) == 40
    assert [scores.index(each) for each in kept] == sorted(scores.index(each) for each in kept)


def test_the_scatter_has_a_point_a_pair_with_its_words():
    [trace] = similarity_scatter(pairs(5)).data
    assert list(trace.x) == [0, 1, 2, 3, 4]
    assert np.allclose(trace.y, [1, 0.8, 0.6, 0.4, 0.2])
    assert trace.customdata[2][0] == "&lt;i&gt;2"
    [many] = similarity_scatter(pairs(MOST_PAIRS + 100)).data
    assert len(many.x) == MOST_PAIRS


def test_ranks_begin_with_the_most_alike_and_ties_share_theirs():
    rows = (ScoredPair("a", "b", 9, 0.1), ScoredPair("a", "c", 5, 0.1), ScoredPair("a", "d", 1, 0.8))
    people, vectors = pair_ranks(SimilarityReport("made", 0, 0, 3, 3, rows, ()))
    assert people.tolist() == [1, 2, 3]
    assert vectors.tolist() == [2.5, 2.5, 1]


@pytest.mark.parametrize("k", [1, 10])
def test_the_histogram_counts_words_by_shared_neighbours(k: int):
    shares = np.array([0.0, 1.0, 1.0])
    figure = overlap_histogram(shares, k)
    [bars] = figure.data
    assert (bars.y[0], bars.y[k], sum(bars.y)) == (1, 2, 3)
    assert len(bars.x) == k + 1
    assert figure.layout.shapes[0].x0 == pytest.approx(2 / 3 * k)
