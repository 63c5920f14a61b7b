"""Two sets of word vectors: a word's neighbours in both, the words that moved, how far neighbours agree."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components.charts.quality import overlap_histogram
from pages.components.guard import guard, plain, show_notes
from pages.components.kept import resources
from pages.components.views import View, choose_view
from pages.views.vectors.choose import set_title
from pages.views.vectors.words import tell_unknown
from tl_core.catalog.vector_sets import vector_sets
from tl_core.runs.store import Store
from tl_core.vectors.alignment import Moved
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import WordVectors
from tl_core.vectors.vocabulary import UnknownWord

WORDS = ("coffee", "music", "king")
NEIGHBOURS = 10
MOVED = 20
FIRST, MOST_SHARED = 5_000, 20_000

Sets = tuple[WordVectors, WordVectors]
Names = tuple[str, str]


def show_compare(store: Store, vectors: WordVectors, name: str) -> None:
    """The second set, then one question at a time."""
    st.caption(
        "What one set says of a word another may not: other texts, another time, another method, another width."
    )
    others = {vector_set.name: vector_set for vector_set in vector_sets(store) if vector_set.name != name}
    if not others:
        st.info("There is no second set of word vectors yet. Load a file, or learn some from a text.")
        return
    chosen = str(
        st.selectbox(
            "Compare with",
            list(others),
            format_func=lambda other: set_title(others[other]),
            key=f"compare.other.{name}",
        )
    )
    views: tuple[View[Callable[[Store, Sets, Names], None]], ...] = (
        View("word", "One word", _show_word),
        View("moved", "Words that moved", _show_moved),
        View("agreement", "Agreement", _show_agreement),
    )
    view = choose_view("Question", views, key="vectors.compare")
    with guard():
        view.show(store, (vectors, resources.vectors(store, chosen)), (name, chosen))


def _show_word(_: Store, sets: Sets, names: Names) -> None:
    widget = f"compare.word.{'.'.join(names)}"
    word = st.text_input("Word", _default(sets), key=widget).strip()
    if not word:
        st.text("Type a word to see its neighbours in both sets.")
        return
    if not any(word in vectors.vocabulary for vectors in sets):
        try:
            sets[0].vocabulary.row(word)
        except UnknownWord as error:
            tell_unknown(error, widget)
        return
    _show_both(sets, word, widget)


def _default(sets: Sets) -> str:
    one, other = (vectors.vocabulary for vectors in sets)
    known = (word for word in (*WORDS, *one.words[len(one) // 20 :]) if word in one and word in other)
    return next(known, one.words[0])


def _show_both(sets: Sets, word: str, widget: str) -> None:
    """The word's neighbours in both sets, side by side, those that both have marked."""
    neighbour_lists = [
        neighbours(vectors, word, NEIGHBOURS) if word in vectors.vocabulary else None for vectors in sets
    ]
    shared = set.intersection(*({neighbour.word for neighbour in near or ()} for near in neighbour_lists))
    for place, vectors, near in zip(st.columns(2), sets, neighbour_lists):
        with place, st.container(border=True):
            st.markdown(f"**{plain(vectors.name)}**")
            if near is None:
                _tell_missing(vectors, word, widget)
                continue
            frame = pd.DataFrame(
                {
                    "word": [neighbour.word for neighbour in near],
                    "cosine": [neighbour.score for neighbour in near],
                    "shared": [neighbour.word in shared for neighbour in near],
                }
            )
            st.dataframe(
                frame,
                hide_index=True,
                height="content",
                column_config={
                    "word": st.column_config.TextColumn("Neighbour"),
                    "cosine": st.column_config.NumberColumn("Cosine", format="%.3f"),
                    "shared": st.column_config.CheckboxColumn("In both", width="small"),
                },
                alt=f"The nearest words of {word} in {vectors.name}",
            )
    if None not in neighbour_lists:
        st.text(f"Of the {NEIGHBOURS} nearest words of '{word}' both sets have {len(shared)}.")


def _tell_missing(vectors: WordVectors, word: str, widget: str) -> None:
    try:
        vectors.vocabulary.row(word)
    except UnknownWord as error:
        tell_unknown(error, widget)


def _ask_first(key: str) -> int:
    return int(
        st.number_input(
            "Shared words",
            2,
            MOST_SHARED,
            FIRST,
            key=f"compare.first.{key}",
            width=190,
            help="How many of the words spelled alike in both sets are compared, the most frequent first.",
        )
    )


def _show_moved(store: Store, sets: Sets, names: Names) -> None:
    if sets[0].width != sets[1].width:
        st.info(
            plain(
                f"One set can be turned onto the other only at equal widths; these have {sets[0].width} and "
                f"{sets[1].width}. A word's neighbours and their agreement can be compared all the same."
            )
        )
        return
    aligned = resources.aligned(store, *names, _ask_first("moved"))
    st.caption(
        f"Set one is turned as a whole onto the other by the rotation that brings its {len(aligned.words):,} shared words "
        "nearest (orthogonal Procrustes). What still lies apart has moved: 0 is the same place, 1 a right angle. Rare "
        "words move most, since their vectors are the noisiest. Tick a word to see its neighbours."
    )
    show_notes(aligned.notes)
    left, right = st.columns(2)
    with left:
        chosen = _show_list("Most moved", aligned.most_moved(MOVED), names)
    with right:
        chosen = chosen + _show_list("Least moved", aligned.least_moved(MOVED), names)
    for word in dict.fromkeys(chosen):
        st.markdown(f"**{plain(word)}**")
        _show_both(sets, word, f"compare.chosen.{word}")


def _show_list(title: str, moved: Moved, names: Names) -> list[str]:
    """The words with their distances; the one that is chosen, or none."""
    st.markdown(f"**{title}**")
    event = st.dataframe(
        pd.DataFrame(moved, columns=["word", "distance"]),
        hide_index=True,
        height=390,
        on_select="rerun",
        selection_mode="single-row",
        key=f"compare.{title}.{'.'.join(names)}",
        column_config={
            "word": st.column_config.TextColumn("Word"),
            "distance": st.column_config.NumberColumn("Cosine distance", format="%.3f"),
        },
        alt=f"{title} words with their cosine distances",
    )
    return [moved[row][0] for row in event.selection.rows if row < len(moved)]


def _show_agreement(store: Store, _: Sets, names: Names) -> None:
    shares, k = resources.agreement(store, *names, _ask_first("agreement"), NEIGHBOURS)
    chance = k / (len(shares) - 1)
    st.plotly_chart(
        overlap_histogram(shares, k),
        key="compare.histogram",
        alt=f"How many words have how many of their {k} nearest words in both sets",
    )
    st.text(f"Overlap@{k}: {shares.mean():.2f} (chance {chance:.2g})")
    st.caption(
        f"Each of the {len(shares):,} shared words is asked for its {k} nearest among these words, in one set and in "
        "the other. The sets may have different widths; nothing is turned for this."
    )
