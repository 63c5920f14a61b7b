"""One of several: a row of buttons that leads between the views of a page, the origins of its data, and the like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import streamlit as st

K = TypeVar("K", bound=str)


def one_of(label: str, titles: Mapping[K, str], *, key: str, **more: Any) -> K:
    """The id of the option that is on; the first at the start, and never none.

    `titles` has what stands on the button of each id. The label is for screen readers, unless `more`, which goes to
    `st.segmented_control`, makes it visible.
    """
    usual = {"default": next(iter(titles)), "label_visibility": "collapsed"}
    chosen = st.segmented_control(
        label, list(titles), format_func=titles.__getitem__, required=True, key=key, **{**usual, **more}
    )
    return cast(K, chosen)
