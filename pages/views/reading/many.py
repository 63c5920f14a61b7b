"""Many questions at once: a file in, a job that asks them all and judges the answers."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.views.reading.questions import choose_questions
from pages.views.reading.reader import choose_reader
from tl_core.jobs.read.evaluate import submit_evaluation
from tl_core.runs.store import Store


def show_many(store: Store) -> None:
    """File, reader and the button that starts the job."""
    st.caption(
        "How good is a reader on questions whose answers are known? Exact match and F1 by the official rules."
    )
    with st.container(border=True):
        data = choose_questions("many", "Questions with answers")
        if data is None:
            return
        reader = choose_reader(store, [question.text for question in data.questions[:200]], "many")
        limit = int(
            st.number_input(
                "Questions to ask",
                1,
                len(data),
                min(len(data), 500),
                key=f"many.limit.{data.name}",
                help="The first ones of the file. A laptop answers some ten to thirty a second.",
            )
        )
        if st.button("Evaluate", type="primary", icon=":material/fact_check:", disabled=not reader.name):
            state.show_job(submit_evaluation(store, reader.name, data.take(range(limit))).id)
            st.rerun()
