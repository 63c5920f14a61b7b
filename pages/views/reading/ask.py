"""Ask one passage a question: the answer in its place, the others, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.html import Highlight, highlighted
from pages.components.kept import resources
from pages.components.views import View, choose_view
from pages.views.reading.asking import ask_shown
from pages.views.reading.passage import ChosenPassage, choose_passage
from pages.views.reading.reader import choose_reader
from pages.views.reading.why import show_why
from tl_core.catalog.subjects import is_reader
from tl_core.runs.store import Store
from tl_core.tasks.read.answers import FoundAnswer, Reply
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.reader import Reader

SHOWN = 6_000  # characters of a passage on screen; of a longer one the surroundings of the answer
AROUND = 1_500
OWN_QUESTION = "Choose one, or type your own and press Enter."


def show_ask(store: Store) -> None:
    """Passage and reader on the left, question and answer on the right."""
    st.caption(
        "Ask a text a question. The reader finds the place of the answer in it, or says that it is not there."
    )
    left, right = st.columns([5, 6], gap="large")
    with left:
        passage = choose_passage()
        reader = choose_reader(store, [passage.text if passage else ""], "ask")
        how = _settings()
    with right, guard():
        if passage is None:
            st.text("The answer appears here, in its place in the text.")
            return
        question = _question(passage)
        if not question or not reader.name:
            _show_text(passage, ())
            return
        loaded = resources.reader(store, reader.name)
        reply = ask_shown(loaded, question, passage.text, how)
        if reply is None:
            _show_text(passage, ())
            return
        state.remember_question(passage.text, question, reply.text)
        _show_reply(loaded, reader.name, passage, question, reply, how)


def _settings() -> Reading:
    with st.expander("More settings"):
        top = st.slider("Answers to show", 1, 20, 5, key="ask.top")
        longest = st.slider("Longest answer, tokens", 5, 100, 30, key="ask.longest")
        josa = st.toggle(
            "Cut Korean particles",
            True,
            key="ask.josa",
            help="서울에서 becomes 서울. It moves exact match far more than F1.",
        )
    return Reading(top=top, longest_answer=longest, strip_josa=josa)


def _question(passage: ChosenPassage) -> str:
    """The question; an example comes with questions to choose from, the first of them asked at once."""
    key = state.question_key(passage.text)
    if passage.questions:
        chosen = st.selectbox(
            "Question", passage.questions, key=key, accept_new_options=True, help=OWN_QUESTION
        )
        return str(chosen or "").strip()
    return str(st.text_input("Question", key=key, placeholder="What do you want to know?")).strip()


def _show_reply(
    reader: Reader, name: str, passage: ChosenPassage, question: str, reply: Reply, how: Reading
) -> None:
    place = st.container()
    threshold = _threshold(reader, reply)
    answered = bool(reply.answers) and reply.answers[0].score >= threshold
    best = reply.answers[0] if reply.answers else None
    with place:
        if answered and best:
            with st.container(border=True):
                st.text(best.text)
                st.caption(_reply_text(reader, reply))
        else:
            st.info("No answer in this text.", icon=":material/search_off:")
            st.caption(_reply_text(reader, reply))
        _show_text(passage, reply.answers if answered else ())

    def why() -> None:
        if best:
            show_why(reader, question, passage.text, best, how, name if is_reader(name) else "")

    views: tuple[View[Callable[[], None]], ...] = (
        View("answers", "All answers", lambda: _show_answers(reply, threshold)),
        View("why", "Why this answer", why),
        View("history", "Asked before", lambda: _show_history(passage)),
    )
    choose_view("Look at", views, key="ask.view").show()


def _threshold(reader: Reader, reply: Reply) -> float:
    return float(
        st.slider(
            "No-answer threshold",
            -15.0,
            15.0,
            round(max(-15.0, min(15.0, reply.threshold)), 1),
            0.5,
            key=f"ask.threshold.{reader.title}",
            help="An answer counts from this score on; 0 is where the model finds an answer and none equally likely."
            + ("" if reader.calibration.calibrated else " This reader is not calibrated: set it by trying."),
        )
    )


def _reply_text(reader: Reader, reply: Reply) -> str:
    if not reply.answers:
        return "The text holds nothing that could be an answer."
    best = reply.answers[0]
    text = f"Score {best.score:.1f}; 'no answer' {reply.no_answer_score:.1f}"
    if best.probability is not None:
        error = reader.calibration.error
        text += (
            f"; exactly right with a probability of {best.probability:.0%} (calibration error {error:.1%})"
        )
    windows = "window" if reply.windows == 1 else "windows"
    return f"{text}. Read in {reply.windows:,} {windows}."


def _show_text(passage: ChosenPassage, answers: Sequence[FoundAnswer]) -> None:
    """The passage with its answers marked; of a long one the part around the best answer."""
    text, begin, end = passage.text, 0, len(passage.text)
    if len(text) > SHOWN:
        middle = answers[0].start if answers else 0
        begin, end = max(0, middle - AROUND), min(len(text), middle + 2 * AROUND)
        st.caption(f"Characters {begin:,} to {end:,} of {len(text):,}.")
    marks = [
        Highlight(answer.start - begin, answer.end - begin, f"score {answer.score:.1f}")
        for answer in answers
        if answer.start >= begin and answer.end <= end
    ]
    with st.container(border=True, height=320 if end - begin > 1_200 else "content"):
        st.html(highlighted(text[begin:end], marks))


def _show_answers(reply: Reply, threshold: float) -> None:
    if not reply.answers:
        return
    frame = pd.DataFrame([asdict(answer) for answer in reply.answers])
    frame["counts"] = frame["score"] >= threshold
    calibrated = frame["probability"].notna().any()
    order = ["text", "score", *(["probability"] if calibrated else []), "counts", "start", "end", "window"]
    st.dataframe(
        frame,
        hide_index=True,
        column_order=order,
        column_config={
            "text": st.column_config.TextColumn("Answer", width="medium"),
            "score": st.column_config.NumberColumn(
                "Score", format="%.2f", help="Start plus end logit, less the null score."
            ),
            "probability": st.column_config.NumberColumn("Probability", format="percent"),
            "counts": st.column_config.CheckboxColumn("Above threshold"),
            "start": st.column_config.NumberColumn("From character", format="localized"),
            "end": st.column_config.NumberColumn("To", format="localized"),
            "window": st.column_config.NumberColumn("Window"),
        },
        alt="The best answers with their scores and places",
    )
    st.caption(
        "Answers that overlap a better one fall together with it. Scores are no probabilities, but compare "
        "across texts."
    )


def _show_history(passage: ChosenPassage) -> None:
    asked = state.asked_questions(passage.text)
    frame = pd.DataFrame([{"question": one, "answer": other or "no answer"} for one, other in asked])
    st.dataframe(frame, hide_index=True, alt="Questions asked on this passage, newest first")
    st.caption("Questions on this passage in this session, newest first.")
