from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.components.charts.classification import (
    MOST_CLASSES,
    MOST_POINTS,
    class_counts,
    learning_curves,
    reliability,
    strategy_scores,
    token_lengths,
)
from pages.components.charts.style import (
    CUT,
    STRATEGY_COLOURS,
    STRATEGY_SYMBOLS,
    escaped,
)
from tl_core.outcomes.experiment import Point
from tl_core.runs.events import Curve
from tl_core.tasks.classify.metrics import Report, score
from tl_core.tasks.classify.strategies import STRATEGIES
from tl_core.tasks.intervals import Interval

THEME = Path(__file__).resolve().parents[2] / ".streamlit" / "config.toml"
TRAINING = Curve("training loss", tuple(range(1, 41)), tuple(1 / step for step in range(1, 41)))
VALIDATION = Curve("validation loss", (20, 40), (0.5, 0.4))
ACCURACY = Curve("validation accuracy", (20, 40), (0.6, 0.8))


def some_report(rows: int = 200) -> Report:
    random = np.random.default_rng(0)
    sure = random.uniform(0.5, 1, rows)
    truth = (random.random(rows) > 0.8).astype(int)
    return score(np.stack([sure, 1 - sure], axis=1), truth, ("a", "b"), majority=0)


def line(name: str, accuracies: tuple[float, ...], interval: Interval | None) -> Point:
    return Point(
        arm=name,
        title=name.title(),
        strategy=name,
        from_source=False,
        size=0,
        rows=100.0,
        seeds=tuple(range(1, len(accuracies) + 1)),
        values=accuracies,
        others={"macro_f1": (0.5,)},
        interval=interval,
        seconds=1.0,
        trained_parameters=1,
        peak_memory=1,
    )


FIGURES = {
    "curves": learning_curves({"LoRA": (TRAINING, VALIDATION, ACCURACY)}),
    "loss alone": learning_curves({"LoRA": (TRAINING,)}),
    "no curves": learning_curves({}),
    "reliability": reliability(some_report()),
    "scores": strategy_scores([line("tfidf", (0.7, 0.8), Interval(0.6, 0.9))], 0.5),
    "tokens": token_lengths([3, 8, 300], 256),
    "no tokens": token_lengths([], 256),
    "counts": class_counts({"a": 3, "b": 5}),
    "no counts": class_counts({}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_names_its_axes_and_lets_the_page_shine_through(name: str):
    figure = FIGURES[name]
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0, 0, 0, 0)"
    titles = [axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes())]
    assert any(titles)
    assert figure.layout.font.color is None, "text takes its colour from the theme of the page"
    figure.to_json()


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", STRATEGY_COLOURS)
def test_strategy_colours_stand_out_on_both_backgrounds(name: str, mode: str):
    background = tomllib.loads(THEME.read_text(encoding="utf-8"))["theme"][mode]["backgroundColor"]
    low, high = sorted([luminance(STRATEGY_COLOURS[name]), luminance(background)])
    assert (high + 0.05) / (low + 0.05) >= 3  # WCAG 2.1, 1.4.11


def test_every_strategy_has_a_colour_and_a_symbol_of_its_own():
    names = [each.name for each in STRATEGIES]
    assert list(STRATEGY_COLOURS) == list(STRATEGY_SYMBOLS) == names
    assert len(set(STRATEGY_COLOURS.values())) == len(set(STRATEGY_SYMBOLS.values())) == len(names)


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


def test_one_run_shows_its_loss_as_measured_and_smoothed_and_its_validation():
    figure = learning_curves({"LoRA, seed 1": (TRAINING, VALIDATION, ACCURACY)}, {"LoRA, seed 1": "lora"})
    found = traces(figure)
    assert found["Training loss of each step"].y == TRAINING.values
    assert found["Training loss of each step"].opacity < found["Training loss, smoothed"].opacity
    assert found["Validation loss"].mode == found["Validation accuracy"].mode == "lines+markers"
    assert found["Validation accuracy"].x == (20, 40)
    assert found["Validation accuracy"].yaxis == "y2"
    assert {trace.line.color for trace in figure.data} == {STRATEGY_COLOURS["lora"]}


def test_smoothing_leaves_a_level_curve_level_and_steadies_an_uneven_one():
    level = Curve("training loss", tuple(range(30)), (0.7,) * 30)
    uneven = Curve("training loss", tuple(range(60)), tuple(0.5 + 0.4 * (-1) ** at for at in range(60)))
    assert traces(learning_curves({"a": (level,)}))["Training loss, smoothed"].y == pytest.approx([0.7] * 30)
    smooth = traces(learning_curves({"a": (uneven,)}))["Training loss, smoothed"].y
    assert np.std(smooth[10:]) < 0.3 * np.std(uneven.values)


def test_several_runs_keep_their_strategys_hue_and_are_told_apart():
    of = (TRAINING, VALIDATION, ACCURACY)
    strategies = {"one": "lora", "two": "lora", "three": "full"}
    figure = learning_curves({"one": of, "two": of, "three": of}, strategies)
    named = [trace for trace in figure.data if trace.showlegend]
    assert [trace.name for trace in named] == ["one", "two", "three"]
    looks = [(trace.line.color, trace.line.dash) for trace in named]
    assert len(set(looks)) == 3
    assert looks[0] == (STRATEGY_COLOURS["lora"], "solid")
    assert looks[2] == (STRATEGY_COLOURS["full"], "solid")


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    long = Curve("training loss", tuple(range(20_000)), tuple(float(step) for step in range(20_000)))
    trace = traces(learning_curves({"a": (long,)}))["Training loss of each step"]
    assert len(trace.x) == MOST_POINTS
    assert (trace.x[0], trace.x[-1]) == (0, 19_999)
    assert trace.x == trace.y


def test_the_reliability_diagram_skips_empty_bins_and_counts_every_row():
    report = some_report()
    diagonal, points, bars = reliability(report, "full").data
    filled = [each for each in report.bins if each.count]
    assert len(filled) < len(report.bins)
    assert points.x == tuple(each.confidence for each in filled)
    assert points.y == tuple(each.accuracy for each in filled)
    assert sum(bars.y) == report.rows
    assert (diagonal.x, diagonal.y) == ((0, 1), (0, 1))
    assert points.marker.color == STRATEGY_COLOURS["full"]


def test_scores_have_a_dot_a_seed_a_mean_with_its_interval_and_the_majority():
    rows = [line("tfidf", (0.70, 0.74), Interval(0.65, 0.80)), line("lora", (0.9,), None)]
    figure = strategy_scores(rows, 0.5)
    seeds, mean, _, single = figure.data
    assert seeds.x == (0.70, 0.74)
    assert mean.x == pytest.approx([0.72])
    assert (mean.error_x.array[0], mean.error_x.arrayminus[0]) == pytest.approx((0.08, 0.07))
    assert (single.error_x.array[0], single.error_x.arrayminus[0]) == (0, 0)
    assert figure.layout.shapes[0].x0 == 0.5
    low, high = figure.layout.xaxis.range
    assert low < 0.5
    assert high > 0.9


def test_a_distant_majority_is_named_at_the_edge_instead_of_squeezing_the_strategies():
    figure = strategy_scores([line("tfidf", (0.80, 0.82), Interval(0.79, 0.83))], 0.05)
    assert not figure.layout.shapes
    assert "5.0%" in figure.layout.annotations[0].text
    assert figure.layout.xaxis.range[0] > 0.7


def test_token_lengths_hold_every_text_and_colour_what_is_cut():
    lengths = [5] * 10 + [100] * 20 + [400] * 3
    figure = token_lengths(lengths, 256)
    [bars] = figure.data
    assert sum(bars.y) == 33
    cut = [count for count, colour in zip(bars.y, bars.marker.color) if colour == CUT]
    assert sum(cut) == 3
    assert "256" in figure.layout.annotations[0].text


def test_a_few_endless_texts_share_the_last_bar():
    [bars] = token_lengths([20] * 1000 + [90_000], 256).data
    assert sum(bars.y) == 1001
    assert bars.y[-1] == 1
    assert "or more" in bars.customdata[-1]
    assert max(bars.x) < 1000


def test_short_texts_are_not_squeezed_by_a_distant_cut():
    figure = token_lengths([4, 5, 6, 20], 512)
    assert not figure.layout.shapes
    assert max(figure.data[0].x) <= 20


def test_classes_stand_in_order_of_their_counts_with_their_labels_as_plain_text():
    label = "<b>bold</b> & $5$ " + "long " * 20
    figure = class_counts({"rare": 1, label: 9})
    [bars] = figure.data
    assert bars.x == (9, 1)
    shown, whole = figure.layout.yaxis.ticktext[0], bars.customdata[0]
    assert shown.startswith("&lt;b&gt;bold&lt;/b&gt; &amp; &#36;5&#36;"[:20])
    assert "…" in shown
    assert "long long" in whole
    assert "<b>" not in shown + whole
    assert "$" not in shown + whole


def test_labels_that_look_alike_when_cut_keep_bars_of_their_own():
    [bars] = class_counts({"same beginning of a long name A": 2, "same beginning of a long name B": 3}).data
    assert bars.y == (0, 1)


def test_many_rare_classes_share_a_bar():
    figure = class_counts({f"class {at}": 1 for at in range(500)})
    [bars] = figure.data
    assert len(bars.x) == MOST_CLASSES + 1
    assert sum(bars.x) == 500
    assert figure.layout.yaxis.ticktext[-1] == "470 more classes"
    assert (
        len(class_counts({f"class {at}": 1 for at in range(MOST_CLASSES + 1)}).data[0].x) == MOST_CLASSES + 1
    )


def test_user_text_becomes_one_plain_line():
    assert escaped("a\n b") == "a b"
    assert escaped("abcdef", 4) == "abc…"
    assert escaped("<i>$x$</i>") == "&lt;i&gt;&#36;x&#36;&lt;/i&gt;"
