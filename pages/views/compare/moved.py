"""Changes by the source task: words and their neighbours, layers and what can be read from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from pages.components.charts.grid import (
    probes_by_layer,
    similarity_by_layer,
    weights_by_layer,
    words_before_and_after,
)
from pages.components.choice import one_of
from pages.components.computing import computed
from pages.components.downloads import csv_button
from pages.components.guard import guard, plain
from pages.components.kept import resources
from pages.components.missing_encoder import encoder_ready
from tl_core.data.examples import Examples
from tl_core.encoders.adapted import read_starting_point
from tl_core.outcomes.moved import MovedWords, MovingSource, moved_layers, moved_words
from tl_core.runs.store import Store
from tl_core.vectors.search import Neighbour

MOST_TEXTS = 1_000


def show_moved(store: Store, sources: Sequence[MovingSource], examples: Examples | None) -> None:
    """Words for a source on word vectors, layers for one on an encoder; one model at a time."""
    moving = {source.title: source for source in sources if source.kind.moves}
    if not moving:
        st.info("This comparison has no source, so nothing was moved. Choose one for the next.")
        return
    titles = {title: title for title in moving}
    chosen = moving[one_of("Model", titles, key="moved.source") if len(moving) > 1 else next(iter(moving))]
    with guard():
        if chosen.kind.on_words:
            _show_words(store, chosen.folder, chosen.vectors)
        elif encoder_ready(store, read_starting_point(chosen.folder).base.name, "moved"):
            _show_layers(store, chosen.folder, examples)


def _show_words(store: Store, folder: Path, vectors: str) -> None:
    st.markdown("**Words that the source task moved most**")
    moved = _moved_words(str(folder), vectors, store)
    st.caption(
        f"Of its {len(moved.words):,} most frequent words that began with a pretrained vector, {moved.movement.moved:,} "
        "moved. Neighbours are searched among these words."
    )
    rows = [
        (moved_word.word, moved_word.distance, _listed(moved_word.before), _listed(moved_word.after))
        for moved_word in moved.movement.most
    ]
    st.dataframe(
        pd.DataFrame(rows, columns=["word", "distance", "before", "after"]),
        hide_index=True,
        height=390,
        column_config={
            "word": st.column_config.TextColumn("Word", pinned=True),
            "distance": st.column_config.NumberColumn(
                "Distance", format="%.2f", help="Cosine, 0 to 2.", width="small"
            ),
            "before": st.column_config.TextColumn("Neighbours before", width="large"),
            "after": st.column_config.TextColumn("Neighbours after", width="large"),
        },
        alt="Words that moved most, with their neighbours before and after",
    )
    csv_button(("word", "distance", "before", "after"), rows, "moved_words.csv", "moved.words.csv")
    st.plotly_chart(
        words_before_and_after(moved), key="moved.map", alt="The same words on a map, before and after"
    )


def _listed(neighbours: Sequence[Neighbour]) -> str:
    return ", ".join(neighbour.word for neighbour in neighbours)


@st.cache_resource(show_spinner="Comparing the words", max_entries=4)
def _moved_words(folder: str, vectors: str, _store: Store) -> MovedWords:
    return moved_words(Path(folder), resources.vectors(_store, vectors))


def _show_layers(store: Store, folder: Path, examples: Examples | None) -> None:
    st.markdown("**How far each layer moved**")
    if examples is None:
        st.text("The texts of this comparison are not here, so its layers cannot be compared.")
        return
    drawn = np.random.default_rng(0).permutation(len(examples))[:MOST_TEXTS]
    chosen = examples.take(sorted(drawn.tolist()))
    targets = np.array([chosen.classes.index(label) for label in chosen.labels])
    moved = computed(
        ("moved layers", str(folder), hash(chosen.texts)),
        lambda: moved_layers(store, folder, chosen.texts, targets),
        "Compare the layers",
    )
    st.caption(
        f"Measured on {len(chosen):,} texts of the target: the relative change of the weights, how alike the states are "
        "(debiased linear CKA: Kornblith et al. 2019, Song et al. 2012), and how well a linear probe reads the target's "
        "classes from each layer."
    )
    if moved is None:
        return
    left, right = st.columns(2, gap="medium")
    with left:
        st.plotly_chart(
            weights_by_layer(moved), key="moved.weights", alt="Relative change of weights by layer"
        )
    with right:
        st.plotly_chart(
            similarity_by_layer(moved), key="moved.similarity", alt="Similarity of states by layer"
        )
    if moved.before is None or moved.after is None:
        st.caption("There is no probe: these texts do not hold two classes with two texts each.")
    else:
        st.plotly_chart(
            probes_by_layer(moved.before, moved.after), key="moved.probes", alt="Accuracy of a probe by layer"
        )
    for note in moved.weights.notes:
        st.caption(plain(note))
