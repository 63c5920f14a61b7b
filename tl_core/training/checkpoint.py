"""A training's position on disk: tensors in safetensors, the rest in JSON, whole or absent.

accelerate's own saving pickles; this does not. A checkpoint is a folder that is written under
another name and moved into place, and the one before it is removed after that. It is read as a copy:
a mapped file could not be removed on Windows.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.errors import StillInUse
from tl_core.whole_files import folder_aside, patiently, read_whole, remove

if TYPE_CHECKING:
    import torch

PREFIX = "step-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A saved state: named tensors and plain facts."""

    tensors: dict[str, torch.Tensor]
    facts: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
) -> None:
    """Write the checkpoint of `step` into `folder` and drop the earlier ones."""
    from safetensors.torch import save_file

    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    place = folder / f"{PREFIX}{step:09d}"
    if not place.exists():  # a resumed training comes to the same step with the same weights
        with folder_aside(place) as aside:
            save_file(ready, aside / "tensors.safetensors")
            (aside / "facts.json").write_text(json.dumps(dict(facts)), encoding="utf-8")
    with contextlib.suppress(StillInUse):  # an older one that somebody reads goes with the next
        remove(*(other for other in folder.glob(f"{PREFIX}*") if other != place))


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint in `folder`; None if there is none."""
    for place in sorted(folder.glob(f"{PREFIX}*"), reverse=True):
        facts = json.loads(read_whole(place / "facts.json"))
        return Checkpoint(read_tensors(place / "tensors.safetensors"), facts)
    return None


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a safetensors file by name, as a copy that keeps no file open or mapped.

    OSError or SafetensorError if there is no such file or it is damaged.
    """
    from safetensors import safe_open

    with patiently(lambda: safe_open(path, framework="pt"), path) as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (it is no mapping)
