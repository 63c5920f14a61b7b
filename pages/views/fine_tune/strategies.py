"""Step 3: which strategies, how many seeds and rows, and their settings; the config as JSON in and out."""

from __future__ import annotations

import json
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.forms import knob_widgets
from pages.components.guard import guard, show_notes
from pages.components.kept import resources
from pages.views.fine_tune.data import Data
from pages.views.fine_tune.report import show_tokens
from pages.views.fine_tune.source import Source
from tl_core.errors import ConfigError
from tl_core.jobs.classify.data_report import DataReport
from tl_core.jobs.classify.plan import CompareConfig, config_from_json
from tl_core.knobs import knobs_of
from tl_core.tasks.classify.strategies import STRATEGIES, strategy

LARGEST_CONFIG = 1  # MB


def choose_strategies(data: Data, source: Source) -> CompareConfig | None:
    """The widgets of the comparison; None while something in them is wrong."""
    st.subheader("3 · Strategies")
    with st.container(border=True), guard():
        loaded = state.loaded_config()
        key = f"strategies.{state.form_turn()}"
        names = [each.name for each in STRATEGIES]
        chosen = st.pills(
            "Strategies",
            names,
            selection_mode="multi",
            default=loaded.get("strategies", CompareConfig().strategies),
            format_func=lambda name: strategy(name).title,
            key=f"{key}.names",
            help="Several are trained on the same rows and scored on the same test rows.",
        )
        if not chosen:
            raise ConfigError("Choose at least one strategy.")
        for name in chosen:
            st.caption(f"**{strategy(name).title}.** {strategy(name).help}")
        values: dict[str, Any] = {"strategies": [name for name in names if name in chosen]}
        values |= source.values
        values |= knob_widgets(CompareConfig, loaded, key, advanced=False)
        values |= strategy_settings(values["strategies"], loaded, key)
        config = config_from_json(values)
        _config_as_json(config)
        _explain(config, data, source)
        return config
    return None


def strategy_settings(
    names: list[str], loaded: dict[str, Any], key: str, skip: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The widgets of each strategy's settings and, folded away, the rest; as the parts of a config in JSON."""
    settings = {name: _main_settings(name, loaded, key) for name in names}
    with st.expander("More settings"):
        values: dict[str, Any] = knob_widgets(CompareConfig, loaded, key, advanced=True, skip=skip)
        for name in names:
            st.markdown(f"**{strategy(name).title}**")
            given = loaded.get("settings", {}).get(name, {})
            settings[name] |= knob_widgets(strategy(name).config, given, f"{key}.{name}", advanced=True)
    return {**values, "settings": settings}


def _main_settings(name: str, loaded: dict[str, Any], key: str) -> dict[str, Any]:
    row = strategy(name)
    if all(each.advanced for each in knobs_of(row.config)):
        return {}
    st.markdown(f"**{row.title}**")
    given = loaded.get("settings", {}).get(name, {})
    return dict(knob_widgets(row.config, given, f"{key}.{name}", advanced=False))


def _config_as_json(config: CompareConfig) -> None:
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


def _read_config(content: bytes) -> CompareConfig:
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError) as error:
        raise ConfigError(f"This is not a JSON file ({error}). Load one that was downloaded here.") from error
    return config_from_json(values)


def _explain(config: CompareConfig, data: Data, source: Source) -> None:
    """How the rows look to the encoder, and what the chosen settings mean for these rows."""
    if config.needs_encoder:
        longest = max(_max_tokens(config, name) for name in config.strategies)
        with guard():
            report = _with_tokens(data, source, longest)
            show_tokens(report.tokens, key="tokens")
            show_notes(report.warnings[len(data.report.warnings) :])
    rows = int(len(data.examples) * (1 if data.test is not None else 1 - config.test_share))
    if config.per_class:
        rows = min(rows, config.per_class * len(data.report.classes))
    for name in config.strategies:
        row = strategy(name)
        chosen = row.chosen(config.config_of(name), rows, source.layers)
        if chosen:
            st.caption(f"{row.title}: {'; '.join(chosen)}.")
    for name in config.strategies if source.encoder == "e5" else ():
        if strategy(name).on_e5:
            st.caption(strategy(name).on_e5)


def _max_tokens(config: CompareConfig, name: str) -> int:
    return int(getattr(config.config_of(name), "max_tokens", 8))


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
