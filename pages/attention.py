"""Attention: what an encoder looks at, before and after fine-tuning, beside what matters to the prediction."""

from collections.abc import Callable

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources, subjects
from pages.components.missing_encoder import encoder_ready
from pages.components.navigation import through_app
from pages.components.views import View, choose_view
from pages.views.attention.change import show_change
from pages.views.attention.choose import choose_model, choose_part, choose_text
from pages.views.attention.flow import show_flow
from pages.views.attention.heads import show_heads
from pages.views.attention.matters import show_matters
from pages.views.attention.statistics import show_statistics
from pages.views.attention.steps import show_steps
from pages.views.attention.switch import show_switch
from tl_core.catalog.subjects import SubjectRow
from tl_core.runs.store import Store

through_app()
st.title("Attention")
store = resources.store()
VIEWS: tuple[View[Callable[[Store, SubjectRow, subjects.Asked], None]], ...] = (
    View("heads", "Heads", show_heads),
    View("roll-out", "Roll-out", show_flow),
    View("what-matters", "What matters", show_matters),
    View("before-after", "Before and after", show_change),
    View("statistics", "Statistics", show_statistics),
    View("switch-off", "Switch off", show_switch),
    View("steps", "Step by step", show_steps),
)

with guard():
    with st.container(border=True):
        row = choose_model(store)
        text, pair = choose_text(store, row) if row else ("", "")
    if row is not None:
        key = state.attention_view_key([view.id for view in VIEWS])
        view = choose_view("View", VIEWS, key=key, default=None)  # the key holds one already
        asked = subjects.asked(store, row.name, text, pair)
        if not encoder_ready(store, row.name, "attention"):
            st.stop()
        with guard():
            asked = choose_part(asked)
            view.show(store, row, asked)
        address = {"model": row.name, "text": text, "pair": pair, "view": view.id}
        part = {"part": str(asked.part + 1)} if asked.part else {}
        if not state.write_attention_address(address | part):
            st.caption(
                "The text is too long for the page's address: a link to this page brings the model and the view only."
            )
