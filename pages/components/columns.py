"""Columns of scores and cost that several tables share, and how their cells are written."""

from __future__ import annotations

from typing import Any

import streamlit as st

from tl_core.outcomes.tasks import all_measures
from tl_core.tasks.intervals import Interval

SECONDS_HELP = (
    "Of one training, a mean where there are several seeds: learning and validation. Loading is not counted, nor are "
    "the frozen features that an earlier training has kept."
)
MEMORY_HELP = (
    "The largest that the training's process held, libraries included; the GPU's where it ran there."
)
HELP = {"accuracy": "Share of the test rows answered right."}


PREFERRED_HELP = (
    "First stands the first seed of what has the highest mean over its seeds: the single highest score would be luck with "
    "the test rows more than worth."
)


def score_columns() -> dict[str, Any]:
    """Every measure of any task in per cent, its spread between seeds and its interval."""
    number = st.column_config.NumberColumn
    return {
        **{
            measure.key: number(f"{measure.title}, %", format="%.1f", help=HELP.get(measure.key))
            for measure in all_measures()
        },
        "spread": number("± sd", format="%.1f", width="small", help="Standard deviation between seeds."),
        "interval": st.column_config.TextColumn("95 % interval", alignment="right"),
    }


def cost_columns() -> dict[str, Any]:
    """Columns for the cost of trainings: time, trained parameters, memory."""
    number = st.column_config.NumberColumn
    return {
        "seconds": number("Seconds", format="%.1f", help=SECONDS_HELP),
        "parameters": number("Trained parameters", format="localized"),
        "memory": number("Peak memory, MB", format="localized", help=MEMORY_HELP),
    }


def interval_text(interval: Interval | None) -> str:
    """'81.9 – 86.3', in per cent."""
    return "" if interval is None else f"{100 * interval.low:.1f} – {100 * interval.high:.1f}"
