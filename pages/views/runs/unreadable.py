"""Jobs and runs whose records this version cannot use: listed with the reason, so that nothing is hidden."""

from __future__ import annotations

import streamlit as st

from pages.components.guard import guard
from tl_core.runs.store import Store


def show_unreadable(store: Store) -> None:
    """A line for each, with the button that deletes it; nothing where all can be read."""
    unreadable = store.unreadable()
    if not unreadable:
        return
    with st.expander(f"Cannot be read here: {len(unreadable)}", icon=":material/warning:"):
        for record in unreadable:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(record.reason)
                if st.button("Delete", icon=":material/delete:", key=f"unreadable.{record.id}"):
                    with guard():
                        store.delete_unreadable(record.id)
                        st.rerun()
