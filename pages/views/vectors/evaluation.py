"""Result of an evaluation of word vectors: the score, where it was won and lost, and every answer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages.components.charts.quality import (
    MOST_PAIRS,
    MOST_SECTIONS,
    section_bars,
    similarity_scatter,
)
from pages.components.downloads import csv_button
from pages.components.kept import resources
from pages.components.views import View, choose_view
from tl_core.runs.store import Job
from tl_core.vectors.quality import AnalogyReport, Score, SimilarityReport

ALL = "All sections"
MOST_ROWS = 2_000


def show_evaluation(job: Job) -> None:
    """The result of a finished evaluation."""
    report, seconds = resources.evaluation(job)
    st.subheader("Result")
    with st.container(border=True):
        if isinstance(report, AnalogyReport):
            _show_analogies(report, job)
        else:
            _show_similarity(report, job.id)
        st.caption(f"Computed in {seconds:.1f} seconds.")


def _show_analogies(report: AnalogyReport, job: Job) -> None:
    scores = [score for score in (report.overall, report.semantic, report.syntactic) if score]
    for place, score in zip(st.columns(3), scores):
        with place:
            _show_score(score)
    if job.record.config["quality"]["include_inputs"]:
        st.text(
            f"{report.answered_with_input:.1%} were answered with a word of the question itself. Such words were "
            "allowed: b - a + c often stays nearest to b or c, since a and b lie close to one another."
        )
    else:
        st.caption("The words of a question were not allowed as its answer, as is usual.")
    views: tuple[View[Callable[[AnalogyReport, str], None]], ...] = (
        View("sections", "By section", _show_sections),
        View("misses", "Misses", _show_misses),
    )
    choose_view("Result", views, key=f"evaluation.{job.id}").show(report, job.id)


def _show_score(score: Score) -> None:
    st.metric(
        {"all": "Overall"}.get(score.name, score.name.capitalize()),
        "none covered" if score.accuracy is None else f"{score.accuracy:.1%}",
    )
    st.caption(f"{score.covered:,} of {score.total:,} questions covered")


def _show_sections(report: AnalogyReport, key: str) -> None:
    st.plotly_chart(section_bars(report), key=f"evaluation.bars.{key}", alt="Accuracy of each section")
    more = len(report.sections) - MOST_SECTIONS
    if more > 0:
        st.caption(f"The {MOST_SECTIONS} largest sections; the table has the other {more:,}, too.")
    st.caption(
        "A question is covered if its four words are among those searched. Questions of a section share words, so "
        "differences of a few points mean little."
    )
    frame = pd.DataFrame(
        {
            "section": [section.name for section in report.sections],
            "right": [
                None if section.accuracy is None else 100 * section.accuracy for section in report.sections
            ],
            "correct": [section.correct for section in report.sections],
            "covered": [section.covered for section in report.sections],
            "total": [section.total for section in report.sections],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 25 else 600,
        column_config={
            "section": st.column_config.TextColumn("Section", width="medium"),
            "right": st.column_config.NumberColumn("Answered rightly, %", format="%.1f"),
            "correct": st.column_config.NumberColumn("Right", format="localized"),
            "covered": st.column_config.NumberColumn("Covered", format="localized"),
            "total": st.column_config.NumberColumn("Questions", format="localized"),
        },
        placeholder="",
        alt="The sections with their scores",
    )


def _show_misses(report: AnalogyReport, key: str) -> None:
    names = [ALL, *(section.name for section in report.sections if section.correct < section.covered)]
    section = st.selectbox("Section", names, key=f"evaluation.section.{key}")
    missed = [answer for answer in report.answers if not answer.correct and section in (ALL, answer.section)]
    if missed:
        frame = pd.DataFrame(
            [
                {"a": answer.a, "b": answer.b, "c": answer.c, "right": answer.d, "given": answer.answer}
                for answer in missed
            ]
        )
        st.dataframe(
            frame,
            hide_index=True,
            height="content" if len(frame) <= 12 else 460,
            column_config={
                "right": st.column_config.TextColumn("Right answer"),
                "given": st.column_config.TextColumn("Given answer"),
            },
            alt="Questions that were answered wrongly: a is to b as c is to what?",
        )
    st.caption(f"{len(missed):,} wrong answers to 'a is to b as c is to what?'")
    csv_button(
        ("section", "a", "b", "c", "right answer", "given answer", "correct", "answer is an input"),
        [
            (
                answer.section,
                answer.a,
                answer.b,
                answer.c,
                answer.d,
                answer.answer,
                answer.correct,
                answer.is_input,
            )
            for answer in report.answers
        ],
        "analogies.csv",
        f"evaluation.csv.{key}",
    )


def _show_similarity(report: SimilarityReport, key: str) -> None:
    values = {
        "Spearman": f"{report.spearman:.3f}",
        "Pearson": f"{report.pearson:.3f}",
        "Pairs covered": f"{report.covered:,} of {report.total:,}",
    }
    for place, (label, value) in zip(st.columns(3), values.items()):
        with place:
            st.metric(label, value)
    st.caption(
        "Spearman asks whether the cosines rank the pairs as people do (1 in the same order, 0 in any); Pearson whether "
        "they lie on a line."
    )
    left, right = st.columns(2, gap="medium")
    with left:
        st.plotly_chart(
            similarity_scatter(report),
            key=f"evaluation.scatter.{key}",
            alt="People's scores against cosines, a point a pair",
        )
        if report.covered > MOST_PAIRS:
            st.caption(f"{MOST_PAIRS:,} of the {report.covered:,} pairs are drawn.")
    with right:
        _show_pairs(report)
    csv_button(
        ("word", "other word", "people's score", "cosine"),
        [(row.a, row.b, row.score, f"{row.cosine:.6f}") for row in report.rows],
        "pairs.csv",
        f"evaluation.csv.{key}",
    )
    if report.missing:
        st.text(f"{len(report.missing):,} pairs have a word that these vectors do not know:")
        frame = pd.DataFrame(report.missing, columns=["Word", "Other word"])
        st.dataframe(
            frame,
            hide_index=True,
            height="content" if len(frame) <= 8 else 300,
            alt="Pairs with an unknown word",
        )


def _show_pairs(report: SimilarityReport) -> None:
    """The pairs that people and vectors rank most differently, first."""
    people, vectors = pair_ranks(report)
    order = np.argsort(-np.abs(people - vectors), kind="stable")[:MOST_ROWS]
    rows = [report.rows[at] for at in order]
    frame = pd.DataFrame(
        {
            "a": [row.a for row in rows],
            "b": [row.b for row in rows],
            "score": [row.score for row in rows],
            "cosine": [row.cosine for row in rows],
            "people": people[order],
            "vectors": vectors[order],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height=380,
        column_config={
            "a": st.column_config.TextColumn("Word", width="small"),
            "b": st.column_config.TextColumn("Other word", width="small"),
            "score": st.column_config.NumberColumn("People", format="%.2f", width="small"),
            "cosine": st.column_config.NumberColumn("Cosine", format="%.3f", width="small"),
            "people": st.column_config.NumberColumn("Rank, people", format="%g", width="small"),
            "vectors": st.column_config.NumberColumn("Rank, vectors", format="%g", width="small"),
        },
        alt="Pairs of words, those that people and vectors rank most differently first",
    )
    st.caption("The pairs that people and vectors rank most differently stand first; rank 1 is most alike.")


def pair_ranks(report: SimilarityReport) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each pair's rank by people and by cosine (N,), 1 for the most alike; ties share their mean rank."""
    from scipy.stats import rankdata

    scores = np.array([row.score for row in report.rows])
    cosines = np.array([row.cosine for row in report.rows])
    return rankdata(-scores), rankdata(-cosines)
