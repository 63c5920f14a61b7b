"""Why this answer: scores over the words, windows, attention and gradient."""

from __future__ import annotations

import streamlit as st

from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.reader import Reader


def show_why(reader: Reader, question: str, passage: str, answer: FoundAnswer, how: Reading) -> None:
    st.text("")
