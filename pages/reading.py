"""Reading: ask a passage a question, many questions at once, a collection; fine-tune a reader."""

from collections.abc import Callable

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.components.views import View, choose_view
from pages.views.jobs import show_job_of_page
from pages.views.reading.ask import show_ask
from pages.views.reading.collection import show_collection
from pages.views.reading.fine_tune import show_fine_tune
from pages.views.reading.many import show_many
from tl_core.runs.store import Store

through_app()
st.title("Reading")
store = resources.store()
VIEWS: tuple[View[Callable[[Store], None]], ...] = (
    View("ask", "Ask", show_ask),
    View("many", "Many questions", show_many),
    View("collection", "Document collection", show_collection),
    View("fine-tune", "Fine-tune a reader", show_fine_tune),
)

with guard():
    if state.open_job():
        show_job_of_page(store, store.job(state.open_job()), "Back to reading")
    else:
        choose_view("View", VIEWS, key="reading.view", persist_state="page").show(store)
