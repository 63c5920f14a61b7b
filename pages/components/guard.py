"""Shows an engine error to the person at the screen; lets bugs fly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from tl_core.errors import TLError

MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~<>:&])")


def plain(text: str) -> str:
    """Text that Streamlit's Markdown shows letter by letter: no format, no LaTeX, no HTML, no icons."""
    return MARKS.sub(r"\\\1", text)


def show_notes(notes: Iterable[str]) -> None:
    """Each note as one warning."""
    for note in notes:
        st.warning(plain(note), icon=":material/warning:")


@contextmanager
def guard() -> Iterator[None]:
    """Show a mistake that the user can mend as one clear line, and go on with the page."""
    try:
        yield
    except TLError as error:
        st.error(plain(str(error)), icon=":material/error:")
