"""Self-attention of one head with its numbers, and what an encoder lets a token see against a decoder."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.charts.attention_words import attention_matrix, visible
from pages.components.guard import plain
from pages.components.kept import subjects
from pages.views.attention.head import head_numbers
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.steps import HeadSteps, head_steps
from tl_core.runs.store import Store

SHOWN_WIDTH = 8
MOST_TOKENS = 16


def show_steps(_store: Store, _row: SubjectRow, request: subjects.Asked) -> None:
    """The formula, then each of its steps for one query token."""
    subject, shown = subjects.subject(request), subjects.shown(request)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer, head = head_numbers(subject.layers, subject.heads, "steps")
        query = st.selectbox(
            "Token that looks",
            range(len(shown)),
            index=min(1, len(shown) - 1),
            format_func=lambda at: f"{at + 1}. {shown.tokens[at]}",
            key=f"steps.query.{len(shown)}",
            width=260,
        )
    st.latex(r"\mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt{d}}\right)V")
    steps = head_steps(subject, shown, layer, head)
    _show_query(steps, shown.tokens, query)
    _show_all(steps, shown.tokens)
    _show_masks(shown.tokens)


def _show_query(steps: HeadSteps, tokens: tuple[str, ...], query: int) -> None:
    width = steps.query.shape[1]
    mixed = steps.mixed[query]
    st.markdown("**1. Every token's state becomes a query, a key and a value**")
    st.caption(
        f"Three matrices that training has made turn each state into {width} numbers each. The first {SHOWN_WIDTH} of the "
        f"query of {plain(tokens[query])}, and of all keys and values:"
    )
    st.text(f"q = {_numbers(steps.query[query])}")
    frame = pd.DataFrame(
        {
            "token": tokens,
            "key": [_numbers(row) for row in steps.key],
            "product": steps.products[query],
            "score": np.where(steps.visible[query], steps.scores[query], np.nan),
            "weight": steps.weights[query],
            "value": [_numbers(row) for row in steps.value],
        }
    )
    st.markdown("**2. The query meets every key, the scores become weights, the weights mix the values**")
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 20 else 560,
        placeholder="hidden",
        column_config={
            "token": st.column_config.TextColumn("Token", pinned=True),
            "key": st.column_config.TextColumn("Key k"),
            "product": st.column_config.NumberColumn("q · k", format="%.3f"),
            "score": st.column_config.NumberColumn(f"q · k × {steps.scaling:.4f}", format="%.3f"),
            "weight": st.column_config.ProgressColumn("softmax", format="%.3f", min_value=0.0, max_value=1.0),
            "value": st.column_config.TextColumn("Value v"),
        },
        alt=f"The steps of attention for the token {tokens[query]}",
    )
    st.caption(
        f"{steps.scaling:.4f} is 1 / √{width}: without it the products of long vectors are so large that the softmax "
        f"chooses one token alone. The weights sum to {steps.weights[query].sum():.4f}."
    )
    st.markdown("**3. The weighted sum of the values is what the head gives this token**")
    st.text(f"Σ weight × v = {_numbers(mixed)}")
    st.caption(
        "The outputs of all heads stand side by side and pass one more matrix before they are added to the state."
    )


def _show_all(steps: HeadSteps, tokens: tuple[str, ...]) -> None:
    st.markdown("**All tokens at once**")
    labels = [f"{token}" for token in tokens]
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption("Scaled scores, before the softmax")
        scores = np.where(steps.visible, steps.scores, np.nan)
        st.plotly_chart(
            attention_matrix(scores, labels, labels, signed=True),
            key="steps.scores",
            alt="Scaled scores of all tokens",
        )
    with right:
        st.caption("Weights, after it")
        st.plotly_chart(
            attention_matrix(steps.weights, labels, labels), key="steps.weights", alt="Weights of all tokens"
        )


def _show_masks(tokens: tuple[str, ...]) -> None:
    st.markdown("**What a token may see: encoder and decoder**")
    st.caption(
        "An encoder such as BERT lets every token look both ways, so it reads. A decoder such as GPT-2 hides what stands "
        "behind: its scores become minus infinity before the softmax, so that it can learn to go on."
    )
    few = tokens[:MOST_TOKENS]
    st.plotly_chart(
        visible(np.tri(len(few), dtype=bool), list(few)),
        key="steps.mask",
        alt="Which token may look at which in a decoder",
    )
    if len(few) < len(tokens):
        st.caption(f"The first {len(few)} of {len(tokens):,} tokens.")


def _numbers(values: np.ndarray) -> str:
    more = ", …" if len(values) > SHOWN_WIDTH else ""
    return "[" + ", ".join(f"{value:+.2f}" for value in values[:SHOWN_WIDTH]) + more + "]"
