"""A document collection: BM25 picks candidates, the reader answers, the document is named."""

from __future__ import annotations

import streamlit as st

from tl_core.runs.store import Store


def show_collection(store: Store) -> None:
    st.text("")
