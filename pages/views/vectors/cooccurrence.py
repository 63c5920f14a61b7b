"""Co-occurrence counts of two words, and the ratios of probabilities that tell them apart."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages.components.downloads import csv_button
from pages.components.guard import guard, plain
from pages.components.kept import resources
from pages.views.vectors.corpus import ICE, choose_corpus
from pages.views.vectors.words import split_words
from tl_core.data.corpus import Corpus
from tl_core.errors import DataError
from tl_core.runs.store import Store
from tl_core.text.script import is_korean
from tl_core.text.words import SPLITTERS
from tl_core.vectors.cooccurrence import FEW, Cooccurrence, RatioRow, Weighting
from tl_core.vectors.space import WordVectors

FIRST_WORDS = {  # (a, b, probes) of each sample; other texts begin empty
    ICE: ("ice", "steam", "solid gas water fashion"),
    "product_reviews_en.csv": ("money", "quality", "waste poor well back"),
    "film_reviews_en.csv": ("great", "waste", "film money time the"),
    "product_reviews_ko.csv": ("정말", "너무", "이다 실망 예쁘다 좋다"),
    "film_reviews_ko.csv": ("정말", "너무", "좋다 재밌다 감동 실망"),
}
WEIGHTING_TITLES: dict[Weighting, str] = {"flat": "each pair as 1", "harmonic": "1 / distance, as GloVe does"}
SPLITTER_TITLES = {"words": "words", "morphemes": "Korean morphemes"}
MOST_PROBES = 50
TOP = 15
FREQUENT = 40
MOST_CHARACTERS = {"words": 50_000_000, "morphemes": 1_000_000}  # a minute or two of waiting
PROBABILITY = "%.2e"
MARK = "⚠"


def show_cooccurrence(store: Store, vectors: WordVectors, name: str) -> None:
    """Texts and words on top, the table of ratios below, then what stands near each of the two words."""
    st.caption(
        "GloVe starts from counts: how often does word k stand near word i? What sets two words apart shows in the "
        "ratio of the probabilities (Pennington et al. 2014, table 1)."
    )
    with st.container(border=True):
        corpus = choose_corpus("cooccurrence")
        if corpus is None:
            return
        a, b, probes, splitter, window, weighting = _ask(corpus)
    with guard():
        _check_size(corpus, splitter)
        if not a or not b or a == b:
            st.text("Type two different words to compare.")
            st.text(f"Frequent here: {', '.join(_frequent(corpus, splitter))}")
            return
        counts = resources.cooccurrence(corpus, splitter, (a, b), window, weighting)
        _show_ratios(counts, a, b, probes)
        _show_tops(counts, a, b)


def _ask(corpus: Corpus) -> tuple[str, str, list[str], str, int, Weighting]:
    """(a, b, probes, splitter, window, weighting); words are told apart without their case."""
    first = FIRST_WORDS.get(corpus.name, ("", "", ""))
    left, middle, right = st.columns([1, 1, 2])
    a = left.text_input("Word a", first[0], key=f"cooccurrence.a.{corpus.name}")
    b = middle.text_input("Word b", first[1], key=f"cooccurrence.b.{corpus.name}")
    typed = right.text_input(
        "Probes",
        first[2],
        key=f"cooccurrence.probes.{corpus.name}",
        help=f"Words to look for near a and b, separated by blanks or commas; at most {MOST_PROBES}.",
    )
    korean = is_korean(corpus.texts)
    left, middle, right = st.columns(3)
    window = left.number_input(
        "Window", 1, 50, 10, key="cooccurrence.window", help="Words on either side, within a sentence."
    )
    weighting = middle.selectbox(
        "Count",
        list(WEIGHTING_TITLES),
        format_func=WEIGHTING_TITLES.__getitem__,
        key="cooccurrence.weighting",
    )
    splitter = right.selectbox(
        "Cut into",
        SPLITTERS,
        index=SPLITTERS.index("morphemes" if korean else "words"),
        format_func=SPLITTER_TITLES.__getitem__,
        key=f"cooccurrence.splitter.{korean}",
        help="Morphemes part Korean words from their particles; verbs are counted in their form with 다.",
    )
    probes = list(dict.fromkeys(split_words(typed.lower())))[:MOST_PROBES]
    return a.strip().lower(), b.strip().lower(), probes, splitter, int(window), weighting


def _check_size(corpus: Corpus, splitter: str) -> None:
    """DataError for texts that would keep the page waiting for minutes."""
    most = MOST_CHARACTERS[splitter]
    if corpus.characters > most:
        other = " or cut into words" if splitter == "morphemes" else ""
        raise DataError(
            "{corpus} has {characters:,} characters; cut into {splitter_titles} at most {most:,} "
            "are counted here. Take a part of it{other}.",
            corpus=corpus.name,
            characters=corpus.characters,
            splitter_titles=SPLITTER_TITLES[splitter],
            most=most,
            other=other,
        )


def _frequent(corpus: Corpus, splitter: str) -> list[str]:
    """The most frequent words of the texts that have more than one letter, for a person to begin with."""
    counts = Counter(chain.from_iterable(resources.sentences(corpus, splitter)))
    return [word for word, _ in counts.most_common(10 * FREQUENT) if len(word) > 1][:FREQUENT]


def _show_ratios(counts: Cooccurrence, a: str, b: str, probes: list[str]) -> None:
    st.text(
        f"'{a}' stands {counts.occurrences[a]:,} times, '{b}' {counts.occurrences[b]:,} times among "
        f"{counts.total:,} running words, {len(counts.occurrences):,} different ones."
    )
    if not probes:
        st.text("Type a probe to see its ratio.")
        return
    rows = counts.ratio_table(a, b, probes)
    st.dataframe(
        pd.DataFrame([_ratio_row(row) for row in rows]),
        hide_index=True,
        height="content" if len(rows) <= 25 else 600,
        placeholder="–",
        column_config={
            "probe": st.column_config.TextColumn("Probe k", pinned=True),
            "count_a": _count_column(f"Near {a}", counts.weighting),
            "p_a": st.column_config.NumberColumn(f"P(k | {a})", format=PROBABILITY),
            "count_b": _count_column(f"Near {b}", counts.weighting),
            "p_b": st.column_config.NumberColumn(f"P(k | {b})", format=PROBABILITY),
            "ratio": st.column_config.NumberColumn(
                "Ratio",
                format="%.3g",
                help=f"P(k | {plain(a)}) / P(k | {plain(b)}); none where k never stands near {plain(b)}.",
            ),
            "few": st.column_config.TextColumn("Few counts"),
        },
        alt=f"Probabilities of the probes near {a} and near {b}, and their ratios",
    )
    st.caption(
        f"A ratio far above 1 belongs to {plain(a)}, one far below 1 to {plain(b)}; near 1 it belongs to both or to "
        f"neither. Rows marked {MARK} were seen fewer than {FEW} times near one of the two: another text may well give "
        "another ratio."
    )
    _download(rows, a, b)


def _count_column(title: str, weighting: Weighting) -> ColumnConfig:
    return st.column_config.NumberColumn(title, format="localized" if weighting == "flat" else "%.2f")


def _ratio_row(row: RatioRow) -> dict[str, object]:
    return {
        "probe": row.probe,
        "count_a": row.count_a,
        "p_a": row.p_a,
        "count_b": row.count_b,
        "p_b": row.p_b,
        "ratio": float("nan") if row.ratio is None else row.ratio,
        "few": f"{MARK} fewer than {FEW}" if row.few else "",
    }


def _download(rows: list[RatioRow], a: str, b: str) -> None:
    columns = (
        "probe",
        f"count near {a}",
        f"P(k | {a})",
        f"count near {b}",
        f"P(k | {b})",
        "ratio",
        "few counts",
    )
    table = [
        (
            row.probe,
            f"{row.count_a:g}",
            f"{row.p_a:.6g}",
            f"{row.count_b:g}",
            f"{row.p_b:.6g}",
            "" if row.ratio is None else f"{row.ratio:.6g}",
            "yes" if row.few else "no",
        )
        for row in rows
    ]
    csv_button(columns, table, "cooccurrence.csv", "cooccurrence.csv")


def _show_tops(counts: Cooccurrence, a: str, b: str) -> None:
    """The words most often near a and near b; those in one list only are what the two do not share."""
    tops = {word: counts.top(word, TOP) for word in (a, b)}
    shared = {neighbour.word for neighbour in tops[a]} & {neighbour.word for neighbour in tops[b]}
    for place, (word, top) in zip(st.columns(2), tops.items()):
        with place, st.container(border=True):
            st.markdown(f"**Most often near {plain(word)}**")
            frame = pd.DataFrame(
                {
                    "word": [neighbour.word for neighbour in top],
                    "count": [neighbour.count for neighbour in top],
                    "probability": [neighbour.probability for neighbour in top],
                    "only": [neighbour.word not in shared for neighbour in top],
                }
            )
            st.dataframe(
                frame,
                hide_index=True,
                height="content",
                column_config={
                    "word": st.column_config.TextColumn("Word"),
                    "count": _count_column("Count", counts.weighting),
                    "probability": st.column_config.NumberColumn("P", format=PROBABILITY),
                    "only": st.column_config.CheckboxColumn("Only here", width="small"),
                },
                alt=f"The words most often near {word}",
            )
    st.caption(
        "Words that are frequent everywhere lead both lists: single counts say little, ratios cancel them out."
    )
