"""Choice of the word vectors: the packaged ones, loaded files, learned runs."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from tl_core.catalog.vector_sets import VectorSet, vector_sets
from tl_core.runs.store import Store

ORIGINS = {"packaged": "packaged", "file": "loaded", "learned": "learned"}


def choose_vectors(store: Store) -> str:
    """The name of the chosen set, and a line on it; '' where there is none."""
    sets = {vector_set.name: vector_set for vector_set in vector_sets(store)}
    if not sets:
        st.info("There are no word vectors here yet. Load a file, or learn some from a text.")
        return ""
    wanted = state.wanted_vectors()
    names = list(sets)
    name = str(
        st.selectbox(
            "Vectors",
            names,
            index=names.index(wanted) if wanted in sets else 0,
            format_func=lambda set_name: set_title(sets[set_name]),
            key=f"vectors.set.{state.vectors_turn()}",
            persist_state="page",
        )
    )
    return name


def set_title(chosen: VectorSet) -> str:
    """'GloVe 6B, 50 dimensions · 400,000 words x 50 · packaged'."""
    return f"{chosen.title} · {chosen.words:,} words × {chosen.width} · {ORIGINS[chosen.origin]}"
