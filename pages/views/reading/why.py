"""Why this answer: its scores over the words, the windows it was read in, attention, what it hangs on."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.attributions import METHODS, STEPS, caption
from pages.components.charts.reading import attention_map, start_and_end
from pages.components.choice import one_of
from pages.components.html import shaded
from pages.components.views import View, choose_view
from tl_core.encoders.attribution.scores import Attribution, Method, attribute
from tl_core.tasks.read.answers import FoundAnswer
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.explain import Explanation, ShownSpan, explain
from tl_core.tasks.read.reader import Reader
from tl_core.tasks.read.subject import reader_subject


def show_why(
    reader: Reader, question: str, passage: str, answer: FoundAnswer, how: Reading, name: str = ""
) -> None:
    """One view at a time on one explanation, which is computed once; `name` is what the reader is opened by."""
    key = ("why", reader.token, question, hash(passage), answer, how)
    explanation: Explanation | None = state.kept_reply(key)
    if explanation is None:
        with st.spinner("Looking into the reader"):
            explanation = explain(reader, question, passage, answer, how)
        state.keep_reply(key, explanation)
    views: tuple[View[Callable[[Explanation], None]], ...] = (
        View("start-end", "Start and end", _start_and_end),
        View("windows", "Windows", _windows),
        View("attention", "Attention", _attention),
        View("matters", "What matters", lambda explanation: _matters(reader, explanation, key)),
    )
    choose_view("Why", views, key="why.view").show(explanation)
    if name and st.button(
        "All heads, and all ways to ask what matters",
        icon=":material/grid_on:",
        type="tertiary",
        key="why.all_heads",
    ):
        state.look_into(name, question, passage, "heads")


def _start_and_end(explanation: Explanation) -> None:
    st.plotly_chart(
        start_and_end(explanation), key="why.scores", alt="Start and end score of every word of the window"
    )
    st.caption(
        "How well an answer may start or end at each word of the window; above the dashed line a word beats its "
        "half of 'no answer'. Start and end are chosen together: the band is the pair with the largest sum."
    )
    separate, joint = explanation.scores.separate, explanation.scores.joint
    st.text(_separate_text(separate, joint))


def _separate_text(separate: ShownSpan, joint: ShownSpan) -> str:
    """The answer of two argmaxes taken apart, as a course's first reader takes them."""
    if separate.crossed:
        return "Two separate argmaxes would give no answer: the best end stands before the best start."
    if (separate.first, separate.last) == (joint.first, joint.last):
        return "Two separate argmaxes of start and end would give the same answer here."
    return f"Two separate argmaxes would answer: {separate.text}"


def _windows(explanation: Explanation) -> None:
    frame = pd.DataFrame(
        [
            {"window": at, "start": window.start, "end": window.end, "score": window.score}
            for at, window in enumerate(explanation.windows)
        ]
    )
    frame["chosen"] = frame["window"] == explanation.number
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            "window": st.column_config.NumberColumn("Window"),
            "start": st.column_config.NumberColumn("From character", format="localized"),
            "end": st.column_config.NumberColumn("To", format="localized"),
            "score": st.column_config.NumberColumn("Best score", format="%.2f"),
            "chosen": st.column_config.CheckboxColumn("This answer"),
        },
        alt="The windows of the passage with the score of the best answer in each",
    )
    st.caption(
        "A text that does not fit into the encoder is read in windows that overlap. Each score is counted from "
        "its own window's 'no answer', so that they compare."
    )


def _attention(explanation: Explanation) -> None:
    layers = explanation.attention.to_passage.shape[0]
    layer = st.slider("Layer", 1, layers, layers, key=f"why.layer.{layers}") if layers > 1 else 1
    st.plotly_chart(
        attention_map(explanation, layer - 1),
        key="why.attention",
        alt=f"Attention from the question's words to the passage's in layer {layer}",
    )
    st.caption(
        "Where each word of the question, and the answer itself, looks in the passage: the mean over heads, without "
        "special tokens, each row summing to one. Attention shows where a layer reads, not why it answers."
    )


def _matters(reader: Reader, explanation: Explanation, key: tuple[object, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = one_of("Way", METHODS, key="why.method")
        steps = STEPS[1]
        if method == "ig":
            steps = st.select_slider(
                "Steps of integrated gradients", STEPS, steps, key="why.steps", width=260
            )
    attribution = _attribution(reader, explanation, (*key, method, steps), method, steps)
    shades, asked = attribution.shades.tolist(), len(explanation.question_words)
    with st.container(border=True):
        st.html(shaded([question_word.text for question_word in explanation.question_words], shades[:asked]))
    with st.container(border=True, height=320):
        st.html(shaded([passage_word.text for passage_word in explanation.passage_words], shades[asked:]))
    st.caption(f"Blue words hold the answer's score up, orange ones press it down. {caption(attribution)}")


def _attribution(
    reader: Reader, explanation: Explanation, key: tuple[object, ...], method: Method, steps: int
) -> Attribution:
    """Computed once in a session."""
    attribution: Attribution | None = state.kept_reply(key)
    if attribution is None:
        with st.spinner("Asking what matters", show_time=True):
            attribution = attribute(
                reader_subject(reader), explanation.shown, explanation.target, method, steps=steps
            )
        state.keep_reply(key, attribution)
    return attribution
