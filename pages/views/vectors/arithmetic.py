"""Similarity of two words, the odd one out, an axis between formulas, a direction projected away."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components.charts.vectors import axis_places, axis_strip
from pages.components.guard import guard, plain
from pages.components.views import View, choose_view
from pages.views.vectors.words import ask_words, first_formula, first_words, tell_unknown
from tl_core.runs.store import Store
from tl_core.vectors.arithmetic import (
    axis,
    neighbours_without,
    odd_one_out,
    place_on_axis,
    similarity,
)
from tl_core.vectors.formula import Formula, parse_formula
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import WordVectors
from tl_core.vectors.vocabulary import UnknownWord

WORDS_ON_AXIS = "nurse engineer teacher soldier doctor dancer programmer librarian captain secretary"


def show_arithmetic(store: Store, vectors: WordVectors, name: str) -> None:
    """One tool at a time."""
    tools: tuple[View[Callable[[WordVectors], None]], ...] = (
        View("similarity", "Similarity", _show_similarity),
        View("odd-one-out", "Odd one out", _show_odd_one_out),
        View("axis", "Axis", _show_axis),
        View("projection", "Project a direction away", _show_projection),
    )
    tool = choose_view("Tool", tools, key="arithmetic.tool")
    with guard():
        tool.show(vectors)


def _show_similarity(vectors: WordVectors) -> None:
    st.caption("The cosine of the angle between two vectors: 1 for the same direction, 0 for unrelated ones.")
    words = _ask("Words", vectors, "coffee tea espresso car", 2, "similarity.words", most=30)
    if len(words) < 2:
        st.text("Type at least two words.")
        return
    frame = pd.DataFrame(
        {one: [similarity(vectors, one, other) for other in words] for one in words}, index=words
    )
    st.dataframe(
        frame,
        height="content",
        column_config={one: st.column_config.NumberColumn(one, format="%.3f") for one in words},
        alt="The cosine of every word with every other",
    )


def _show_odd_one_out(vectors: WordVectors) -> None:
    st.caption("The word whose vector is least like the mean of all.")
    words = _ask("Words", vectors, "breakfast lunch dinner cereal car", 3, "odd.words", most=50)
    if len(words) < 3:
        st.text("Type at least three words.")
        return
    odd = odd_one_out(vectors, words)
    with st.container(border=True):
        st.text(odd.word)
    ordered = sorted((cosine, word) for word, cosine in odd.cosines)
    frame = pd.DataFrame([(word, cosine) for cosine, word in ordered], columns=["word", "cosine"])
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        column_config={
            "word": st.column_config.TextColumn("Word"),
            "cosine": st.column_config.NumberColumn("Cosine to the mean", format="%.3f"),
        },
        alt="Each word's cosine to the mean of all, the least first",
    )


def _show_axis(vectors: WordVectors) -> None:
    st.caption(
        "An axis leads from one formula to another; each word stands where its vector points along it. A second "
        "axis makes a plane."
    )
    left, right = st.columns(2)
    with left:
        across = _ask_axis(vectors, "Right minus left", "she - he", "axis.across")
    with right:
        up = _ask_axis(vectors, "Up minus down (may stay empty)", "", "axis.up", may_be_empty=True)
    words = _ask("Words on it", vectors, WORDS_ON_AXIS, 5, "axis.words")
    if across is None or not words:
        return
    places = place_on_axis(vectors, axis(vectors, across), words)
    if up is None:
        st.plotly_chart(axis_strip(places, str(across)), key="axis.strip", alt=f"Words along {across}")
    else:
        heights = place_on_axis(vectors, axis(vectors, up), words)
        st.plotly_chart(
            axis_places(places, heights, str(across), str(up)),
            key="axis.plane",
            alt=f"Words along {across} and {up}",
        )
    st.caption(
        "The place is the cosine of the word with the axis. What the texts held, the vectors hold: bias, too."
    )


def _ask(label: str, vectors: WordVectors, usual: str, count: int, key: str, *, most: int = 200) -> list[str]:
    """Known words; the box begins with the usual ones, or with `count` of the set where it holds fewer."""
    first = " ".join(first_words(vectors, usual, count))
    return ask_words(label, vectors, first, f"{key}.{vectors.name}", most=most)


def _ask_axis(
    vectors: WordVectors, label: str, default: str, key: str, *, may_be_empty: bool = False
) -> Formula | None:
    key = f"{key}.{vectors.name}"
    text = st.text_input(
        label,
        first_formula(vectors, default) if default else "",
        key=key,
        help="A formula, such as hot - cold or (with numbers) 0.5 * hot - cold.",
    )
    if may_be_empty and not text.strip():
        return None
    try:
        return parse_formula(text, vectors.vocabulary)
    except UnknownWord as error:
        tell_unknown(error, key)
        return None


def _show_projection(vectors: WordVectors) -> None:
    st.caption(
        "Take one direction out of every vector (debiasing by projection) and see whom a word is then near. What is "
        "left may still hold the bias in other directions (Gonen & Goldberg 2019)."
    )
    left, right = st.columns(2)
    with left:
        formula = _ask_axis(vectors, "Direction to take out", "she - he", "project.direction")
    with right:
        words = _ask("Word", vectors, "nurse", 1, "project.word", most=1)
    if formula is None or not words:
        return
    direction = axis(vectors, formula)
    before = neighbours(vectors, words[0], 15)
    after = neighbours_without(vectors, words[0], direction, 15)
    kept = {neighbour.word for neighbour in before} & {neighbour.word for neighbour in after}
    for place, title, near in zip(st.columns(2), ("Before", f"Without {formula}"), (before, after)):
        with place, st.container(border=True):
            st.markdown(f"**{plain(title)}**")
            frame = pd.DataFrame(
                {
                    "word": [neighbour.word for neighbour in near],
                    "cosine": [neighbour.score for neighbour in near],
                    "only": [neighbour.word not in kept for neighbour in near],
                }
            )
            st.dataframe(
                frame,
                hide_index=True,
                height="content",
                column_config={
                    "word": st.column_config.TextColumn("Neighbour"),
                    "cosine": st.column_config.NumberColumn("Cosine", format="%.3f"),
                    "only": st.column_config.CheckboxColumn("Only here"),
                },
                alt=f"{title}: the nearest words of {words[0]}",
            )
    at = place_on_axis(vectors, direction, words)[0].place
    st.text(f"'{words[0]}' has a cosine of {at:+.3f} with {formula}; of its 15 neighbours {len(kept)} stay.")
