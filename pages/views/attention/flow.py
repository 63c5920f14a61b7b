"""Roll-out and flow: what reaches a word of the last layer from each word of the text."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.components.charts.attention_words import attention_matrix, shares_by_word
from pages.components.downloads import csv_button
from pages.components.kept import subjects
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.rollout import MOST_FLOW_TOKENS, shares_of_words
from tl_core.encoders.attention.units import units_of
from tl_core.runs.store import Store

WHOLE = "the whole text"


def show_flow(_store: Store, _row: SubjectRow, request: subjects.Asked) -> None:
    """A target word, then the bars of both ways; the matrix of roll-out below."""
    st.caption(
        "A layer mixes what lower layers have mixed, so the words at a top position are mixtures themselves. Roll-out "
        "multiplies the attention of all layers, half of each step being the residual connection; flow asks how much can "
        "pass at most (Abnar & Zuidema 2020). Both use the mean over heads."
    )
    shown = subjects.shown(request)
    made = units_of(shown)
    rolled = subjects.drawn_on(request)
    words = [unit.text for unit in made.units]
    layers = len(rolled)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.selectbox(
            "What is looked at from",
            range(-1, len(words)),
            format_func=lambda place: WHOLE if place < 0 else f"{place + 1}. {words[place]}",
            key=f"flow.word.{len(words)}",
            width=330,
            help="The whole text is looked at from the tokens that the model pools: all, or a decoder's last one.",
        )
        layer = st.slider("Up to layer", 1, layers, layers, key=f"flow.layer.{layers}", width=260)
    tokens = (
        tuple(np.flatnonzero(made.groups[at] > 0).tolist())
        if at >= 0
        else subjects.subject(request).pooled(shown)
    )
    shares = {"roll-out": shares_of_words(rolled[layer - 1], tokens, made.groups)}
    if layer == layers and len(shown) <= MOST_FLOW_TOKENS:
        shares["flow"] = made.groups @ subjects.flow(request, tokens)
    elif len(shown) > MOST_FLOW_TOKENS:
        st.caption(f"Flow is computed for at most {MOST_FLOW_TOKENS} tokens; this text has {len(shown):,}.")
    hidden = 1 - float(shares["roll-out"].sum())
    shares = {name: values / max(float(values.sum()), 1e-12) for name, values in shares.items()}
    left, right = st.columns(2, gap="medium")
    with left:
        st.plotly_chart(
            shares_by_word(words, {name: values.tolist() for name, values in shares.items()}),
            key="flow.bars",
            alt="What reaches the chosen word from each word",
        )
        st.caption(
            f"{hidden:.0%} of the roll-out stays with special tokens, which are left out here. Flow lies closer together: "
            "it counts every way that could carry something, not how much each does."
        )
    with right:
        giving = made.groups / made.groups.sum(1, keepdims=True)
        between = giving @ rolled[layer - 1] @ made.groups.T
        between /= np.maximum(between.sum(1, keepdims=True), 1e-12)
        st.plotly_chart(
            attention_matrix(
                between, words, words, title_rows="position after the layer", title_columns="word of the text"
            ),
            key="flow.matrix",
            alt=f"Roll-out of all words up to layer {layer}",
        )
    csv_button(
        ("word", *shares),
        [(word, *(f"{values[row]:.6f}" for values in shares.values())) for row, word in enumerate(words)],
        "rollout.csv",
        "flow.csv",
    )
