"""A training's position on disk: tensors in safetensors, the rest in JSON, whole or absent.

accelerate's own saving pickles; this does not. A checkpoint is a folder that is written under
another name and moved into place, and the one before it is removed after that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PREFIX = "step-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was saved: named tensors and plain facts."""

    tensors: dict[str, torch.Tensor]
    facts: dict[str, Any]


def save_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, torch.Tensor], facts: Mapping[str, Any]
) -> None:
    """Write the checkpoint of `step` into `folder` and drop the earlier ones."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / "writing"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    save_file(ready, aside / "tensors.safetensors")
    (aside / "facts.json").write_text(json.dumps(dict(facts)), encoding="utf-8")
    place = folder / f"{PREFIX}{step:09d}"
    if place.exists():  # a resumed training came to the same step with the same weights
        shutil.rmtree(aside)
    else:
        aside.rename(place)
    for other in folder.glob(f"{PREFIX}*"):
        if other != place:
            shutil.rmtree(other, ignore_errors=True)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint in `folder`; None if there is none."""
    from safetensors.torch import load_file

    for place in sorted(folder.glob(f"{PREFIX}*"), reverse=True):
        facts = json.loads((place / "facts.json").read_text(encoding="utf-8"))
        return Checkpoint(load_file(place / "tensors.safetensors"), facts)
    return None
