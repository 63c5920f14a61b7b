"""Fine-tune a reader: a file of questions, one or more starts, how many questions, and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.arms import ArmForm, arm_box
from pages.components.forms import knob_widgets
from pages.components.missing_encoder import encoders_ready
from pages.views.reading.questions import choose_questions
from tl_core.catalog.readers import SHIPPED, reader_for
from tl_core.data.reading import ReadingSet
from tl_core.encoders.catalog import ENCODERS
from tl_core.encoders.tuning import epochs_for
from tl_core.errors import ConfigError
from tl_core.jobs.experiment import trials_by_size
from tl_core.jobs.read.plan import ReadExperiment, read_config_from_json, read_split
from tl_core.jobs.read.train import submit_training
from tl_core.outcomes.runs import run_title
from tl_core.runs.store import Store
from tl_core.tasks.read.config import ReadConfig

SIZES = (16, 64, 256)
ADDED = "reading.added"


def show_fine_tune(store: Store) -> None:
    """The steps of one job of reader trainings."""
    st.caption(
        "Train a reader on your own questions, from several starts side by side: is it better to begin from a "
        "reader of another language or text, or from the bare encoder?"
    )
    with st.container(border=True):
        data = choose_questions("train_reader", "Questions to learn from")
        if data is None:
            return
        with st.expander(
            "A separate test file (otherwise a fifth of the questions is held back, whole articles)"
        ):
            test = choose_questions("train_reader.test", "Questions to measure on")
    with st.container(border=True):
        config = _choose(store, data, test)
    if st.button("Train", type="primary", icon=":material/play_arrow:", key="reading.train"):
        state.show_job(submit_training(store, config, data, test=test).id)
        st.rerun()


def _choose(store: Store, data: ReadingSet, test: ReadingSet | None) -> ReadExperiment:
    titles = {row.name: row.title for row in SHIPPED}
    titles |= {card.name: f"{card.title}, bare encoder" for card in ENCODERS}
    for run in store.runs():
        if run.status == "done" and run.record.encoder:
            titles[run.id] = f"{run_title(run)} · {run.record.title}"
    suited = reader_for([question.text for question in data.questions[:200]])
    bare = next(row.encoder for row in SHIPPED if row.name == suited)
    starts = st.multiselect(
        "Start from",
        list(titles),
        default=[suited, bare],
        format_func=titles.__getitem__,
        key=f"reading.starts.{data.name}",
        max_selections=6,
    )
    if not starts:
        raise ConfigError("Choose at least one start.")
    if not encoders_ready(store, starts, "reading.starts"):
        st.stop()
    pool, _ = read_split(ReadExperiment(), data, test)
    fitting = [size for size in SIZES if size < len(pool)]
    sizes = st.multiselect(
        "Questions to learn from",
        [*fitting, 0],
        default=fitting[:2] or [0],
        format_func=lambda size: f"{size:,}" if size else f"all {len(pool):,}",
        key=f"reading.sizes.{data.name}",
        help="Several numbers give a learning curve.",
    )
    if not sizes:
        raise ConfigError("Choose at least one number of questions.")
    values: dict[str, Any] = {"sizes": sizes}
    values |= knob_widgets(ReadExperiment, {}, "reading.plan", advanced=False)
    settings: dict[str, Any] = knob_widgets(ReadConfig, {}, "reading.settings", advanced=False)
    added = _added_arms(titles)
    with st.expander("More settings"):
        values |= knob_widgets(ReadExperiment, {}, "reading.plan", advanced=True)
        settings |= knob_widgets(ReadConfig, {}, "reading.settings", advanced=True)
        own = [form.finish() for form in added]
    arms = [{"strategy": settings["method"], "settings": settings, "start": start} for start in starts]
    arms += [{**arm, "strategy": arm["settings"]["method"]} for arm in own]
    config = read_config_from_json({**values, "arms": arms})
    if not encoders_ready(store, [arm.start for arm in config.arms], "reading.added"):
        st.stop()
    pool, held = read_split(config, data, test)
    most = max(size or len(pool) for size in sizes)
    epochs = max(epochs_for(config.settings_of(arm), most) for arm in config.arms)
    trainings = len(trials_by_size(config))
    st.caption(
        f"{trainings} trainings; each is measured on the same {len(held):,} questions. The largest one takes "
        f"{epochs} epochs of {most:,} questions."
    )
    return config


def _added_arms(titles: Mapping[str, str]) -> list[ArmForm]:
    """Starts with a name and settings of their own, beside those that share the settings above."""
    if st.button(
        "One more, with settings of its own", icon=":material/add:", type="tertiary", key=f"{ADDED}.add"
    ):
        state.add_arm(ADDED, 0)
        st.rerun()
    forms = []
    for number in state.arm_numbers(ADDED, 0):
        form = arm_box("", ReadConfig, f"Training {number}", {}, f"{ADDED}.{number}", titles)
        if form is None:
            state.remove_arm(ADDED, number, 0)
            st.rerun()
        else:
            forms.append(form)
    return forms
