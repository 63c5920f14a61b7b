"""A computation of the page's own that takes some seconds: asked for by a button, with progress and a stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from tl_core.training.events import Event, Progress, Training, drive

T = TypeVar("T")


def computed(key: object, start: Callable[[], Training[T]], label: str) -> T | None:
    """The result of a computation that was asked for by the button `label`, kept for this session.

    None before. Streamlit ends the script at the next sign of progress when Stop, or anything else, is clicked.
    """
    kept: T | None = state.kept_reply(key)
    if kept is not None:
        return kept
    place = st.empty()
    if not place.button(label, type="primary", icon=":material/play_arrow:", key=f"computing.go.{label}"):
        return None
    with place.container():
        bar = st.progress(0.0, text="Computing")
        st.button("Stop", key=f"computing.stop.{label}", icon=":material/stop:")
    try:
        result = shown(start(), bar, "Computing")
    finally:
        place.empty()
    state.keep_reply(key, result)
    return result


def shown(training: Training[T], bar: DeltaGenerator, doing: str, note: str = "") -> T:
    """The result of a training whose progress is shown in the place `bar`."""

    def show(event: Event) -> None:
        if isinstance(event, Progress):
            bar.progress(event.share, text=f"{doing}: {event.share:.0%}{note}")

    return drive(training, show)
