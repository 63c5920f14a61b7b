"""Evaluation of a reader on a set of questions: the scores, where it does badly, and each miss in its passage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.components.columns import interval_text
from pages.components.html import Highlight, highlighted
from pages.components.views import View, choose_view
from tl_core.data.reading import ReadingSet
from tl_core.jobs.read.evaluate import evaluated_questions, evaluation_answers, evaluation_result
from tl_core.runs.store import Job, Store
from tl_core.tasks.read.evaluate import Scores
from tl_core.tasks.read.report import ReadReport
from tl_core.wording import per_second

RULES = {
    "squad1": "SQuAD 1.1's rule: words, without case, punctuation and articles",
    "squad2": "SQuAD 2.0's rule: words, without case, punctuation and articles; 'no answer' may be right",
    "korquad": "KorQuAD 1.0's rule: F1 over characters, without punctuation and quotes",
}
MOST_MISSES = 2_000


def show_evaluated(_: Store, job: Job) -> None:
    """The result of a finished evaluation."""
    report, seconds = evaluation_result(job)
    st.subheader("Result")
    with st.container(border=True):
        show_outcome(report, evaluated_questions(job), evaluation_answers(job), key=job.id)
        st.caption(
            f"Asked in {seconds:.1f} seconds, {per_second(report.scores.count, seconds):.1f} questions a second."
        )


def show_outcome(
    report: ReadReport, data: ReadingSet, answers: Sequence[dict[str, Any]], *, key: str
) -> None:
    """Scores, groups and misses, one view at a time."""
    views: tuple[View[Callable[[], None]], ...] = (
        View("scores", "Scores", lambda: _show_scores(report)),
        View("kinds", "By kind of question", lambda: _show_groups(report)),
        View("misses", "Misses", lambda: _show_misses(report, data, answers, key)),
    )
    choose_view("Result", views, key=f"outcome.{key}").show()


def _show_scores(report: ReadReport) -> None:
    rows = [_row("as read", report.scores)]
    if report.other_josa is not None:
        rows = [_row(f"particles {'cut' if report.josa else 'kept'}", report.scores)]
        rows.append(_row(f"particles {'kept' if report.josa else 'cut'}", report.other_josa))
    if report.best is not None and report.threshold is not None:
        rows[0]["answers"] += f", threshold {report.threshold:.1f}"
        rows.append(_row(f"at this set's best threshold, {report.best_threshold:.1f}", report.best))
    st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=_columns("answers", "Answers"))
    st.caption(
        f"{report.scores.count:,} questions, {report.scores.count - report.answerable:,} of them without an answer. "
        f"{RULES[report.rule]}. Exact match asks for the whole answer, F1 for how much of it overlaps."
    )
    if report.spans is not None:
        spans = report.spans
        st.caption(
            f"95 % intervals, as read: exact match {interval_text(spans.exact_match)}, F1 {interval_text(spans.f1)}. They are "
            f"for other articles: questions on one are right together, and these stand in {spans.articles:,}."
        )
    if report.other_josa is not None:
        st.caption("A particle glued to the answer (서울에서 for 서울) costs the exact match, but little F1.")


def _show_groups(report: ReadReport) -> None:
    kinds = list(dict.fromkeys(group.by for group in report.groups))
    for kind in kinds:
        rows = [_row(group.name, group.scores) for group in report.groups if group.by == kind]
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, column_config=_columns("answers", kind.capitalize())
        )
    st.caption("Groups of few questions say little.")


def _row(name: str, scores: Scores) -> dict[str, Any]:
    return {
        "answers": name,
        "questions": scores.count,
        "exact_match": 100 * scores.exact_match,
        "f1": 100 * scores.f1,
    }


def _columns(first: str, title: str) -> dict[str, Any]:
    return {
        first: st.column_config.TextColumn(title, width="medium"),
        "questions": st.column_config.NumberColumn("Questions", format="localized"),
        "exact_match": st.column_config.NumberColumn("Exact match, %", format="%.1f"),
        "f1": st.column_config.NumberColumn("F1, %", format="%.1f"),
    }


def _show_misses(report: ReadReport, data: ReadingSet, answers: Sequence[dict[str, Any]], key: str) -> None:
    missed = [at for at, row in enumerate(answers) if _is_miss(report, data, row, at)]
    if not missed:
        st.text("Every question was answered exactly.")
        return
    missed.sort(key=lambda at: (answers[at]["f1"], -(answers[at]["score"] or 0.0)))
    shown = missed[:MOST_MISSES]
    frame = pd.DataFrame([_miss(data, answers[at], at) for at in shown])
    event = st.dataframe(
        frame,
        hide_index=True,
        height=320,
        on_select="rerun",
        selection_mode="single-row",
        key=f"misses.{key}",
        column_config={
            "question": st.column_config.TextColumn("Question", width="large"),
            "answered": st.column_config.TextColumn("Answered", width="medium"),
            "right": st.column_config.TextColumn("Right", width="medium"),
            "f1": st.column_config.NumberColumn("F1, %", format="%.0f"),
            "score": st.column_config.NumberColumn("Score", format="%.1f"),
        },
        alt="Questions that were not answered exactly, the worst first",
    )
    st.caption(
        f"{len(missed):,} of {len(answers):,} not exact, the worst and most confident first. "
        "Choose one to see it in its passage."
    )
    if event.selection.rows:
        _open(data, answers[shown[event.selection.rows[0]]], shown[event.selection.rows[0]])


def _is_miss(report: ReadReport, data: ReadingSet, row: dict[str, Any], at: int) -> bool:
    answered = report.threshold is None or (row["score"] is not None and row["score"] >= report.threshold)
    if not data.questions[at].answerable:
        return answered
    return not answered or row["exact_match"] < 1


def _miss(data: ReadingSet, row: dict[str, Any], at: int) -> dict[str, Any]:
    question = data.questions[at]
    right = (
        " / ".join(dict.fromkeys(answer.text for answer in question.answers)) or "no answer in the passage"
    )
    return {
        "question": question.text,
        "answered": row["given"],
        "right": right,
        "f1": 100 * row["f1"],
        "score": row["score"],
    }


def _open(data: ReadingSet, row: dict[str, Any], at: int) -> None:
    question = data.questions[at]
    st.text(question.text)
    marks = []
    if row["start"] >= 0:
        marks.append(Highlight(row["start"], row["start"] + len(row["given"]), "answered"))
    references = [Highlight(answer.start, answer.end, "right") for answer in question.answers[:1]]
    text = data.passage_of(question)
    left, right = st.columns(2)
    with left:
        st.caption("What the reader answered")
        with st.container(border=True, height=300):
            st.html(highlighted(text, marks))
    with right:
        st.caption("What is right" if references else "The passage does not answer it")
        with st.container(border=True, height=300):
            st.html(highlighted(text, references))
