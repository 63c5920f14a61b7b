"""Step 3: which strategies, how often and how they are trained; the config as JSON in and out."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.arms import choose_arms
from pages.components.forms import knob_widgets
from pages.components.guard import guard, plain, show_notes
from pages.components.kept import resources
from pages.components.missing_encoder import encoders_ready
from pages.views.fine_tune.data import Data
from pages.views.fine_tune.report import show_tokens
from pages.views.fine_tune.source import Source
from tl_core.catalog.vector_sets import vector_sets
from tl_core.encoders.catalog import ENCODERS
from tl_core.errors import ConfigError
from tl_core.jobs.classify.data_report import DataReport
from tl_core.jobs.classify.plan import USUAL, ClassifyExperiment, config_from_json
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

LARGEST_CONFIG = 1  # MB


def choose_strategies(data: Data, source: Source) -> ClassifyExperiment | None:
    """The widgets of the comparison; None while something in them is wrong."""
    st.subheader("3 · Strategies")
    with st.container(border=True), guard():
        loaded = state.loaded_config()
        key = f"strategies.{state.form_turn()}"
        names = [row.name for row in STRATEGIES]
        arms = loaded.get("arms", [])
        chosen = st.pills(
            "Strategies",
            names,
            selection_mode="multi",
            default=list(dict.fromkeys(arm["strategy"] for arm in arms)) or USUAL,
            format_func=lambda name: strategy(name).title,
            key=f"{key}.names",
            help="Several are trained on the same rows and scored on the same test rows.",
        )
        if not chosen:
            raise ConfigError("Choose at least one strategy.")
        for name in chosen:
            st.caption(f"**{strategy(name).title}.** {strategy(name).help}")
        values: dict[str, Any] = dict(source.values)
        values |= knob_widgets(ClassifyExperiment, loaded, key, advanced=False)
        values |= arms_and_settings([name for name in names if name in chosen], loaded, key, source)
        config = config_from_json(values)
        _config_as_json(config)
        if not encoders_ready(resources.store(), needs_of(config), key):
            return None
        _explain(config, data, source)
        return config
    return None


def arms_and_settings(
    names: list[str], loaded: dict[str, Any], key: str, source: Source, skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The widgets of the arms and, folded away, of the experiment's other settings; as the parts of a config in JSON."""
    with_source = bool(source.run or source.task)
    forms = choose_arms(names, loaded.get("arms", []), key, _starts, with_source)
    with st.expander("More settings"):
        values: dict[str, Any] = knob_widgets(ClassifyExperiment, loaded, key, advanced=True, skip=skip)
        return {**values, "arms": [form.finish() for form in forms]}


def needs_of(config: ClassifyExperiment) -> list[str]:
    """The encoders, sources and runs that the arms of a config stand on, beside the starting point chosen above them."""
    return [*config.encoders, *config.own_sources]


def _starts(name: str) -> dict[str, str]:
    """Possible starts of an arm of a strategy: the packaged encoders, or word vectors."""
    family = strategy(name).family
    if family.needs_encoder:
        return {card.name: card.title for card in ENCODERS}
    return (
        {vector_set.name: vector_set.title for vector_set in vector_sets(resources.store())}
        if family.on_words
        else {}
    )


def _config_as_json(config: ClassifyExperiment) -> None:
    with st.popover("Settings as JSON", icon=":material/data_object:"):
        st.download_button(
            "Download settings",
            json.dumps(config.to_json(), indent=1),
            "settings.json",
            "application/json",
            key="settings.download",
        )
        upload = st.file_uploader(
            "Load settings",
            type=["json"],
            key=f"settings.load.{state.form_turn()}",
            max_upload_size=LARGEST_CONFIG,
        )
        if upload is not None:
            with guard():
                state.load_config(_read_config(upload.getvalue()).to_json())
                st.rerun()


def _read_config(content: bytes) -> ClassifyExperiment:
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError) as error:
        raise ConfigError(
            "This is not a JSON file ({error}). Load one that was downloaded here.", error=error
        ) from error
    return config_from_json(values)


def _explain(config: ClassifyExperiment, data: Data, source: Source) -> None:
    """The rows in tokens of the encoder, and what the chosen settings mean for these rows."""
    if config.needs_encoder:
        longest = max(int(getattr(config.settings_of(arm), "max_tokens", 8)) for arm in config.arms)
        with guard():
            report = _with_tokens(data, source, longest)
            show_tokens(report.tokens, key="tokens")
            show_notes(report.warnings[len(data.report.warnings) :])
    rows = int(len(data.examples) * (1 if data.test is not None else 1 - config.test_share))
    if config.per_class:
        rows = min(rows, config.per_class * len(data.report.classes))
    for arm in config.arms:
        chosen = strategy(arm.strategy).chosen(config.settings_of(arm), rows, source.layers)
        if chosen:
            st.caption(plain(f"{config.title_of(arm)}: {'; '.join(chosen)}."))
    on_e5 = [arm for arm in config.arms if (arm.start or source.encoder) == "e5"]
    for note in dict.fromkeys(strategy(arm.strategy).on_e5 for arm in on_e5):
        if note:
            st.caption(note)


def _with_tokens(data: Data, source: Source, max_tokens: int) -> DataReport:
    return resources.report(
        data.table,
        data.columns,
        data.test_table,
        data.test_columns,
        data.merge_labels,
        source.encoder,
        max_tokens,
    )
