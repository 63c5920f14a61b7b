"""Word vectors of one's own: texts, settings, and the button that starts the job."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.forms import knob_widgets
from pages.components.guard import guard
from pages.views.vectors.corpus import choose_corpus
from pages.views.vectors.words import split_words
from tl_core.data.corpus import Corpus
from tl_core.errors import DataError
from tl_core.jobs.vectors.learn import MOST_WATCHED, submit_learning
from tl_core.knobs import Value, from_values
from tl_core.runs.store import Store
from tl_core.text.script import is_korean
from tl_core.vectors.learn_config import LearnConfig

SMALL_CHARACTERS = 1_000_000
FOR_SMALL: dict[str, Value] = {
    "epochs": 50,
    "min_count": 2,
    "width": 50,
}  # so that few texts show anything at all


def show_learn(store: Store) -> None:
    """Texts on top, then settings, then words to watch."""
    st.caption(
        "Learn a vector for each word from texts of yours, with word2vec or fastText. Good ones need many millions of "
        "words; few texts show how it goes."
    )
    with st.container(border=True):
        corpus = choose_corpus("learn")
        if corpus is None:
            return
    with st.container(border=True), guard():
        values = _ask_settings(corpus)
        watched = split_words(
            st.text_input(
                "Words to watch",
                key="learn.watched",
                placeholder="ice steam water",
                help=f"Up to {MOST_WATCHED}: their neighbours are kept after each epoch, so that you see them settle.",
            )
        )
        if len(watched) > MOST_WATCHED:
            raise DataError(
                "{watched} words to watch; at most {most_watched} are. Take some out.",
                watched=len(watched),
                most_watched=MOST_WATCHED,
            )
        if st.button("Learn", type="primary", icon=":material/model_training:", key="learn.go"):
            config = from_values(LearnConfig, values)
            watched_words = [word.lower() for word in watched] if config.lower else watched
            job = submit_learning(store, config, corpus.texts, corpus.name, watched=watched_words)
            state.show_job(job.id)
            st.rerun()


def _ask_settings(corpus: Corpus) -> dict[str, Value]:
    """The settings by name; another kind of text begins with others."""
    korean, small = is_korean(corpus.texts), corpus.characters < SMALL_CHARACTERS
    first: dict[str, Value] = {"splitter": "morphemes"} if korean else {}
    first |= FOR_SMALL if small else {}
    key = f"learn.{korean}.{small}"
    values = knob_widgets(LearnConfig, first, key, advanced=False)
    if small:
        st.caption("These are few texts: epochs, min count and width begin at values for few words.")
    with st.expander("Advanced settings"):
        values |= knob_widgets(LearnConfig, first, key, advanced=True)
    return values
