"""Reading: ask a passage a question, many questions at once, a collection; fine-tune a reader."""

import streamlit as st

from pages.components import state
from pages.components.choice import one_of
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.views.jobs import show_job_of_page
from pages.views.reading.ask import show_ask
from pages.views.reading.collection import show_collection
from pages.views.reading.fine_tune import show_fine_tune
from pages.views.reading.many import show_many

through_app()
st.title("Reading")
store = resources.store()
VIEWS = {
    "Ask": show_ask,
    "Many questions": show_many,
    "Document collection": show_collection,
    "Fine-tune a reader": show_fine_tune,
}

with guard():
    if state.open_job():
        show_job_of_page(store, store.job(state.open_job()), "Back to reading")
    else:
        view = one_of("View", list(VIEWS), key="reading.view", persist_state="page")
        VIEWS[view](store)
