"""Home: what this is, what is installed here, where to start."""

import pandas as pd
import streamlit as st

from pages.components.guard import guard, plain
from pages.components.kept import resources
from pages.components.missing_encoder import encoder_ready
from pages.components.navigation import through_app
from tl_core.catalog.missing import missing_encoder
from tl_core.catalog.readers import SHIPPED, ShippedReader
from tl_core.catalog.sources import shipped_sources
from tl_core.data.samples import SAMPLES
from tl_core.encoders.catalog import ENCODERS
from tl_core.encoders.installed import EncoderFacts, facts
from tl_core.vectors.catalog import packaged_vectors
from tl_core.wording import bytes_text

WORK_TITLES = {"encoder": "Encoders", "words": "networks on word vectors"}
TO_FETCH = "its encoder is to be fetched first"


def reader_state(reader: ShippedReader) -> str:
    if not reader.folder.is_dir():
        return "missing, get the assets again"
    return "ready" if is_ready(reader.name) else TO_FETCH


def encoder_state(name: str, encoder_facts: EncoderFacts) -> str:
    if encoder_facts.installed:
        return "ready, works offline"
    return encoder_facts.why_not if is_ready(name) else "to be fetched first"


def is_ready(name: str) -> bool:
    return missing_encoder(store, name) is None


through_app()
store = resources.store()
st.title("Transfer learning on text")
st.markdown(
    "Take a model that has read a lot, give it your few labelled rows, and see, on rows it has never seen, "
    "whether that beats starting from nothing."
)
with st.container(horizontal=True):
    if st.button("Fine-tune on a table", type="primary", icon=":material/tune:"):
        st.switch_page("pages/fine_tune.py")
    if st.button("See what a source is worth", icon=":material/show_chart:"):
        st.switch_page("pages/compare.py")
    if st.button("Ask a text a question", icon=":material/menu_book:"):
        st.switch_page("pages/reading.py")
    if st.button("Explore word vectors", icon=":material/scatter_plot:"):
        st.switch_page("pages/vectors.py")
    if st.button("Look into attention", icon=":material/grid_on:"):
        st.switch_page("pages/attention.py")
    if st.button("Earlier runs", icon=":material/list:"):
        st.switch_page("pages/runs.py")

st.subheader("Installed here")
with st.container(border=True):
    st.markdown("**Encoders**")
    rows = []
    for card in ENCODERS:
        encoder_facts = facts(card)
        rows.append(
            {
                "encoder": card.title,
                "name": card.name,
                "state": encoder_state(card.name, encoder_facts),
                "languages": card.languages,
                "layers": encoder_facts.layers or None,
                "width": encoder_facts.width or None,
                "heads": encoder_facts.heads or None,
                "parameters": f"{encoder_facts.parameters / 1e6:.1f} M" if encoder_facts.installed else "",
                "vocabulary": f"{encoder_facts.vocabulary:,}" if encoder_facts.installed else "",
                "licence": card.licence,
            }
        )
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder="")
    for card in ENCODERS:
        encoder_ready(store, card.name, f"home.{card.name}")

left, right = st.columns(2)
with left, st.container(border=True, height="stretch"):
    st.markdown("**Word vectors**")
    vectors = packaged_vectors()
    if vectors is None:
        st.text("None. Install the packages of requirements.txt.")
    else:
        st.text(f"{vectors.name}: {vectors.words:,} words, {vectors.width} dimensions ({vectors.licence})")
    st.markdown("**Readers**")
    for reader in SHIPPED:
        st.text(f"{reader.title}: {reader_state(reader)}")
    st.markdown("**Sample data**")
    for sample in SAMPLES:
        st.text(f"{sample.title}: {len(resources.sample_table(sample.name).rows)} rows, {sample.role} task")
with right, st.container(border=True, height="stretch"):
    st.markdown("**Sources for a transfer**")
    for source in shipped_sources():
        st.text(f"{source.title} ({source.languages}){'' if is_ready(source.name) else f': {TO_FETCH}'}")
    st.markdown("**This machine**")
    with guard(), st.spinner("Looking at the devices"):
        machine = resources.devices()
        for device in machine["devices"]:
            arithmetic = "bfloat16" if device["bfloat16"] else "float32"
            st.text(f"{device['name']}: {bytes_text(device['memory'])} of memory, trains in {arithmetic}")
        works: dict[str, list[str]] = {}
        for work, chosen in machine["chosen"].items():
            works.setdefault(f"on the {chosen['title']}. {chosen['why']}", []).append(WORK_TITLES[work])
        for why, titles in works.items():
            st.caption(plain(f"{' and '.join(titles)} train {why}"))
        for line in machine["advice"]:
            st.warning(plain(line), icon=":material/memory:")
        st.caption(f"torch {machine['torch']}; trainings run in a process of their own, one after another.")
