"""Packaged encoders to fetch before an encoder, a reader, a source or a run can be used here."""

from __future__ import annotations

from tl_core.catalog.readers import shipped as shipped_reader
from tl_core.catalog.sources import base_of, open_source
from tl_core.catalog.sources import shipped as shipped_source
from tl_core.encoders.adapted import FACTS, read_starting_point
from tl_core.encoders.catalog import ENCODERS, EncoderCard
from tl_core.encoders.installed import is_here
from tl_core.runs.store import IDENTIFIER, Store


def missing_encoder(store: Store, name: str) -> EncoderCard | None:
    """The packaged encoder that `name` stands on (an encoder, a reader, a source or a run), if it is to be fetched first.

    None as well for what is none of these: whoever opens it will say so.
    """
    encoder = _encoder_under(store, name.strip())
    card = next((row for row in ENCODERS if row.name == encoder), None)
    return card if card is not None and card.wheel is not None and not is_here(card) else None


def _encoder_under(store: Store, name: str) -> str:
    reader = shipped_reader(name)
    if reader is not None:
        return read_starting_point(reader.folder).base.name if reader.folder.is_dir() else ""
    if shipped_source(name) is not None:
        return base_of(open_source(store, name))
    if IDENTIFIER.fullmatch(name):
        model = store.run(name).model
        return read_starting_point(model).base.name if (model / FACTS).exists() else ""
    return name
