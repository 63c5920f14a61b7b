"""Figures of attention and the data of the line view: what they hold, how heavy they are, that text stays text."""

from __future__ import annotations

import io
import json
from base64 import b64decode
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from PIL import Image
from streamlit.elements.lib.streamlit_plotly_theme import GRAY_90
from streamlit.testing.v1 import AppTest

from pages.components import attention_lines as lines_folder
from pages.components.attention_lines import MOST_WORDS, lines_data
from pages.components.charts.attention_words import attention_matrix, shares_by_word, visible
from pages.components.charts.heads import (
    DEEPEST,
    GAP,
    GROUND,
    TEXT,
    head_grid,
    head_of,
    head_table,
    largest_of,
    shades,
)
from pages.components.charts.style import ACCENT
from tests.pages.test_charts import luminance

WORDS = ["<b>The</b>", "cat", "sat", "cat", "$x$", "고양이가"]
THEMES = (("#ffffff", "#262730"), ("#11151c", "#fafafa"))  # the page, and what Streamlit puts for TEXT


def pixels(layers: int = 3, heads: int = 4, side: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (layers, heads, side, side)).astype(np.uint8)


def weights(rows: int = len(WORDS), columns: int = len(WORDS)) -> np.ndarray:
    return np.random.default_rng(0).dirichlet(np.ones(columns), rows)


def written(figure: go.Figure) -> str:
    return figure.to_json()


def opacities(figure: go.Figure) -> np.ndarray:
    sheet = Image.open(io.BytesIO(b64decode(figure.data[0].source.split(",")[1])))
    red, green, blue, alpha = np.moveaxis(np.asarray(sheet.convert("RGBA")), -1, 0)
    assert {(r, g, b) for r, g, b in zip(red.flat, green.flat, blue.flat)} == {(0x4A, 0x7F, 0xE0)}
    assert ACCENT == "#4a7fe0"
    return alpha


def levels(data: dict[str, object], columns: int) -> np.ndarray:
    return np.frombuffer(b64decode(str(data["levels"])), dtype=np.uint8).reshape(-1, columns)


def selected(trace: int, at: int) -> list[dict[str, int]]:
    return [{"curve_number": trace, "point_index": at, "point_number": at}]


def blend(colour: str, ground: str) -> str:
    *channels, opacity = (float(part) for part in colour[5:-1].split(","))
    under = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
    mixed = (round(opacity * c + (1 - opacity) * u) for c, u in zip(channels, under, strict=True))
    return "#" + "".join(f"{each:02x}" for each in mixed)


def test_the_grid_holds_every_tile_in_its_place_with_empty_gaps_between():
    given = pixels()
    alpha = opacities(head_grid(given))
    assert alpha.shape == (3 * 5 + 2 * GAP, 4 * 5 + 3 * GAP)
    step = 5 + GAP
    tile = alpha[2 * step : 2 * step + 5, 1 * step : 1 * step + 5]
    assert np.array_equal(tile, np.maximum(given[2, 1], GROUND))
    assert not alpha[5 : 5 + GAP].any()
    assert not alpha[:, 5 : 5 + GAP].any()


def test_the_middle_of_a_tile_lies_on_the_number_of_its_layer_and_head():
    image = head_grid(pixels()).data[0]
    middles = image.x0 + image.dx * (np.arange(4) * (5 + GAP) + 2)
    assert np.allclose(middles, [1, 2, 3, 4])
    assert (image.y0, image.dy) == (image.x0, image.dx)


def test_the_grid_of_twelve_layers_and_heads_stays_small_even_for_noise():
    notes = [["looks mostly at the word before it"] * 12] * 12
    assert len(written(head_grid(pixels(12, 12, 24), chosen=(3, 4), notes=notes)).encode()) < 400_000


def test_every_click_on_a_tile_leads_to_its_layer_and_head():
    for figure in (head_grid(pixels()), head_table(np.ones((3, 4)), title="Entropy")):
        found = [head_of(figure, selected(1, at)) for at in range(12)]
        assert found == [(layer, head) for layer in range(3) for head in range(4)]


@pytest.mark.parametrize("points", [[], selected(0, 3), selected(1, 12), selected(9, 0)])
def test_what_is_no_tile_leads_nowhere(points: list[dict[str, int]]):
    assert head_of(head_grid(pixels()), points) is None


def test_the_chosen_head_is_outlined_and_no_other():
    [outline] = head_grid(pixels(), chosen=(2, 1)).layout.shapes
    assert (outline.x0, outline.x1, outline.y0, outline.y1) == (1.5, 2.5, 2.5, 3.5)
    assert not head_grid(pixels()).layout.shapes


def test_layer_one_is_on_top_and_each_number_has_a_tick():
    figure = head_grid(pixels())
    top, bottom = figure.layout.yaxis.range[1], figure.layout.yaxis.range[0]
    assert top < 1 < 3 < bottom
    assert (figure.layout.xaxis.dtick, figure.layout.xaxis.title.text) == (1, "Head")
    assert (figure.layout.yaxis.dtick, figure.layout.yaxis.title.text) == (1, "Layer")


def test_notes_are_on_the_hover_and_escaped():
    notes = [[f"<i>{layer}.{head}" for head in range(4)] for layer in range(3)]
    tiles = head_grid(pixels(), notes=notes).data[1]
    assert tiles.hovertext[6] == "&lt;i&gt;1.2"
    assert tiles.hovertemplate == "Layer %{y}, head %{x}<br>%{hovertext}<extra></extra>"
    assert (tiles.y[6], tiles.x[6]) == (2, 3)
    assert head_grid(pixels()).data[1].hovertext is None
    with pytest.raises(ValueError, match="notes"):
        head_grid(pixels(), notes=notes[:2])


def test_a_table_of_heads_writes_its_numbers_and_tells_them():
    values = np.array([[1.0, np.nan], [0.5, 2.0]])
    shade, tiles = head_table(values, title="Entropy <b>", tickformat=".1f").data
    assert np.array_equal(shade.z, values.astype(np.float32), equal_nan=True)
    assert (shade.zmin, shade.zmax, shade.texttemplate) == (0, 2, "%{z:.1f}")
    assert "Entropy &lt;b&gt;: %{customdata:.1f}" in tiles.hovertemplate
    assert tiles.customdata[3] == 2


def test_signed_numbers_are_drawn_around_zero():
    shade = head_table(np.array([[-3.0, 1.0]]), title="Change", signed=True).data[0]
    assert (shade.zmin, shade.zmax) == (-3, 3)
    assert shade.colorscale[0][1].startswith("rgba(217")
    assert shade.colorscale[-1][1].startswith("rgba(74")
    near = [colour for at, colour in shade.colorscale if at == 0.5]
    assert near == ["rgba(217, 125, 12, 0.000)", "rgba(74, 127, 224, 0.000)"]


@pytest.mark.parametrize(("ground", "text"), THEMES)
@pytest.mark.parametrize("signed", [False, True])
def test_numbers_can_be_read_on_every_shade_in_light_and_dark(ground: str, text: str, signed: bool):
    for _, colour in shades(signed, deepest=DEEPEST):
        under, over = sorted((luminance(blend(colour, ground)), luminance(text)))
        assert (over + 0.05) / (under + 0.05) > 4.5


def test_numbers_have_the_colour_that_streamlit_replaces_by_the_themes():
    assert TEXT == GRAY_90


def test_nothing_known_is_no_error():
    assert largest_of(np.full((2, 2), np.nan)) > 0
    head_table(np.full((2, 2), np.nan), title="Entropy")
    attention_matrix(np.full((1, 1), np.nan), ["a"], ["a"])


def test_a_matrix_holds_its_values_and_leaves_out_cells_empty():
    matrix = weights(2)
    matrix[1, 3] = np.nan
    figure = attention_matrix(matrix, WORDS[:2], WORDS)
    shade = figure.data[0]
    assert shade.z.dtype == np.float32
    assert np.array_equal(shade.z, matrix.astype(np.float32), equal_nan=True)
    assert shade.hoverongaps is False
    assert shade.zmax == pytest.approx(np.nanmax(matrix))
    assert attention_matrix(matrix, WORDS[:2], WORDS, largest=1.0).data[0].zmax == 1
    signed = attention_matrix(matrix - 0.2, WORDS[:2], WORDS, signed=True).data[0]
    assert signed.zmin == -signed.zmax


def test_the_hover_of_a_matrix_has_whole_words_and_its_axes_short_ones_that_may_repeat():
    long = "Donaudampfschifffahrtsgesellschaftskapitän"
    figure = attention_matrix(weights(2, 7), [long, "a"], [*WORDS, long])
    assert figure.layout.yaxis.ticktext == (long, "a")
    assert figure.layout.xaxis.ticktext[0] == "&lt;b&gt;The&lt;/b&gt;"
    assert figure.layout.xaxis.ticktext[1] == figure.layout.xaxis.ticktext[3] == "cat"
    assert figure.layout.yaxis2.labelalias["0"] == "Donaudampfsch…"
    assert figure.layout.xaxis2.labelalias["3"] == "cat"
    assert figure.layout.xaxis2.categoryarray == tuple("0123456")
    assert figure.layout.xaxis2.range == figure.layout.xaxis.range
    assert "<b>" not in written(figure)
    assert "$x$" not in written(figure)


def test_a_matrix_that_does_not_fit_its_words_is_refused():
    with pytest.raises(ValueError, match=r"\(2, 6\)"):
        attention_matrix(weights(2), WORDS, WORDS)


def test_shares_have_a_bar_a_word_and_series():
    figure = shares_by_word(WORDS, {"Roll-out": [0.1] * 6, "Flow <i>": [0.2] * 5 + [float("nan")]})
    one, other = figure.data
    assert list(one.y) == list(other.y) == [0, 1, 2, 3, 4, 5]
    assert one.marker.color != other.marker.color
    assert one.marker.pattern.shape != other.marker.pattern.shape
    assert (other.name, figure.layout.showlegend) == ("Flow &lt;i&gt;", True)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert "<b>" not in written(figure)
    assert not shares_by_word(WORDS, {"Flow": [0.1] * 6}).layout.showlegend
    with pytest.raises(ValueError, match="5 values"):
        shares_by_word(WORDS, {"Flow": [0.1] * 5})


def test_sixty_words_get_a_row_each():
    words = [f"w{at}" for at in range(60)]
    figure = shares_by_word(words, {"a": [0.1] * 60, "b": [0.2] * 60})
    assert len(figure.layout.yaxis.ticktext) == 60
    assert figure.layout.height / 60 > 20


def test_what_a_word_may_see_has_one_colour_and_what_it_may_not_another():
    mask = np.tril(np.ones((4, 4), dtype=bool))
    allowed, hidden = visible(mask, WORDS[:4], allowed="both <b>", hidden="encoder").data[:2]
    assert np.array_equal(np.isfinite(allowed.z), mask)
    assert np.array_equal(np.isfinite(hidden.z), ~mask)
    assert allowed.colorscale != hidden.colorscale
    assert (allowed.name, hidden.name) == ("both &lt;b&gt;", "encoder")
    named = [trace.name for trace in visible(np.ones((4, 4), dtype=bool), WORDS[:4]).data if trace.showlegend]
    assert named == ["an encoder and a decoder look there"]


def test_lines_hold_a_byte_a_pair_as_the_root_of_its_share():
    matrix = np.array([[0.04, 0.16, np.nan], [0.0, 0.64, 0.01]])
    data = lines_data(["a", "<b>"], ["x", "y", "z"], matrix)
    assert levels(data, 3).tolist() == [[64, 128, 0], [0, 255, 32]]
    assert data["largest"] == pytest.approx(0.64)
    assert data["left"] == ["a", "<b>"]


def test_lines_tell_weights_back_almost_as_they_were():
    matrix = weights(30, 40)
    data = lines_data(["a"] * 30, ["b"] * 40, matrix)
    told = data["largest"] * (levels(data, 40) / 255.0) ** 2
    assert np.abs(told - matrix).max() < 0.004 * matrix.max()


def test_four_hundred_words_a_side_are_less_than_300_kilobytes():
    words = [f"대한민국{at}" for at in range(400)]
    assert len(json.dumps(lines_data(words, words, weights(400, 400))).encode()) < 300_000


def test_lines_without_weights_are_no_error():
    assert lines_data([], [], np.zeros((0, 0)))["largest"] == 0
    assert not levels(lines_data(["a"], ["b"], np.zeros((1, 1))), 1).any()


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.zeros((2, 3)), r"weights \(2, 3\) for 2 and 2 words"),
        (np.full((2, 2), -0.1), "below zero"),
    ],
)
def test_weights_that_cannot_be_lines_are_refused(matrix: np.ndarray, said: str):
    with pytest.raises(ValueError, match=said):
        lines_data(["a", "b"], ["c", "d"], matrix)


def test_more_words_than_can_be_sent_are_refused():
    many = ["a"] * (MOST_WORDS + 1)
    with pytest.raises(ValueError, match=f"at most {MOST_WORDS}"):
        lines_data(many, ["b"], np.zeros((len(many), 1)))


def lines_page() -> None:
    import numpy as np
    import streamlit as st

    from pages.components.attention_lines import attention_lines

    st.button("again")
    attention_lines(["<b>'`${x}"], ["y"], np.ones((1, 1)), key="lines")
    attention_lines(["a"], ["b"], np.ones((1, 1)), key="others", height=200)


def test_the_line_view_survives_reruns_and_gets_words_as_data_only():
    page = AppTest.from_function(lines_page).run(timeout=20)
    page.button[0].click().run(timeout=20)
    assert not page.exception
    one, other = (each.proto for each in page.get("bidi_component"))
    assert one.js_content == other.js_content
    assert "<b>'" not in one.js_content + one.html_content + one.css_content
    assert json.loads(one.json)["left"] == ["<b>'`${x}"]
    assert json.loads(other.json)["height"] == 200


def test_the_script_of_the_line_view_never_writes_html():
    script = (Path(lines_folder.__file__).parent / "lines.js").read_text(encoding="utf-8")
    assert not [word for word in ("innerHTML", "outerHTML", "insertAdjacent", "eval(") if word in script]
