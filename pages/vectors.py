"""Word vectors: neighbours, analogies, arithmetic, maps, quality, two sets compared, context, co-occurrence."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.components.views import View, choose_view
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
from tl_core.runs.store import Store
from tl_core.vectors.space import WordVectors

through_app()
st.title("Word vectors")
state.take_context_link()
store = resources.store()
OF_VECTORS: tuple[View[Callable[[Store, WordVectors, str], None]], ...] = (
    View("neighbours", "Neighbours", show_neighbours),
    View("analogies", "Analogies", show_analogies),
    View("arithmetic", "Arithmetic", show_arithmetic),
    View("map", "Map", show_map),
    View("quality", "Quality", show_quality),
    View("compare", "Compare", show_compare),
    View("context", "Context", show_context),
    View("cooccurrence", "Co-occurrence", show_cooccurrence),
)
SOURCES: tuple[View[Callable[[Store], None]], ...] = (
    View("load", "Load vectors", show_load),
    View("learn", "Learn vectors", show_learn),
)
VIEWS: tuple[View[Any], ...] = (*OF_VECTORS, *SOURCES)

with guard():
    if state.open_job():
        show_job_of_page(store, store.job(state.open_job()), "Back to word vectors")
    else:
        chosen = choose_vectors(store)
        view = choose_view("View", VIEWS, key="vectors.view", persist_state="page")
        if view in SOURCES:
            view.show(store)
        elif chosen:
            view.show(store, resources.vectors(store, chosen), chosen)
