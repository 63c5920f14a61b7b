"""The Attention page on tiny models: every view, links, and what a person may do wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.components import state
from tests.encoders.tiny import write_tiny_encoder
from tests.jobs.jobs import finished, small_config
from tl_core.runs.store import Run, Store

Open = Callable[..., AppTest]
VIEWS = ["heads", "roll-out", "what-matters", "before-after", "statistics", "switch-off", "steps"]
TEXT = "a good nice film and <b>bad</b> $x$"


@pytest.fixture
def lora(store: Store, tmp_path: Path) -> Run:
    job = finished(store, small_config(tmp_path, ("lora",)))
    return store.runs_of(job.id)[0]


@pytest.fixture
def bare(tmp_path: Path) -> str:
    return str(write_tiny_encoder(tmp_path / "bare", "bert"))


def opened(open_page: Open, **parameters: str) -> AppTest:
    app = open_page("attention", **parameters)
    app.default_timeout = 120
    return app


def texts(app: AppTest) -> str:
    found = (app.text, app.markdown, app.caption, app.info, app.warning)
    return "\n".join(str(each.value) for kind in found for each in kind)


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_on_a_run(open_page: Open, lora: Run, view: str) -> None:
    app = opened(open_page, model=lora.id, text=TEXT, view=view)
    assert not app.error, [each.value for each in app.error]
    assert app.button_group(key="attention.view").value == view
    assert app.text_area(key="attention.text").value == TEXT


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_on_a_bare_encoder(open_page: Open, bare: str, view: str) -> None:
    app = opened(open_page, model=bare, text=TEXT, pair="the queen saw it", view=view)
    assert not app.error, [each.value for each in app.error]
    needs_head = view in ("what-matters", "before-after", "switch-off")
    assert bool(app.info) == needs_head


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("model_type", ["gpt2", "xlnet"])
def test_families_that_cannot_give_a_view_say_so(
    open_page: Open, tmp_path: Path, model_type: str, view: str
) -> None:
    name = str(write_tiny_encoder(tmp_path / model_type, model_type))
    app = opened(open_page, model=name, text="the queen saw a film", view=view)
    said = [each.value for each in app.error]
    assert bool(said) == (model_type == "xlnet" and view == "steps"), said


def test_the_address_restores_text_model_layer_and_head(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text=TEXT, view="steps", layer="2", head="3")
    assert app.selectbox(key="attention.model").value == bare
    assert [each.value for each in app.number_input[:2]] == [2, 3]
    assert app.query_params["layer"] in ("2", ["2"])
    assert app.query_params["head"] in ("3", ["3"])
    app.number_input[1].set_value(4).run()
    assert app.query_params["head"] in ("4", ["4"])
    assert app.query_params["text"] in (TEXT, [TEXT])


@pytest.mark.parametrize(("layer", "head"), [("0", "x"), ("99", "99"), ("-1", "1e9"), ("٣", "1")])
def test_heads_of_an_address_that_are_not_there_open_on_some_that_are(
    open_page: Open, bare: str, layer: str, head: str
) -> None:
    app = opened(open_page, model=bare, text=TEXT, view="steps", layer=layer, head=head, part="x")
    assert not app.error
    assert 1 <= app.number_input[0].value <= 2
    assert 1 <= app.number_input[1].value <= 4


@pytest.mark.parametrize(
    ("label", "view"),
    [
        ("Heads", "heads"),
        ("Roll-out", "roll-out"),
        ("What matters", "what-matters"),
        ("Before and after", "before-after"),
        ("Statistics", "statistics"),
        ("Switch off", "switch-off"),
        ("Step by step", "steps"),
    ],
)
def test_an_old_link_with_the_label_of_a_view_opens_it_and_the_address_carries_its_id(
    open_page: Open, bare: str, label: str, view: str
) -> None:
    app = opened(open_page, model=bare, text=TEXT, view=label)
    assert not app.error
    assert app.button_group(key="attention.view").value == view
    assert app.query_params["view"] in (view, [view])


@pytest.mark.parametrize("view", ["", "no such view", "<b>", "HEADS"])
def test_a_view_of_an_address_that_is_none_opens_the_first(open_page: Open, bare: str, view: str) -> None:
    app = opened(open_page, model=bare, text=TEXT, view=view)
    assert not app.error
    assert app.button_group(key="attention.view").value == "heads"
    assert app.query_params["view"] in ("heads", ["heads"])


def test_the_address_follows_the_chosen_view(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text=TEXT, view="Step by step")
    app.button_group(key="attention.view").set_value("roll-out").run()
    assert app.query_params["view"] in ("roll-out", ["roll-out"])


def test_a_text_too_long_for_an_address_is_told(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text="film")
    app.text_area(key="attention.text").set_value("good film " * 200).run()
    assert "too long for the page's address" in texts(app)
    assert "text" not in app.query_params


def test_a_long_text_is_shown_in_parts(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text="film")
    app.text_area(key="attention.text").set_value("the good film, " * 2_000).run()
    assert not app.error
    assert "Part 1 of" in texts(app)
    app.number_input(key="attention.part").set_value(3).run()
    assert "Part 3 of" in texts(app)


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_nothing_to_read_is_told_and_the_page_goes_on(open_page: Open, bare: str, text: str) -> None:
    app = opened(open_page, model=bare, text="film")
    app.text_area(key="attention.text").set_value(text).run()
    assert "nothing to read" in app.error[0].value.replace("\\", "") or not app.error
    assert not app.exception


def test_a_run_whose_model_is_gone_is_told_and_the_text_stays(open_page: Open, lora: Run) -> None:
    app = opened(open_page, model=lora.id, text=TEXT)
    shutil.rmtree(lora.model)
    app.text_area(key="attention.text").set_value(TEXT + " more").run()
    assert "deleted" in app.error[0].value
    assert app.text_area(key="attention.text").value == TEXT + " more"


def test_korean_on_an_english_vocabulary_offers_the_multilingual_one(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text="영화가 정말 좋았다 film")
    assert "does not know the language" in texts(app)


def test_statistics_and_change_are_computed_over_rows(open_page: Open, lora: Run) -> None:
    app = opened(open_page, model=lora.id, text=TEXT, view="statistics")
    app.number_input(key="statistics.number").set_value(5).run()
    press(app, "Look at all heads")
    assert "Means over" in texts(app)
    app.button_group(key="attention.view").set_value("before-after").run()
    app.number_input(key="change.number").set_value(5).run()
    press(app, "Compare all heads")
    assert "changed most" in texts(app)


def test_heads_are_switched_off_and_their_worth_is_measured(open_page: Open, lora: Run) -> None:
    app = opened(open_page, model=lora.id, text=TEXT, view="switch-off")
    app.multiselect(key=f"switch.off.{lora.id}").set_value([]).run()
    assert "With 0 off" in texts(app)
    frame = next(each.value for each in app.dataframe if "off" in each.value)
    assert frame["all"].tolist() == pytest.approx(frame["off"].tolist(), abs=1e-5)
    app.number_input(key="importance.number").set_value(8).run()
    press(app, "Switch off each head in turn")
    assert "Accuracy with all heads" in texts(app)


def test_what_matters_is_shaded_and_compared(open_page: Open, lora: Run) -> None:
    app = opened(open_page, model=lora.id, text=TEXT, view="what-matters")
    assert "Attention is not an explanation" in texts(app)
    assert "method" in app.dataframe[-1].value
    assert len(app.dataframe[-1].value) == 3


def test_mixes_and_directions_of_heads(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text="the queen", pair="saw a film")
    app.selectbox(key="heads.direction").set_value("first to second").run()
    assert not app.error
    app.button_group(key="heads.mix").set_value("mean").run()
    assert "4 heads" in texts(app)
    app.selectbox(key="heads.of").set_value("all").run()
    assert "8 heads" in texts(app)
    app.selectbox(key="heads.of").set_value("ticked").run()
    app.toggle(key="heads.special").set_value(True).run()
    app.button_group(key="heads.units").set_value("tokens").run()
    app.button_group(key="heads.form").set_value("lines").run()
    assert not app.error
    assert not app.exception


def test_an_example_puts_itself_into_the_boxes(open_page: Open, bare: str) -> None:
    app = opened(open_page, model=bare, text="film")
    press(app, "two sentences")
    assert app.text_area(key="attention.pair").value == "Someone makes music outdoors."


def test_a_test_row_leads_here(open_page: Open, lora: Run) -> None:
    app = opened(open_page, model=lora.id, text="film")
    assert any(button.label == "Take this row" for button in app.button)
    assert state.LONGEST_IN_ADDRESS > 1_000
