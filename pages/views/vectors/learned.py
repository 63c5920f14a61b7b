"""Result of a learning job, while it runs and after: curves by epoch, neighbours of watched words, the vectors."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.charts.learning import learning_by_epoch, neighbours_changed
from pages.components.guard import guard
from pages.components.kept import resources
from tl_core.jobs.vectors.learn import LearnedHistory, learned_history
from tl_core.pythons import this_python
from tl_core.runs.events import Curve, read_curves, read_events
from tl_core.runs.store import Job, Run, Store
from tl_core.vectors.files.read import write_word2vec_text
from tl_core.vectors.learning import NEIGHBOURS
from tl_core.whole_files import scratch_folder
from tl_core.wording import bytes_text, seconds_text

LARGEST_FILE = 200 * 10**6
MOST_EPOCHS = 16  # columns at first
NUMBER_BYTES = 13  # of a float32 as text, at most about


def draw_learning(store: Store, job: Job) -> None:
    """The curves of a job that is learning, for its panel."""
    curves = [curve for run in store.runs_of(job.id) for curve in read_curves(run.events)]
    if not curves:
        st.caption("Curves appear after the first epoch; nobody knows yet how long one takes here.")
        return
    st.plotly_chart(
        learning_by_epoch(curves), key=f"learning.{job.id}", alt="Loss and words a second by epoch"
    )
    _explain(any(curve.name == "loss" for curve in curves))


def show_learned(store: Store, job: Job) -> None:
    """Facts, curves, watched words and what can be done with the vectors; nothing before the job is done."""
    runs = [run for run in store.runs_of(job.id) if run.status == "done"]
    if not runs:
        return
    run = runs[0]
    history = learned_history(run)
    st.subheader("Learned")
    with st.container(border=True):
        _show_facts(run, history)
        _show_use(store, run)
    with st.container(border=True):
        _show_curves(history)
    if history.neighbours:
        with st.container(border=True):
            _show_watched(history)
    for note in dict.fromkeys(
        event["text"] for event in read_events(run.events) if event.get("event") == "note"
    ):
        st.text(note)


def _show_facts(run: Run, history: LearnedHistory) -> None:
    facts, seconds = run.record.facts, run.record.seconds or 0.0
    cells = {
        "Words": f"{facts['words']:,}",
        "Width": f"{facts['width']:,}",
        "Epochs": f"{len(history.epochs):,}",
        "Words a second": f"{facts['words per second']:,.0f}",
        "Time": seconds_text(seconds) if seconds >= 1 else "under 1 s",
    }
    with st.container(horizontal=True):
        for title, value in cells.items():
            st.metric(title, value, width="content")
    trained = sum(epoch.words for epoch in history.epochs)
    st.caption(
        f"{trained:,} words were trained over all epochs, after rare ones were left out and frequent ones skipped at "
        "random."
    )


def _show_use(store: Store, run: Run) -> None:
    with st.container(horizontal=True):
        if st.button(
            "Use these vectors", type="primary", icon=":material/check:", key=f"learned.use.{run.id}"
        ):
            state.want_vectors(run.id)
            state.show_job("")
            st.rerun()
        make = st.button(
            "Make a word2vec file",
            icon=":material/description:",
            key=f"learned.file.{run.id}",
            help="Text that gensim and others read: the number of words and the width, then a word a line.",
        )
    if make:
        with guard():
            _offer_file(store, run)


def _offer_file(store: Store, run: Run) -> None:
    facts = run.record.facts
    size = facts["words"] * (NUMBER_BYTES * facts["width"] + 10)
    if size > LARGEST_FILE:
        st.info(
            f"The file will have about {bytes_text(size)}; a browser gets at most {bytes_text(LARGEST_FILE)} from here. "
            "Write it where this app runs:"
        )
        st.code(f"{this_python()} -m tl_core save-vectors {run.id} vectors.txt", language="sh")
        return
    vectors = resources.vectors(store, run.id)
    with st.spinner("Writing"), scratch_folder() as folder:
        path = folder / "vectors.txt"
        write_word2vec_text(path, vectors.words, vectors.rows)
        st.download_button(
            "Save as word2vec text",
            path.read_bytes(),
            f"{run.id}.txt",
            "text/plain",
            icon=":material/download:",
            key=f"learned.download.{run.id}",
            on_click="ignore",
        )


def _show_curves(history: LearnedHistory) -> None:
    steps = tuple(epoch.epoch for epoch in history.epochs)
    losses = tuple(epoch.loss for epoch in history.epochs if epoch.loss is not None)
    curves = [Curve("words_per_second", steps, tuple(epoch.words_per_second for epoch in history.epochs))]
    if losses:
        curves.append(Curve("loss", steps, losses))
    st.markdown("**By epoch**")
    st.plotly_chart(learning_by_epoch(curves), key="learned.curves", alt="Loss and words a second by epoch")
    _explain(bool(losses))


def _explain(has_loss: bool) -> None:
    if has_loss:
        st.caption(
            "The loss is summed over all pairs of words of an epoch, so its size says little and its fall much; it says "
            "nothing of how good the neighbours are."
        )
    else:
        st.caption("gensim's fastText tells no loss, so only its speed is shown.")


def _show_watched(history: LearnedHistory) -> None:
    st.markdown("**Watched words**")
    words = list(history.neighbours)
    st.plotly_chart(
        neighbours_changed({word: _changed(history.neighbours[word]) for word in words}, NEIGHBOURS),
        key="learned.changed",
        alt="How many neighbours of the watched words are new after each epoch",
    )
    st.caption(f"How many of a word's {NEIGHBOURS} nearest words were not among them an epoch before.")
    word = st.selectbox("Neighbours of", words, key="learned.word") if len(words) > 1 else words[0]
    near = history.neighbours[word]
    epochs = list(range(1, len(near) + 1))
    if len(epochs) > MOST_EPOCHS and not st.toggle(f"All {len(epochs)} epochs", key="learned.all"):
        epochs = sorted({round(at) for at in np.linspace(1, len(epochs), MOST_EPOCHS)})
    frame = pd.DataFrame({f"epoch {epoch}": pd.Series(near[epoch - 1]) for epoch in epochs})
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    st.text(
        f"The nearest words of '{word}' after {'each epoch' if len(epochs) == len(near) else 'some epochs'}"
    )
    st.dataframe(
        frame,
        height="content",
        placeholder="",
        column_config={name: st.column_config.TextColumn(name.capitalize()) for name in frame.columns},
        alt=f"The nearest words of {word} after each epoch",
    )


def _changed(near: tuple[tuple[str, ...], ...]) -> list[int]:
    return [len(set(after) - set(before)) for before, after in pairwise(near)]
