"""Figures of words in context and of learning: what they hold, and that user text stays text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.components.charts.context import Shown, context_plane, cosines_by_layer
from pages.components.charts.learning import MOST_MARKED, learning_by_epoch, neighbours_changed
from pages.components.charts.style import GROUP_COLOURS
from tests.pages.test_charts import luminance
from tl_core.runs.events import Curve

THEME = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
POINTS = np.array([[0, 1], [2, 3], [4, 5]], dtype=np.float32)
SHOWN = (
    Shown("1", "play the <b>guitar</b> for $5$ and $6$", "play the", "music"),
    Shown("2.1", "a play", "a play", "stage"),
    Shown("2.2", "the play", "the play", "stage"),
)
LOSS = Curve("loss", (1, 2, 3), (9.0, 5.0, 4.0))
SPEED = Curve("words_per_second", (1, 2, 3), (1e6, 2e6, 1.5e6))
FIGURES = {
    "plane": context_plane(POINTS, SHOWN),
    "plane without senses": context_plane(
        POINTS, [Shown(each.label, each.around, each.close) for each in SHOWN]
    ),
    "layers": cosines_by_layer({"all pairs": [1.0, 0.9]}, 1),
    "learning": learning_by_epoch((LOSS, SPEED, Curve("changed:ice", (2, 3), (4.0, 1.0)))),
    "no curves": learning_by_epoch(()),
    "changed": neighbours_changed({"ice": [4, 1]}, 10),
    "nothing watched": neighbours_changed({}, 10),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_names_its_axes_and_lets_the_page_shine_through(name: str):
    figure = FIGURES[name]
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    assert any(axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()))
    assert figure.layout.font.color is None, "text takes its colour from the theme of the page"
    figure.to_json()


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("colour", GROUP_COLOURS)
def test_colours_stand_out_on_both_backgrounds(colour: str, mode: str):
    background = tomllib.loads(THEME.read_text(encoding="utf-8"))["theme"][mode]["backgroundColor"]
    low, high = sorted([luminance(colour), luminance(background)])
    assert (high + 0.05) / (low + 0.05) >= 3


def named(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


def test_occurrences_stand_at_their_points_by_sense():
    found = named(FIGURES["plane"])
    assert list(found) == ["music", "stage"]
    assert (list(found["stage"].x), list(found["stage"].y)) == ([2, 4], [3, 5])
    assert list(found["stage"].text) == ["2.1", "2.2"]
    looks = {(trace.marker.color, trace.marker.symbol) for trace in found.values()}
    assert len(looks) == 2
    assert FIGURES["plane"].layout.showlegend


def test_senses_that_nobody_knows_need_no_legend():
    figure = FIGURES["plane without senses"]
    assert len(figure.data) == 1
    assert list(figure.data[0].text) == ["1", "2.1", "2.2"]
    assert not figure.layout.showlegend


def test_text_of_users_stays_text():
    [hover] = named(FIGURES["plane"])["music"].customdata
    assert hover == "play the &lt;b&gt;guitar&lt;/b&gt; for &#36;5&#36; and &#36;6&#36;"
    changed = neighbours_changed({"<b>$x$": [1]}, 10)
    assert changed.data[0].name == "&lt;b&gt;&#36;x&#36;"
    assert "<b>" not in changed.data[0].hovertemplate


def test_the_layer_that_is_shown_is_marked():
    figure = cosines_by_layer({"the same sense": [1.0, 0.9, 0.8], "different senses": [1.0, 0.7, 0.5]}, 2)
    assert list(named(figure)["different senses"].x) == [0, 1, 2]
    [line] = figure.layout.shapes
    assert line.x0 == line.x1 == 2
    assert figure.layout.showlegend


def test_loss_and_speed_have_a_panel_each_by_epoch():
    loss, speed = FIGURES["learning"].data
    assert (loss.x, loss.y) == (LOSS.steps, LOSS.values)
    assert (speed.x, speed.y) == (SPEED.steps, SPEED.values)
    assert loss.yaxis != speed.yaxis
    titles = [axis.title.text for axis in FIGURES["learning"].select_xaxes()]
    assert titles[-1] == "Epoch"


def test_fasttext_has_its_speed_alone():
    [speed] = learning_by_epoch((SPEED,)).data
    assert speed.y == SPEED.values


def test_many_epochs_are_drawn_without_marks():
    steps = tuple(range(1, MOST_MARKED + 2))
    [speed] = learning_by_epoch((Curve("words_per_second", steps, (1.0,) * len(steps)),)).data
    assert speed.mode == "lines"
    assert FIGURES["learning"].data[0].mode == "lines+markers"


def test_changes_begin_with_the_second_epoch_and_words_are_told_apart():
    figure = neighbours_changed({f"w{at}": [at % 10, 0] for at in range(10)}, 10)
    assert list(figure.data[0].x) == [2, 3]
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 10
