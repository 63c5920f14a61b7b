"""The nearest words of one or several words, side by side, with what they share."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from pages.components.downloads import csv_button
from pages.views.vectors.words import ask_first, ask_words, first_words
from tl_core.runs.store import Store
from tl_core.vectors.search import Neighbour, neighbours
from tl_core.vectors.space import WordVectors

DEFAULT = "coffee tea"
MOST_WORDS = 12
A_ROW = 4


def show_neighbours(store: Store, vectors: WordVectors, name: str) -> None:
    """Words in, one list each out."""
    st.caption(
        "Words that stand in like company get like vectors. The neighbours are exact: the cosine to every word "
        "is computed."
    )
    left, middle, right = st.columns([3, 1, 1])
    with left:
        words = ask_words(
            "Words",
            vectors,
            " ".join(first_words(vectors, DEFAULT)),
            f"neighbours.words.{vectors.name}",
            most=MOST_WORDS,
        )
    with middle:
        k = st.number_input("Neighbours", 1, 1_000, 10, key="neighbours.k")
    with right:
        first = ask_first(vectors, f"neighbours.first.{vectors.name}")
    neighbours_by_word = {word: neighbours(vectors, word, k, first=first) for word in words}
    if not neighbours_by_word:
        st.text("Type a word to see its neighbours.")
        return
    times = Counter(neighbour.word for near in neighbours_by_word.values() for neighbour in near)
    shared = {word for word, count in times.items() if count > 1}
    for begin in range(0, len(words), A_ROW):
        row = words[begin : begin + A_ROW]
        for place, word in zip(st.columns(max(2, len(row))), row):
            with place:
                _show_list(word, neighbours_by_word[word], shared if len(words) > 1 else set(), k)
    if len(words) > 1:
        listed = ", ".join(sorted(shared, key=lambda word: (-times[word], word))[:60])
        st.text(f"Shared by at least two: {listed}" if shared else "They share none of these neighbours.")
    _download(neighbours_by_word)


def _show_list(word: str, near: list[Neighbour], shared: set[str], k: int) -> None:
    with st.container(border=True):
        st.text(word)
        frame = pd.DataFrame(
            {
                "word": [neighbour.word for neighbour in near],
                "cosine": [neighbour.score for neighbour in near],
                "shared": [neighbour.word in shared for neighbour in near],
                "rank": [neighbour.row + 1 for neighbour in near],
            }
        )
        st.dataframe(
            frame,
            hide_index=True,
            height="content" if k <= 25 else 600,
            column_order=["word", "cosine", *(["shared"] if shared else []), "rank"],
            column_config={
                "word": st.column_config.TextColumn("Neighbour"),
                "cosine": st.column_config.ProgressColumn(
                    "Cosine", format="%.3f", min_value=min(0.0, frame["cosine"].min()), max_value=1.0
                ),
                "shared": st.column_config.CheckboxColumn("Shared", width="small"),
                "rank": st.column_config.NumberColumn(
                    "Rank",
                    format="localized",
                    width="small",
                    help="Place in the list of words; 1 is the most frequent.",
                ),
            },
            alt=f"The nearest words of {word} with their cosines",
        )


def _download(neighbours_by_word: dict[str, list[Neighbour]]) -> None:
    rows = [
        (word, str(at), neighbour.word, f"{neighbour.score:.6f}")
        for word, near in neighbours_by_word.items()
        for at, neighbour in enumerate(near, start=1)
    ]
    csv_button(("word", "place", "neighbour", "cosine"), rows, "neighbours.csv", "neighbours.csv")
