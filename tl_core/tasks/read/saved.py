"""A reader on disk: what training changed in its encoder, its span head, and what was measured of it.

`encoder.json` names the base, `adapter/` or `encoder.safetensors` holds what was trained,
`head.safetensors` the span head, `reader.json` threshold and calibration.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tl_core.encoders.adapted import StartingPoint, read_tensors, write_facts
from tl_core.encoders.load import Encoder
from tl_core.errors import ModelError

if TYPE_CHECKING:
    import torch

HEAD = "head.safetensors"
FACTS = "reader.json"


def save_reader(folder: Path, start: StartingPoint, encoder: Encoder, network: torch.nn.Module) -> None:
    """Write head and facts beside what the encoder's own saver wrote."""
    from safetensors.torch import save_file

    parameters = network.head.named_parameters()  # type: ignore[union-attr]
    save_file({name: each.detach().cpu().contiguous() for name, each in parameters}, folder / HEAD)
    facts = {
        "family": encoder.family.model_type,
        "task": "read",
        "pad_id": encoder.pad_id,
        "token_types": encoder.family.type_ids,
    }
    write_facts(folder, start, facts)


def read_head(folder: Path | None) -> dict[str, torch.Tensor] | None:
    """The span head that an earlier training left; None if it left none, or another task's."""
    if folder is None or not (folder / HEAD).is_file():
        return None
    head = read_tensors(folder / HEAD)
    if set(head) != {"weight", "bias"}:
        raise ModelError(f"{folder / HEAD} is not a span head.")
    if head["weight"].shape[0] != 2 or (folder / "labels.json").exists():  # a classifier's
        return None
    return {name: each.float() for name, each in head.items()}
