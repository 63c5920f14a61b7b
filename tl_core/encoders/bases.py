"""Name and place of an encoder: packaged, a local folder, or the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tl_core.convert import from_json
from tl_core.encoders.catalog import ENCODERS
from tl_core.errors import ModelError
from tl_core.settings import Settings

Kind = Literal["packaged", "folder", "hub"]
HUB_NAME = re.compile(r"(?:[A-Za-z0-9][\w.-]{0,63}/)?[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
REVISION = re.compile(r"[\w.-]{0,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class EncoderBase:
    """The untrained encoder that a model stands on; `name` is a path if `kind` is folder.

    `revision` fixes a hub model to one state of its repository; empty is the newest.
    """

    kind: Kind
    name: str
    revision: str = ""


def read_base(values: object) -> EncoderBase:
    """The base that a record names; ModelError if it names none."""
    try:
        base = from_json(EncoderBase, values)
    except ValueError:
        base = None
    if base is None or not base.name or (base.kind == "hub" and not _is_hub_base(base)):
        raise ModelError(
            "{values!r} names no encoder. It needs a kind ({kinds}) and a name: save the model again.",
            values=values,
            kinds=", ".join(get_args(Kind)),
        )
    return base


def _is_hub_base(base: EncoderBase) -> bool:
    return _is_hub_name(base.name) and REVISION.fullmatch(base.revision) is not None


def find_encoder(name: str, settings: Settings) -> EncoderBase:
    """The encoder that a person means by `name`; ModelError if it cannot be any.

    A packaged name comes first, then a folder that exists, then a name on the hub. Nothing is
    loaded, and the hub is not asked.
    """
    name = name.strip()
    if any(card.name == name for card in ENCODERS):
        return EncoderBase("packaged", name)
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(
                "The folder {name} has no config.json. Choose a folder that a model was saved in.", name=name
            )
        return EncoderBase("folder", str(folder.resolve()))
    if _is_hub_name(name):
        return EncoderBase("hub", name)
    raise ModelError(
        "{name!r} is no encoder. It must be one of {packaged_names}, a folder with a config.json, "
        "or a name on the hub such as bert-base-uncased or monologg/koelectra-small-v3-discriminator.",
        name=name,
        packaged_names=packaged_names(),
    )


def packaged_names() -> str:
    """The names of the packaged encoders, for a sentence."""
    return ", ".join(card.name for card in ENCODERS)


def _is_hub_name(name: str) -> bool:
    return HUB_NAME.fullmatch(name) is not None and ".." not in name and "--" not in name
