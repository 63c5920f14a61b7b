"""Words on a map: PCA, t-SNE or UMAP, in clusters, with how far the map is to be believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.charts.word_map import places_of, word_map_figure
from pages.components.downloads import csv_button
from pages.components.forms import knob_widgets
from pages.components.guard import guard, plain
from pages.components.kept import resources
from pages.views.vectors.map_words import choose_map_words
from tl_core.knobs import Knob, Value, knobs_of
from tl_core.runs.store import Store
from tl_core.vectors.clusters import Clusters
from tl_core.vectors.projection import FEWEST_WORDS, MapConfig, WordMap
from tl_core.vectors.search import batch_neighbours
from tl_core.vectors.space import WordVectors

METHODS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
KNOBS = {
    "pca": ("dimensions",),
    "tsne": ("dimensions", "perplexity", "iterations", "seed"),
    "umap": ("dimensions", "neighbours", "min_dist", "seed"),
}
SLOW_WORDS = 1_000  # of t-SNE and UMAP: beyond, the map waits for a click
MOST_CLUSTERS, CLUSTERS = 30, 6
MOST_SELECTED = 200
NEAR = 5


def show_map(store: Store, vectors: WordVectors, name: str) -> None:
    """Words and method above, the map with its honesty beside it, the selected words below."""
    st.caption(
        "Vectors have far more dimensions than a screen. A map keeps some of what is near, never all; it says how much."
    )
    with st.container(border=True):
        words = tuple(choose_map_words(vectors, name))
        config, number = _ask_map()
    if len(words) < FEWEST_WORDS:
        st.text(f"A map needs at least {FEWEST_WORDS} words.")
        return
    with guard():
        if not _may_draw(name, words, config):
            return
        word_map = resources.word_map(store, name, words, config)
        groups = resources.clusters(store, name, words, number) if number else None
        _show(vectors, words, word_map, groups, config)


def _ask_map() -> tuple[MapConfig, int]:
    method = st.segmented_control(
        "Method",
        list(METHODS),
        default="pca",
        required=True,
        format_func=lambda method_id: METHODS[method_id],
        key="map.method",
        help=next(knob.help for knob in knobs_of(MapConfig) if knob.name == "method"),
    )
    others = [knob.name for knob in knobs_of(MapConfig) if knob.name not in KNOBS[method]]
    values: dict[str, Value] = {"method": method}
    with st.container(horizontal=True):
        number = st.number_input(
            "Clusters",
            0,
            MOST_CLUSTERS,
            CLUSTERS,
            key="map.clusters",
            width=190,
            help="Groups found by k-means on the vectors themselves, not on the map; 0 for none.",
        )
        values |= knob_widgets(MapConfig, {}, "map", advanced=False, skip=others)
    if method == "tsne":
        with st.expander("More settings"):
            values |= knob_widgets(MapConfig, {}, "map", advanced=True, skip=others)
    return MapConfig(**values), number  # type: ignore[arg-type]


def _may_draw(name: str, words: tuple[str, ...], config: MapConfig) -> bool:
    """Whether the map is quick to draw, or the person has asked for it."""
    key = (name, hash(words), config)
    if config.method == "pca" or len(words) <= SLOW_WORDS or state.was_drawn(key):
        return True
    st.info(f"{METHODS[config.method]} of {len(words):,} words may take from half a minute to a few minutes.")
    if st.button("Draw the map", type="primary", icon=":material/scatter_plot:", key="map.draw"):
        state.draw_map(key)
        st.rerun()
    return False


def _show(
    vectors: WordVectors, words: Sequence[str], word_map: WordMap, groups: Clusters | None, config: MapConfig
) -> None:
    figure = word_map_figure(words, word_map.points, groups, word_map.variance)
    title = f"{len(words):,} words on a map by {METHODS[config.method]}"
    left, right = st.columns([4, 1], gap="medium")
    selected: list[int] = []
    with left:
        if config.dimensions == 2:
            event = st.plotly_chart(
                figure,
                key="map.chart",
                on_select="rerun",
                selection_mode=("lasso", "box", "points"),
                config={"displaylogo": False},
                alt=title,
            )
            selected = places_of(figure, event.selection.points)
        else:
            st.plotly_chart(figure, key="map.space", config={"displaylogo": False}, alt=title)
    with right:
        _show_trust(word_map, config, len(words))
        csv_button(*_coordinates(words, word_map, groups), "map.csv", "map.csv")
    if config.dimensions == 2:
        _show_selected(vectors, words, word_map, groups, selected)


def _show_trust(word_map: WordMap, config: MapConfig, count: int) -> None:
    """The share of true neighbours that the map keeps, and how it was made."""
    st.metric(f"Overlap@{word_map.k}", f"{word_map.overlap:.2f}")
    st.caption(
        f"(chance {word_map.chance:.2g}) The share of a word's {word_map.k} nearest words, by cosine among these "
        f"{count:,}, that are its nearest on the map, too."
    )
    settings = [f"{knob.title.lower()} {getattr(config, knob.name):,}" for knob in _used(config)]
    st.text(f"{METHODS[config.method]}, {', '.join(settings)}")
    if word_map.variance:
        st.caption(f"The axes hold {sum(word_map.variance):.0%} of what parts these words.")
    else:
        st.caption("Near words are kept together; the distance between groups means little.")
    for note in word_map.notes:
        st.caption(plain(note))


def _used(config: MapConfig) -> Iterator[Knob]:
    return (knob for knob in knobs_of(config) if knob.name in KNOBS[config.method])


def _coordinates(
    words: Sequence[str], word_map: WordMap, groups: Clusters | None
) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The columns and rows of the map as a table."""
    columns = ("word", *"xyz"[: word_map.points.shape[1]], "cluster", "kept share")
    rows: list[tuple[object, ...]] = [
        (
            word,
            *(f"{value:.5f}" for value in word_map.points[at]),
            groups.names[groups.labels[at]] if groups else "",
            f"{word_map.overlaps[at]:.2f}",
        )
        for at, word in enumerate(words)
    ]
    return columns, rows


def _show_selected(
    vectors: WordVectors,
    words: Sequence[str],
    word_map: WordMap,
    groups: Clusters | None,
    selected: Sequence[int],
) -> None:
    """The words inside the lasso, each with its nearest words among all."""
    if not selected:
        st.caption("Draw around words on the map, or click one, to see their true neighbours here.")
        return
    shown = selected[:MOST_SELECTED]
    rows = [vectors.vocabulary.row(words[at]) for at in shown]
    near = batch_neighbours(vectors, rows, NEAR)
    frame = pd.DataFrame(
        {
            "word": [words[at] for at in shown],
            "near": [", ".join(vectors.words[row] for row in line) for line in near],
            "kept": [word_map.overlaps[at] for at in shown],
            "cluster": [groups.names[groups.labels[at]] if groups else "" for at in shown],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(shown) <= 12 else 460,
        column_order=["word", "near", "kept", *(["cluster"] if groups else [])],
        column_config={
            "word": st.column_config.TextColumn("Word", width="small"),
            "near": st.column_config.TextColumn("Nearest of all words, by cosine", width="large"),
            "kept": st.column_config.NumberColumn(
                "Kept",
                format="%.2f",
                width="small",
                help=f"Share of its {word_map.k} nearest kept on the map.",
            ),
            "cluster": st.column_config.TextColumn("Cluster", width="medium"),
        },
        alt="The selected words with their true neighbours",
    )
    of = f"the first {len(shown):,} of {len(selected):,}" if len(shown) < len(selected) else f"{len(shown):,}"
    st.caption(f"Selected: {of}. Two clicks on an empty place of the map end the selection.")
