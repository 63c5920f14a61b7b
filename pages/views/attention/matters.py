"""Attribution of a prediction: three methods beside the attention of the same words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.attributions import METHODS, STEPS, caption, with_strongest
from pages.components.downloads import csv_button
from pages.components.html import shaded
from pages.components.kept import subjects
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.rollout import shares_of_words
from tl_core.encoders.attention.units import units_of
from tl_core.encoders.attribution.agreement import rank_correlation
from tl_core.encoders.attribution.scores import Attribution, Method
from tl_core.runs.store import Store

ROLLOUT = "Attention roll-out"


def show_matters(_store: Store, _row: SubjectRow, request: subjects.Asked) -> None:
    """The target, the shaded texts by method, and how far the methods agree."""
    if subjects.subject(request).kind == "bare":
        st.info(
            "An encoder without a head predicts nothing, so nothing hangs on its words. Choose a fine-tuned run or a reader."
        )
        return
    targets = subjects.targets(request)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        at = st.selectbox(
            "What is explained",
            range(len(targets)),
            format_func=lambda place: _named(targets[place]),
            key=f"matters.target.{hash(request)}",
            width=420,
        )
        steps = st.select_slider("Steps of integrated gradients", STEPS, 50, key="matters.steps", width=260)
    attributions = {method: subjects.attribution(request, at, method, steps) for method in METHODS}
    words = [word.text for word in subjects.shown(request).words]
    attention = _attention(request)
    for method, title in METHODS.items():
        _show_shaded(title, words, attributions[method].shades, caption(attributions[method]))
    largest = float(attention.max(initial=0.0))
    explanation = "Shares of what is drawn on by the whole text; attention has no sign."
    _show_shaded(ROLLOUT, words, attention / (largest or 1.0), with_strongest(explanation, largest))
    _show_agreement(attributions, attention)
    csv_button(
        ("word", *METHODS.values(), ROLLOUT),
        [
            (word, *(f"{attributions[method].words[row]:.6f}" for method in METHODS), f"{attention[row]:.6f}")
            for row, word in enumerate(words)
        ],
        "what_matters.csv",
        "matters.csv",
    )


MEASURED = """
Mean rank correlation with leaving words out, for the predicted class of 200 film phrases (SST-2) by a LoRA run of MiniLM
that was trained on 6,920 others; standard errors about 0.02. Attention has no sign, so that sizes are compared.

| | with sign | sizes |
|---|---|---|
| Integrated gradients, 50 steps | 0.56 | 0.41 |
| Attention roll-out | | 0.23 |
| Attention of the last layer, mean of heads | | 0.22 |
| Gradient × input | 0.12 | 0.19 |
| Chance | -0.02 | -0.03 |

`python -m tests.benchmarks.attention_agreement` measures it again.
"""


def _named(target: object) -> str:
    name, score = getattr(target, "name", ""), getattr(target, "score", 0.0)
    chance = getattr(target, "probability", None)
    return f"{name} · {chance:.1%}" if chance is not None else f"{name} · score {score:.2f}"


def _attention(request: subjects.Asked) -> np.ndarray:
    """Roll-out to the words from the tokens that the model pools."""
    shown = subjects.shown(request)
    drawn = shares_of_words(
        subjects.drawn_on(request)[-1], subjects.subject(request).pooled(shown), units_of(shown).groups
    )
    return drawn / max(float(drawn.sum()), 1e-12)


def _show_shaded(title: str, words: list[str], shades: np.ndarray, explanation: str) -> None:
    with st.container(border=True):
        st.markdown(f"**{title}**")
        st.html(shaded(words, shades.tolist()))
        st.caption(explanation)


def _show_agreement(attributions: dict[Method, Attribution], attention: np.ndarray) -> None:
    """Spearman between the methods; attention has no sign, so it is compared with sizes."""
    columns = {METHODS[method]: attribution.words for method, attribution in attributions.items()}
    rows = []
    for name, values in columns.items():
        row: dict[str, object] = {"method": name}
        row |= {other: rank_correlation(values, scores) for other, scores in columns.items()}
        row[ROLLOUT] = rank_correlation(values, attention, signed=False)
        rows.append(row)
    st.markdown("**How far they agree**")
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        placeholder="–",
        column_config={
            "method": st.column_config.TextColumn("Rank correlation"),
            **{name: st.column_config.NumberColumn(name, format="%.2f") for name in (*columns, ROLLOUT)},
        },
        alt="Rank correlations between the attributions and attention",
    )
    st.caption(
        "Spearman's; attention has no sign and is compared with sizes. Attention is not an explanation: a model can attend "
        "to a word and not use it, and use one that it hardly attends to. The other two ask the model itself: gradients about "
        "changes too small to make another text, masks about texts of a kind that it never learned from."
    )
    with st.popover("Which method to trust"):
        st.markdown(MEASURED)
