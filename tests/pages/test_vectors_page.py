"""The Word vectors page: neighbours, analogies and arithmetic on a small made set."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vectors.made_vectors import ROYAL
from tl_core.runs.store import Store
from tl_core.vectors.space import save_vectors

NAME = "small <b>set</b> $x$"
EXTRA = ["coffee", "tea", "paris", "france", "italy", "rome", "she", "he", "nurse", "she<b>"]


@pytest.fixture
def small_set(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """Fifteen words as the only vectors there are."""
    monkeypatch.setattr("tl_core.catalog.vector_sets.packaged_vectors", lambda: None)
    rows = np.random.default_rng(0).normal(size=(len(EXTRA), 3))
    words = [*ROYAL, *EXTRA]
    name = "file-0123456789abcdef"
    table = np.vstack([np.array(list(ROYAL.values())), rows]).astype(np.float32)
    save_vectors(store.settings.vectors / name, NAME, words, table, about={"note": "made"})
    return name


def texts(app) -> str:
    return "\n".join(str(each.value) for kind in (app.text, app.markdown, app.caption) for each in kind)


def choose(app, view: str):
    app.button_group(key="vectors.view").set_value(view).run()
    assert not app.exception, app.exception
    assert app.button_group(key="vectors.view").value == view
    return app


def test_the_page_opens_on_packaged_vectors(open_page):
    app = open_page("vectors")
    assert not app.error
    assert "GloVe 6B" in app.selectbox[0].options[0]
    assert list(app.dataframe[0].value["word"])[:1] == ["tea"] or len(app.dataframe[0].value) == 10


def test_without_any_vectors_the_page_says_what_to_do(open_page, monkeypatch):
    monkeypatch.setattr("tl_core.catalog.vector_sets.packaged_vectors", lambda: None)
    app = open_page("vectors")
    assert "no word vectors here yet" in app.info[0].value


def test_neighbours_stand_side_by_side_with_what_they_share(open_page, small_set):
    app = open_page("vectors")
    app.text_input(key=f"neighbours.words.{NAME}").set_value("king queen").run()
    king, queen = app.dataframe[0].value, app.dataframe[1].value
    assert len(king) == 10
    assert set(king["word"][king["shared"]]) <= set(queen["word"])
    assert "Shared by at least two" in texts(app)


def test_an_unknown_word_brings_spellings_to_click(open_page, small_set):
    app = open_page("vectors")
    key = f"neighbours.words.{NAME}"
    app.text_input(key=key).set_value("kng tea").run()
    assert "'kng' is not among these words" in texts(app)
    app.button(key=f"{key}.near.kng.king").click().run()
    assert app.text_input(key=key).value == "king tea"
    assert "is not among" not in texts(app)


def test_an_analogy_is_answered_and_drawn(open_page, small_set):
    app = choose(open_page("vectors"), "analogies")
    assert app.dataframe[0].value["word"][0] == "queen"
    assert len(app.get("plotly_chart")) == 1
    app.toggle(key="analogies.include.king - man + woman").set_value(True).run()
    assert "Nothing is left out" in texts(app)
    app.radio(key="analogies.form").set_value("analogy").run()
    app.text_input(key=f"analogies.b.{NAME}").set_value("kingg").run()
    assert "'kingg' is not among these words" in texts(app)


def test_a_broken_formula_is_told_and_the_page_goes_on(open_page, small_set):
    app = choose(open_page("vectors"), "analogies")
    app.text_input(key=f"analogies.formula.king - man + woman.{NAME}").set_value("king man").run()
    assert not app.exception
    assert "follows 'king' without" in app.error[0].value


@pytest.mark.parametrize("tool", ["similarity", "odd-one-out", "axis", "projection"])
def test_every_tool_of_arithmetic_opens(open_page, small_set, tool):
    app = choose(open_page("vectors"), "arithmetic")
    app.button_group(key="arithmetic.tool").set_value(tool).run()
    assert not app.exception
    assert app.button_group(key="arithmetic.tool").value == tool


def test_the_odd_one_out_is_named(open_page, small_set):
    app = choose(open_page("vectors"), "arithmetic")
    app.button_group(key="arithmetic.tool").set_value("odd-one-out").run()
    app.text_input(key=f"odd.words.{NAME}").set_value("king queen apple man woman").run()
    assert "apple" in [each.value for each in app.text]


def test_a_direction_is_projected_away(open_page, small_set):
    app = choose(open_page("vectors"), "arithmetic")
    app.button_group(key="arithmetic.tool").set_value("projection").run()
    app.text_input(key=f"project.direction.{NAME}").set_value("queen - king").run()
    app.text_input(key=f"project.word.{NAME}").set_value("woman").run()
    assert len(app.dataframe) == 2
    assert "of its 15 neighbours" in texts(app)


def test_words_of_users_are_shown_letter_by_letter(open_page, small_set):
    app = open_page("vectors")
    app.text_input(key=f"neighbours.words.{NAME}").set_value("she<b> king").run()
    assert not app.exception
    assert all("<b>" not in str(each.value).replace("\\<b\\>", "") for each in app.markdown)


def test_boxes_begin_with_words_of_a_set_that_has_no_english_ones(open_page, store, monkeypatch):
    monkeypatch.setattr("tl_core.catalog.vector_sets.packaged_vectors", lambda: None)
    words = [f"낱말{at}" for at in range(40)]
    rows = np.random.default_rng(0).normal(size=(len(words), 5)).astype(np.float32)
    save_vectors(store.settings.vectors / "file-0123456789abcdef", NAME, words, rows)
    app = choose(open_page("vectors"), "analogies")
    assert app.dataframe
    assert not app.error
    choose(app, "arithmetic")
    for tool in ("similarity", "odd-one-out", "axis", "projection"):
        app.button_group(key="arithmetic.tool").set_value(tool).run()
        assert not app.error
        assert not app.exception
        assert "is not among these words" not in texts(app), tool


def test_the_view_is_the_same_after_a_job_was_looked_at(open_page, small_set):
    app = choose(open_page("vectors"), "quality")
    app.query_params["job"] = "no-such-job"
    app.run()
    app.query_params.pop("job")
    app.run()
    assert app.button_group(key="vectors.view").value == "quality"
