"""A new grid: rows, a source, strategies, sizes and seeds; what it takes, and the start."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.missing_encoder import encoders_ready
from pages.views.fine_tune.data import choose_data
from pages.views.fine_tune.source import Source, choose_source
from pages.views.fine_tune.start import start_training
from pages.views.fine_tune.strategies import arms_and_settings, needs_of
from tl_core.errors import ConfigError
from tl_core.jobs.classify.plan import ClassifyExperiment, config_from_json, size_of
from tl_core.runs.store import Store
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

SIZES = ("8", "16", "64", "250", "1000", "all")
USUAL = ("8", "64", "all")
USUAL_STRATEGIES = ("tfidf", "frozen", "lora")
SKIPPED = ("zero_target",)  # a grid always scores the source as it is


def plan_grid(store: Store) -> None:
    """The widgets of a grid and the button that starts it."""
    st.caption(
        "The same rows by several strategies, over several sizes and seeds, each with and without the source: what is "
        "the source worth, and until when?"
    )
    data = choose_data("target")
    if data is None:
        return
    source = choose_source(store, data)
    config = _choose_grid(source) if source else None
    if source and config:
        start_training(store, data, source, config)


def _choose_grid(source: Source) -> ClassifyExperiment | None:
    st.subheader("3 · Grid")
    with st.container(border=True), guard():
        names = [row.name for row in STRATEGIES]
        chosen = st.pills(
            "Strategies",
            names,
            selection_mode="multi",
            default=USUAL_STRATEGIES,
            format_func=lambda name: strategy(name).title,
            key="grid.strategies",
        )
        sizes = st.multiselect(
            "Rows of each class",
            SIZES,
            USUAL,
            key="grid.sizes",
            accept_new_options=True,
            help="Each size holds the smaller ones. Type another number; all takes every row.",
        )
        with st.container(horizontal=True):
            seeds = st.number_input(
                "Seeds",
                1,
                10,
                3,
                key="grid.seeds",
                width=190,
                help="Each draws its own rows and new weights.",
            )
            test_rows = st.number_input(
                "Test rows (0: all)",
                0,
                1_000_000,
                1_000,
                key="grid.test_rows",
                width=190,
                help="Drawn once, in the classes' shares; every training is scored on the same ones.",
            )
        if not chosen:
            raise ConfigError("Choose at least one strategy.")
        values: dict[str, Any] = dict(source.values)
        in_order = [name for name in names if name in chosen]
        values |= arms_and_settings(in_order, {}, "grid", source, skip=("test_rows", *SKIPPED))
        values |= {"sizes": [size_of(size) for size in sizes], "seeds": seeds, "test_rows": test_rows}
        if not sizes:
            raise ConfigError("Choose at least one number of rows.")
        config = config_from_json(values)
        return config if encoders_ready(resources.store(), needs_of(config), "grid") else None
    return None
