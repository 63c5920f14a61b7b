"""The parts on this machine of each packaged encoder, and how large it is.

Knows no torch: sizes are read from the files' headers, so a page can list them at once.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.catalog import EncoderCard, find_packaged
from tl_core.encoders.hub import on_this_machine
from tl_core.encoders.packaged_e5.parse import read_e5
from tl_core.errors import ModelError
from tl_core.pythons import this_python


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderFacts:
    """The size of a packaged encoder; zeros and a reason in `why_not` if it is not usable here."""

    installed: bool
    layers: int = 0
    width: int = 0
    heads: int = 0
    parameters: int = 0
    vocabulary: int = 0
    max_tokens: int = 0
    why_not: str = ""


def is_here(card: EncoderCard) -> bool:
    """Whether the encoder can be used without a network: its package, its fetched weights, or its hub form."""
    return find_packaged(card) is not None or _hub_form(card) is not None


def facts(card: EncoderCard) -> EncoderFacts:
    """The size of a packaged encoder by its own files; never raises ModelError."""
    place = find_packaged(card) or _hub_form(card)
    if place is None:
        return EncoderFacts(installed=False, why_not=_missing(card))
    try:
        return _folder_facts(place) if place.is_dir() else _e5_facts(place)
    except (ModelError, OSError, ValueError, KeyError) as error:
        why_not = f"The files of {card.distribution} cannot be read ({error}). Reinstall the package."
        return EncoderFacts(installed=False, why_not=why_not)


def _missing(card: EncoderCard) -> str:
    if card.wheel is None:
        return f"The package {card.distribution} is not installed here: pip install {card.distribution}."
    command = f"{this_python()} -m tl_core get {card.name}"
    return f"The package {card.distribution} is not installed here; `{command}` fetches its weights."


def _hub_form(card: EncoderCard) -> Path | None:
    """The folder of the unquantised model, where it was fetched from the hub because there is no package."""
    return on_this_machine(EncoderBase("hub", card.hub_name)) if card.wheel else None


def _folder_facts(folder: Path) -> EncoderFacts:
    config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return EncoderFacts(
        installed=True,
        layers=config["num_hidden_layers"],
        width=config["hidden_size"],
        heads=config["num_attention_heads"],
        parameters=_count_parameters(folder / "model.safetensors"),
        vocabulary=config["vocab_size"],
        max_tokens=config["max_position_embeddings"],
    )


def _count_parameters(path: Path) -> int:
    """Numbers in the floating-point tensors of a safetensors file, from its header alone."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)
    floats = (row for row in header.values() if "F" in row["dtype"])
    return sum(math.prod(row["shape"]) for row in floats)


def _e5_facts(path: Path) -> EncoderFacts:
    file = read_e5(path)
    return EncoderFacts(
        installed=True,
        layers=file.config.layers,
        width=file.config.width,
        heads=file.config.heads,
        parameters=sum(tensor.count for tensor in file.directory.values()),
        vocabulary=file.config.vocabulary,
        max_tokens=file.config.positions,
    )
