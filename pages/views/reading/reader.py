"""Choice of the reader that answers: a shipped one, a run, or a model of the hub or a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.components.guard import plain
from pages.components.missing_encoder import encoder_ready
from tl_core.catalog.readers import SHIPPED, reader_for, shipped
from tl_core.outcomes.runs import run_title
from tl_core.runs.store import Store
from tl_core.tasks.read.saved import TASK
from tl_core.text.script import is_korean

AUTOMATIC = "auto"
OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChosenReader:
    """A reader by the name that `load_named_reader` takes; empty while none is named."""

    name: str


def choose_reader(store: Store, texts: Sequence[str], key: str) -> ChosenReader:
    """The widget for a reader; `texts` decide what automatic means. Ends the page where its encoder is to be fetched first."""
    reader = _chosen(store, texts, key)
    if not encoder_ready(store, reader.name, key):
        st.stop()
    return reader


def _chosen(store: Store, texts: Sequence[str], key: str) -> ChosenReader:
    runs = {run.id: run for run in store.runs() if run.status == "done" and run.task == TASK}
    titles = {AUTOMATIC: "Automatic, by the script of the text"}
    titles |= {shipped_reader.name: shipped_reader.title for shipped_reader in SHIPPED}
    titles |= {name: f"{run_title(run)} · {run.record.title}" for name, run in runs.items()}
    titles[OTHER] = "Another model: hub name or folder"
    chosen = st.selectbox("Reader", list(titles), format_func=titles.__getitem__, key=f"{key}.reader")
    if chosen == OTHER:
        name = st.text_input(
            "Model",
            key=f"{key}.model",
            placeholder="monologg/koelectra-small-v3-finetuned-korquad",
            help="A model with a question-answering head: a name on the hub, or a folder of this machine.",
        )
        return ChosenReader(name.strip())
    if chosen == AUTOMATIC:
        name = reader_for(texts)
        row = shipped(name)
        st.caption(f"{row.title if row else name} is taken for this text.")
        return ChosenReader(name)
    if chosen == "en" and is_korean(texts):
        st.caption(plain("The English reader knows no Hangul. Choose the Korean one, or automatic."))
    return ChosenReader(chosen)
