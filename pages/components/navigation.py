"""The explicit table of pages, and the way through app.py to them."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.components import state


def all_pages() -> list[StreamlitPage]:
    """Every page in the order of the navigation."""
    return [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/fine_tune.py", title="Fine-tune", icon=":material/tune:"),
        st.Page("pages/compare.py", title="Compare", icon=":material/show_chart:"),
        st.Page("pages/vectors.py", title="Word vectors", icon=":material/scatter_plot:"),
        st.Page("pages/attention.py", title="Attention", icon=":material/grid_on:"),
        st.Page("pages/reading.py", title="Reading", icon=":material/menu_book:"),
        st.Page("pages/runs.py", title="Runs", icon=":material/list:"),
    ]


def through_app() -> None:
    """Begin the page's run anew in app.py, if it did not pass through it.

    The first visit to a fresh server by a page's own address runs the page alone, since Streamlit
    takes the folder `pages` for an app without `st.navigation` until it has seen one.
    """
    if not state.has_entered():
        st.navigation(all_pages(), position="hidden")
        st.rerun()
