"""One question put to a reader while the page waits: kept answers, progress, stop."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.computing import shown
from tl_core.tasks.read.answers import Reply
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.reader import Asked, Reader, check_asked
from tl_core.training.events import drain

PATIENT = 8_000  # characters of a passage, up to which the answer comes before a progress bar would


def ask_shown(reader: Reader, question: str, passage: str, how: Reading) -> Reply | None:
    """The reader's reply, kept for the same question; None where the person stopped it.

    A long passage shows progress. Streamlit ends the script at the next sign of progress when
    Stop, or anything else, is clicked.
    """
    check_asked(question, passage)
    key = (reader.token, question, hash(passage), how)
    kept: Reply | None = state.kept_reply(key)
    if kept is not None:
        return kept
    if state.was_stopped(key):
        st.text("Stopped before the whole text was read.")
        if not st.button("Read it after all", key="reading.again", icon=":material/play_arrow:"):
            return None
        state.stop_asking(None)
    reply = _ask(reader, question, passage, how, key)
    state.keep_reply(key, reply)
    return reply


def _ask(reader: Reader, question: str, passage: str, how: Reading, key: object) -> Reply:
    asking = reader.ask_events([Asked(question, passage)], how, strict=True)
    place = st.empty()
    bar = None
    if len(passage) > PATIENT:
        with place.container():
            bar = st.progress(0.0, text="Reading")
            st.button(
                "Stop",
                key="reading.stop",
                icon=":material/stop:",
                on_click=lambda: state.stop_asking(key),
            )
    try:
        [reply] = shown(asking, bar, "Reading", " of the text") if bar is not None else drain(asking)
    finally:
        place.empty()
    return reply
