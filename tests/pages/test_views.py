"""Views by their ids: what the session keeps, what stands on the buttons, and what a choice draws."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def two_views() -> None:
    """A page of two views; the session says how the second is called."""
    import streamlit as st

    from pages.components.views import View, choose_view

    views = (
        View("first", "The first", lambda: st.text("one")),
        View("second", st.session_state.get("called", "The second"), lambda: st.text("two")),
    )
    choose_view("View", views, key="view").show()


def test_a_view_has_its_title_on_its_button_and_is_kept_by_its_id():
    app = AppTest.from_function(two_views).run()
    buttons = app.segmented_control(key="view")
    assert buttons.options == ["The first", "The second"]
    assert (buttons.value, app.text[0].value) == ("first", "one")
    buttons.set_value("second").run()
    assert app.session_state["view"] == "second"
    assert app.text[0].value == "two"


def test_another_title_leaves_the_chosen_view_open():
    app = AppTest.from_function(two_views).run()
    app.segmented_control(key="view").set_value("second").run()
    app.session_state["called"] = "Called otherwise"
    app.run()
    assert not app.exception
    assert app.segmented_control(key="view").options == ["The first", "Called otherwise"]
    assert app.text[0].value == "two"


def test_what_the_session_keeps_that_is_no_view_opens_the_first():
    app = AppTest.from_function(two_views)
    app.session_state["view"] = "The second"
    app.run()
    assert not app.exception
    assert app.text[0].value == "one"
