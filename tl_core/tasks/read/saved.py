"""A reader on disk: what training changed in its encoder, its span head, and what was measured of it.

`encoder.json` names the base, `adapter/` or `encoder.safetensors` holds what was trained,
`head.safetensors` the span head, `reader.json` the calibration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.convert import from_json, to_json
from tl_core.encoders.adapted import (
    StartingPoint,
    load_merged,
    read_facts,
    read_starting_point,
    read_tensors,
    write_facts,
)
from tl_core.encoders.load import Encoder
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.read.calibration import Calibration
from tl_core.tasks.read.network import make_reader_network

if TYPE_CHECKING:
    import torch

    from tl_core.tasks.read.reader import Reader

HEAD = "head.safetensors"
FACTS = "reader.json"
TASK = "read"


def save_reader(folder: Path, start: StartingPoint, encoder: Encoder, network: torch.nn.Module) -> None:
    """Write head and facts beside what the encoder's own saver wrote."""
    from safetensors.torch import save_file

    parameters = network.head.named_parameters()  # type: ignore[union-attr]
    save_file({name: parameter.detach().cpu().contiguous() for name, parameter in parameters}, folder / HEAD)
    facts = {
        "task": TASK,
        "family": encoder.family.model_type,
        "pad_id": encoder.pad_id,
        "token_types": encoder.family.type_ids,
        "precision": "auto",
    }
    write_facts(folder, start, facts)


def write_calibration(folder: Path, calibration: Calibration, measured: dict[str, Any] | None = None) -> None:
    """Write `reader.json`: the calibration and, for a card, what was measured."""
    text = json.dumps({"calibration": to_json(calibration), "measured": measured or {}}, indent=1)
    (folder / FACTS).write_text(text, encoding="utf-8")


def read_calibration(folder: Path) -> Calibration:
    """The calibration that `write_calibration` wrote; nothing fitted, where it is missing. ModelError if it is broken."""
    try:
        values = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return from_json(Calibration, values["calibration"])
    except FileNotFoundError:
        return Calibration()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError("{folder} is damaged ({error}).", folder=folder / FACTS, error=error) from error


def read_head(folder: Path | None) -> dict[str, torch.Tensor] | None:
    """The span head that an earlier training left; None if it left none, or another task's."""
    if folder is None or not (folder / HEAD).is_file():
        return None
    if read_facts(folder).get("task") != TASK:
        return None
    head = read_tensors(folder / HEAD)
    if set(head) != {"weight", "bias"} or head["weight"].shape[0] != 2:
        raise ModelError("{folder} is not a span head.", folder=folder / HEAD)
    return {name: tensor.float() for name, tensor in head.items()}


def load_reader(folder: Path, settings: Settings, *, title: str = "", device: str = "") -> Reader:
    """The reader saved in `folder`, its adapter merged, on `device` ('' for the best one).

    ModelError if a part is missing or does not fit.
    """
    import torch

    from tl_core.tasks.read.reader import Reader
    from tl_core.training.devices import best_device

    if not folder.is_dir():
        raise ModelError(
            "{folder} does not exist: the reader was not trained, or it was deleted.", folder=folder
        )
    head = read_head(folder)
    if head is None:
        raise ModelError(
            "{folder} holds no reader. Choose a run that was trained on questions.", folder=folder.name
        )
    encoder = load_merged(read_starting_point(folder), settings)
    network = make_reader_network(encoder)
    try:
        network.head.load_state_dict(head)  # type: ignore[union-attr, operator]
    except RuntimeError as error:
        raise ModelError("The span head in {folder} does not fit its encoder.", folder=folder) from error
    network.to(torch.device(device) if device else best_device()).requires_grad_(False)
    return Reader(encoder, network, title=title or folder.name, calibration=read_calibration(folder))
