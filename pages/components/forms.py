"""Config dataclass -> widgets -> values: one widget a knob, from its one declaration."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from tl_core.knobs import Knob, Value, knobs_of


def knob_widget(declared: Knob, value: Value, key: str) -> Value:
    """The widget of one knob; what it holds."""
    label = declared.title
    if declared.choices:
        options: Sequence[str] = declared.choices
        return str(st.selectbox(label, options, index=options.index(str(value)), help=declared.help, key=key))
    if declared.kind is bool:
        return bool(st.toggle(label, bool(value), help=declared.help, key=key))
    if declared.kind is str:
        return str(st.text_input(label, str(value), help=declared.help, key=key))
    whole = declared.kind is int
    cast = int if whole else float
    return cast(
        st.number_input(
            label,
            min_value=None if declared.low is None else cast(declared.low),
            max_value=None if declared.high is None else cast(declared.high),
            value=cast(value),
            step=1 if whole else _step(float(value), declared.high),
            format="%d" if whole else "%g",
            help=declared.help,
            key=key,
        )
    )


def _step(value: float, high: float | None) -> float:
    """A step of one in the first digit: 0.0001 for 0.0002; from 0 on 0.1, or a hundredth of a range that ends there."""
    if value > 0:
        return 10.0 ** math.floor(math.log10(value))
    return high / 100 if high is not None and high <= 0.1 else 0.1


def knob_widgets(
    config: type[Any], values: Mapping[str, Value], key: str, *, advanced: bool, skip: Iterable[str] = ()
) -> dict[str, Value]:
    """The widgets of a config's main or advanced knobs, in a row that wraps; their values by name."""
    shown = [knob for knob in knobs_of(config) if knob.advanced == advanced and knob.name not in set(skip)]
    chosen: dict[str, Value] = {}
    with st.container(horizontal=True):
        for knob in shown:
            with st.container(width=190):
                chosen[knob.name] = knob_widget(
                    knob, values.get(knob.name, knob.default), f"{key}.{knob.name}"
                )
    return chosen
