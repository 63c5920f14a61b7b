"""Attention: what an encoder looks at, before and after fine-tuning, beside what matters to the prediction."""

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources, subjects
from pages.components.missing_encoder import encoder_ready
from pages.components.navigation import through_app
from pages.views.attention.change import show_change
from pages.views.attention.choose import choose_model, choose_part, choose_text
from pages.views.attention.flow import show_flow
from pages.views.attention.heads import show_heads
from pages.views.attention.matters import show_matters
from pages.views.attention.statistics import show_statistics
from pages.views.attention.steps import show_steps
from pages.views.attention.switch import show_switch

through_app()
st.title("Attention")
store = resources.store()
OF_TEXT = {
    "Heads": show_heads,
    "Roll-out": show_flow,
    "What matters": show_matters,
    "Step by step": show_steps,
}
OF_ROWS = {
    "Before and after": show_change,
    "Statistics": show_statistics,
    "Switch off": show_switch,
}
VIEWS = ["Heads", "Roll-out", "What matters", "Before and after", "Statistics", "Switch off", "Step by step"]

with guard():
    with st.container(border=True):
        row = choose_model(store)
        text, pair = choose_text(store, row) if row else ("", "")
    if row is not None:
        key = state.attention_key("view")
        if st.session_state.get(key) not in VIEWS:
            st.session_state[key] = VIEWS[0]
        view = str(st.segmented_control("View", VIEWS, required=True, key=key, label_visibility="collapsed"))
        asked = subjects.asked(store, row.name, text, pair)
        if not encoder_ready(store, row.name, "attention"):
            st.stop()
        with guard():
            asked = choose_part(asked)
            if view in OF_TEXT:
                OF_TEXT[view](asked)
            else:
                OF_ROWS[view](store, row, asked)
        address = {"model": row.name, "text": text, "pair": pair, "view": view}
        part = {"part": str(asked.part + 1)} if asked.part else {}
        if not state.write_attention_address(address | part):
            st.caption(
                "The text is too long for the page's address: a link to this page brings the model and the view only."
            )
