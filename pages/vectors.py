"""Word vectors: neighbours, analogies, arithmetic, maps, quality, two sets compared, context, co-occurrence."""

import streamlit as st

from pages.components import state
from pages.components.choice import one_of
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.views.jobs import show_job_of_page
from pages.views.vectors.analogies import show_analogies
from pages.views.vectors.arithmetic import show_arithmetic
from pages.views.vectors.choose import choose_vectors
from pages.views.vectors.compare import show_compare
from pages.views.vectors.context import show_context
from pages.views.vectors.cooccurrence import show_cooccurrence
from pages.views.vectors.learn import show_learn
from pages.views.vectors.load import show_load
from pages.views.vectors.map import show_map
from pages.views.vectors.neighbours import show_neighbours
from pages.views.vectors.quality import show_quality

through_app()
st.title("Word vectors")
state.take_context_link()
store = resources.store()
VIEWS = {
    "Neighbours": show_neighbours,
    "Analogies": show_analogies,
    "Arithmetic": show_arithmetic,
    "Map": show_map,
    "Quality": show_quality,
    "Compare": show_compare,
    "Context": show_context,
    "Co-occurrence": show_cooccurrence,
}
SOURCES = {"Load vectors": show_load, "Learn vectors": show_learn}

with guard():
    if state.open_job():
        show_job_of_page(store, store.job(state.open_job()), "Back to word vectors")
    else:
        chosen = choose_vectors(store)
        view = one_of("View", [*VIEWS, *SOURCES], key="vectors.view", persist_state="page")
        if view in SOURCES:
            SOURCES[view](store)
        elif chosen:
            VIEWS[view](store, resources.vectors(store, chosen), chosen)
