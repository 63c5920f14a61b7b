"""One of several: a row of buttons that leads between the views of a page, or the origins of its data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st


def one_of(label: str, options: Sequence[str], *, key: str, **more: Any) -> str:
    """The option that is on; the first at the start, and never none. The label is for screen readers.

    `more` goes to `st.segmented_control`.
    """
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, label_visibility="collapsed", **more
    )
    return str(chosen)
