"""Words and formulas typed by a person: those that are not known come with near spellings to click."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from pages.components import state
from pages.components.guard import plain
from tl_core.vectors.formula import parse_formula
from tl_core.vectors.space import WordVectors
from tl_core.vectors.vocabulary import UnknownWord

PARTS = re.compile(r"[\s,;]+")


def ask_words(
    label: str, vectors: WordVectors, default: str, key: str, *, help: str = "", most: int = 200
) -> list[str]:
    """The known ones of the words that were typed, as the set writes them; the others are told with spellings."""
    text = st.text_input(label, default, key=key, help=help or "Separated by blanks or commas.")
    return known_words(split_words(text)[:most], vectors, key)


def split_words(text: str) -> list[str]:
    """The different words of a typed list, in their order."""
    return list(dict.fromkeys(part for part in PARTS.split(text.strip()) if part))


def first_words(vectors: WordVectors, usual: str, count: int = 1) -> list[str]:
    """First words of a text box: the usual words that the set holds, or `count` fairly frequent ones of its own."""
    known = [word for word in usual.split() if word in vectors.vocabulary]
    begin = len(vectors.words) // 20
    return known if len(known) >= count else vectors.words[begin : begin + count]


def first_formula(vectors: WordVectors, usual: str) -> str:
    """First formula of a formula box: the usual formula, or a difference of two words of the set."""
    try:
        parse_formula(usual, vectors.vocabulary)
    except UnknownWord:
        return " - ".join(first_words(vectors, "", 2))
    return usual


def known_words(words: Sequence[str], vectors: WordVectors, key: str) -> list[str]:
    """Those the vectors hold, as they write them; each other one is told, with near spellings to click."""
    known = []
    for word in words:
        try:
            known.append(vectors.words[vectors.vocabulary.row(word)])
        except UnknownWord as error:
            tell_unknown(error, key)
    return list(dict.fromkeys(known))


def tell_unknown(error: UnknownWord, key: str) -> None:
    """The unknown word, and a button for each near spelling, which puts it into the text of the widget `key`."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        st.text(f"'{error.word}' is not among these words.", width="content")
        if error.suggestions:
            st.caption("Did you mean", width="content")
        for near in error.suggestions:
            st.button(
                plain(near),
                key=f"{key}.near.{error.word}.{near}",
                on_click=_replace,
                args=(key, error.word, near),
            )


def _replace(key: str, word: str, near: str) -> None:
    text = str(state.held(key, ""))
    state.put(key, re.sub(rf"(?<!\S){re.escape(word)}(?![^\s,;])", lambda _: near, text, count=1))
    if near not in state.held(key):  # in a formula without blanks, such as kin-man
        state.put(key, text.replace(word, near, 1))


def ask_first(vectors: WordVectors, key: str) -> int | None:
    """The number of most frequent words that are searched; None for all."""
    count = len(vectors.vocabulary)
    cuts = [cut for cut in (10_000, 30_000, 50_000, 100_000, 200_000) if cut < count]
    return st.selectbox(
        "Words to search",
        [None, *reversed(cuts)],
        format_func=lambda cut: f"all {count:,}" if cut is None else f"the {cut:,} most frequent",
        key=key,
        help="Rare words are often noise; the files list words by how frequent they are.",
    )
