"""Choice of the words on a map: the most frequent ones, a list, or a word with its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from pages.components.views import View, choose_view
from pages.views.vectors.words import ask_words, first_words, known_words, split_words
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import WordVectors

FEWEST, MOST, USUAL = 50, 5_000, 300
LARGE_SET = 10_000  # words; the most frequent of such a set are function words
FUNCTION_WORDS = 100
NEIGHBOURS = 150
WORD = "music"
LIST = (
    "king queen prince princess man woman boy girl dog cat horse cow lion paris london berlin madrid rome france "
    "england germany spain italy apple banana orange grape bread monday tuesday friday sunday red green blue yellow"
)
TOLD_UNKNOWN = 6


def choose_map_words(vectors: WordVectors, name: str) -> list[str]:
    """Different words of the vectors, as they write them."""
    origins: tuple[View[Callable[[WordVectors, str], list[str]]], ...] = (
        View("frequent", "Most frequent", _most_frequent),
        View("list", "A list", _listed),
        View("neighbourhood", "Neighbourhood of a word", _neighbourhood),
    )
    origin = choose_view("Words", origins, key="map.origin", label_visibility="visible")
    return origin.show(vectors, name)


def _most_frequent(vectors: WordVectors, name: str) -> list[str]:
    count = len(vectors.vocabulary)
    with st.container(horizontal=True):
        number = st.number_input(
            "Number of words",
            min(FEWEST, count),
            min(MOST, count),
            min(USUAL, count),
            key=f"map.number.{name}",
            width=190,
        )
        skipped = st.number_input(
            "Leave out the first",
            0,
            max(0, count - 1),
            FUNCTION_WORDS if count >= LARGE_SET else 0,
            key=f"map.skipped.{name}",
            width=190,
            help="Sets of word vectors list the most frequent words first: as a rule articles, prepositions and commas.",
        )
    words = vectors.words[skipped : skipped + number]
    places = f"Words {skipped + 1:,} to {skipped + len(words):,} by how frequent they are"
    left_out = (
        f"; the first {skipped:,}, as a rule function words and punctuation, are left out" if skipped else ""
    )
    st.caption(f"{places}{left_out}.")
    return words


def _listed(vectors: WordVectors, name: str) -> list[str]:
    key = f"map.list.{name}"
    text = st.text_area(
        "Words",
        " ".join(_known(LIST.split(), vectors) or vectors.words[:FEWEST]),
        key=key,
        help=f"Separated by blanks, commas or line breaks; at most {MOST:,}.",
    )
    typed = split_words(str(text))
    if len(typed) > MOST:
        st.warning(f"The list has {len(typed):,} words; the map takes the first {MOST:,}.")
    unknown = [word for word in typed[:MOST] if word not in vectors.vocabulary]
    words = known_words(unknown[:TOLD_UNKNOWN], vectors, key)  # tells each, so the result is empty
    if more := unknown[TOLD_UNKNOWN:]:
        st.text(f"{len(more):,} more are not among these words: {' '.join(more[:100])}")
    return words + known_words(_known(typed[:MOST], vectors), vectors, key)


def _known(words: Sequence[str], vectors: WordVectors) -> list[str]:
    return [word for word in words if word in vectors.vocabulary]


def _neighbourhood(vectors: WordVectors, name: str) -> list[str]:
    count = len(vectors.vocabulary)
    default = first_words(vectors, WORD)[0]
    with st.container(horizontal=True):
        with st.container(width=300):
            words = ask_words("Word", vectors, default, f"map.word.{name}", help="One word.", most=1)
        near = st.number_input(
            "Neighbours",
            1,
            max(1, min(MOST, count - 1)),
            max(1, min(NEIGHBOURS, count - 1)),
            key=f"map.near.{name}",
            width=190,
        )
    if not words:
        return []
    return [*words, *(neighbour.word for neighbour in neighbours(vectors, words[0], near))]
