"""A file of questions: SQuAD, KorQuAD or the lecture's form, what is in it and what was left out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.guard import plain
from pages.components.kept import resources
from pages.components.uploads import kept_file
from tl_core.data.reading import ReadingSet

LARGEST = 100  # MB
FORMS = (
    'SQuAD 1.1, 2.0 or KorQuAD 1.0 JSON, also as .gz; or lines of "[CLS] question [SEP] passage [SEP]" with '
    "TAB start TAB end, tokens counted from 0."
)


def choose_questions(role: str, label: str) -> ReadingSet | None:
    """The uploader of one file of questions, kept for the session; None until there is one."""
    kept = kept_file(
        role,
        label,
        ("json", "gz", "txt", "tsv"),
        LARGEST,
        key=f"{role}.questions",
        help=FORMS,
        until_then=FORMS,
    )
    if kept is None:
        return None
    name, content = kept
    data = resources.questions(content, name)
    show_questions(data)
    return data


def show_questions(data: ReadingSet) -> None:
    """The number of questions, and each that was left out, with its place and reason."""
    none = len(data) - data.answerable
    without = f", {none:,} of them without an answer" if none else ""
    st.text(
        f"{len(data):,} questions on {len(data.passages):,} passages of {data.articles:,} articles{without}"
    )
    if data.refused:
        were = "was" if len(data.refused) == 1 else "were"
        st.warning(plain(f"{len(data.refused):,} {were} left out."), icon=":material/warning:")
        with st.expander("What was left out, and why"):
            frame = pd.DataFrame(
                [{"place": question.place, "reason": question.reason} for question in data.refused]
            )
            st.dataframe(frame, hide_index=True)
