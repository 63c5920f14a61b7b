"""What an encoder is called and where it comes from: packaged, a local folder, or the hub."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

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

    def to_json(self) -> dict[str, Any]:
        """This base as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> EncoderBase:
        """The base that `to_json` wrote; ModelError if the object is not one."""
        kind, name, revision = (values.get(key, "") for key in ("kind", "name", "revision"))
        good = kind in get_args(Kind) and isinstance(name, str) and bool(name) and isinstance(revision, str)
        if good and kind == "hub":
            good = _is_hub_name(name) and REVISION.fullmatch(revision) is not None
        if not good:
            raise ModelError(
                f"{values!r} names no encoder. It needs a kind ({', '.join(get_args(Kind))}) and a name: "
                "save the model again."
            )
        return cls(kind, name, revision)


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
                f"The folder {name} has no config.json. Choose a folder that a model was saved in."
            )
        return EncoderBase("folder", str(folder.resolve()))
    if _is_hub_name(name):
        return EncoderBase("hub", name)
    raise ModelError(
        f"{name!r} is no encoder. It must be one of {packaged_names()}, a folder with a config.json, "
        "or a name on the hub such as bert-base-uncased or monologg/koelectra-small-v3-discriminator."
    )


def packaged_names() -> str:
    """The names of the packaged encoders, for a sentence."""
    return ", ".join(card.name for card in ENCODERS)


def _is_hub_name(name: str) -> bool:
    return HUB_NAME.fullmatch(name) is not None and ".." not in name and "--" not in name
