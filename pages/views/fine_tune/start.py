"""Step 4: what it will cost, and the start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.components import state
from pages.components.guard import guard, plain
from pages.components.kept import resources
from pages.views.fine_tune.data import Data
from pages.views.fine_tune.source import Source, remember_tried
from tl_core.jobs.classify.compare import submit_prepared
from tl_core.jobs.classify.encoder_trial import EncoderTrial, better_of, in_words, known_trials, try_encoders
from tl_core.jobs.classify.estimate import Estimate, estimate, usual_seeds, with_seeds, with_seeds_measured
from tl_core.jobs.classify.plan import ClassifyExperiment, Task, largest_class
from tl_core.jobs.classify.prepare import Prepared
from tl_core.jobs.devices import memory_bytes
from tl_core.runs.store import Store
from tl_core.wording import bytes_text, seconds_text


def start_training(store: Store, data: Data, source: Source, config: ClassifyExperiment) -> None:
    """The estimate and the button that submits the comparison."""
    st.subheader("4 · Train")
    task = Task(data.examples, data.test, source.task.examples if source.task else None, title=data.title)
    with st.container(border=True), guard():
        ready = resources.prepared(config, task)
        by_trial = source.auto and config.encoder in config.encoders
        if by_trial and (tried := known_trials(store.settings, ready.pool)):
            if better_of(tried) != source.encoder:  # the steps above speak of it too
                remember_tried(data, better_of(tried))
                st.rerun()
            ready = replace(ready, tried=tuple(tried))
            by_trial = False
            st.caption(plain(in_words(tried)))
        elif by_trial:
            st.caption("Before the start both encoders are tried, frozen, on the rows to learn from.")
        _tell_filled(config, ready)
        known = resources.known_estimate(ready, task)
        if known is not None and not config.seeds:
            ready = with_seeds(ready, known)
            known = resources.known_estimate(ready, task)
        trainings = len(ready.trials)
        with st.container(horizontal=True, vertical_alignment="center"):
            begin = st.button("Start training", type="primary", icon=":material/play_arrow:", key="start")
            measure = known is None and st.button(
                "Estimate time and memory", icon=":material/timer:", key="estimate"
            )
        if by_trial and (measure or begin):
            with st.spinner("Both encoders are tried on the rows to learn from, in a process of its own"):
                config, ready = _with_encoder(config, task, try_encoders(store.settings, ready.pool))
        if measure:
            with st.spinner("A short probe trains a few batches in a process of its own"):
                estimate(store, ready)
            st.rerun()
        if known is None:
            by_cost = "" if config.seeds else ", and with it how many seeds are usual"
            st.caption(
                f"{trainings} {'training' if trainings == 1 else 'trainings'}. The time is not known here yet: a short probe "
                f"measures it{by_cost}."
            )
        else:
            _show_estimate(known)
            _show_seeds(config.seeds, ready.config.seeds, known)
        if begin:
            if not ready.config.seeds:
                with st.spinner(
                    "A short probe measures what a training costs, which says how many seeds are usual"
                ):
                    ready = with_seeds_measured(store, ready)
            job = submit_prepared(store, ready)
            state.show_job(job.id)
            st.rerun()


def _with_encoder(
    config: ClassifyExperiment, task: Task, tried: Sequence[EncoderTrial]
) -> tuple[ClassifyExperiment, Prepared]:
    """The experiment on the encoder that did better."""
    config = replace(config, encoder=better_of(tried))
    return config, replace(resources.prepared(config, task), tried=tuple(tried))


def _tell_filled(config: ClassifyExperiment, ready: Prepared) -> None:
    """The sizes of a grid that the rows cannot fill are told."""
    largest = largest_class(ready.pool)
    too_many = [f"{size:,}" for size in config.sizes if size >= largest]
    if too_many:
        st.caption(
            f"No class has more than {largest:,} rows to learn from: all of them stand for {', '.join(too_many)}."
        )


def _show_seeds(asked: int, seeds: int, known: Estimate) -> None:
    """The number of seeds that this cost suggests, where fewer are chosen; one tells trained models apart, no strategies."""
    usual = usual_seeds(known.longest)
    if not asked and seeds > 1:
        st.caption(f"{seeds} seeds, since the longest training takes about {seconds_text(known.longest)}.")
    elif seeds < usual:
        st.caption(
            f"The longest training takes about {seconds_text(known.longest)}: {usual} seeds are usual then. With one, only "
            "these trained models can be told apart, not the strategies."
        )
    elif seeds <= 1:
        st.caption("With one seed only these trained models can be told apart, not the strategies.")


def _show_estimate(known: Estimate) -> None:
    with st.container(horizontal=True):
        st.metric("Trainings", known.trainings)
        st.metric("Time, at most", seconds_text(known.seconds))
        st.metric("Memory", bytes_text(known.memory))
    parts = [f"{known.titles[name]} {seconds_text(seconds)}" for name, seconds in known.by_arm.items()]
    st.caption(
        plain(f"Measured by a probe on this machine: {', '.join(parts)}. Early stopping can make it shorter.")
    )
    if known.memory > 0.9 * memory_bytes():
        st.warning(
            f"This machine has {bytes_text(memory_bytes())}. Choose LoRA, a smaller batch size or fewer tokens.",
            icon=":material/warning:",
        )
