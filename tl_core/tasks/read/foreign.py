"""A reader that others trained: a model with a question-answering head, from a folder or the hub.

Base and tokenizer come from `load_encoder` with all its checks; the head, one linear layer that
transformers calls `qa_outputs`, is read from the same checkpoint. No code of the model's repository
runs and no object is unpickled.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.encoders.load import encoder_folder, find_encoder, load_encoder
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.read.network import make_reader_network

if TYPE_CHECKING:
    import torch

    from tl_core.tasks.read.reader import Reader

HEAD = "qa_outputs."
BEAM_HEADS = ("start_logits.", "end_logits.")  # of XLNetForQuestionAnswering
CHECKPOINTS = (  # in the order in which transformers looks for them
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def load_foreign_reader(name: str, settings: Settings, *, device: str = "") -> Reader:
    """The model of a hub name or a local folder as a reader, on `device` ('' for the best one).

    It is not calibrated: its answers have scores but no probabilities. ModelError if there is no
    such model, it cannot be read or trusted, or it has no span head.
    """
    import torch

    from tl_core.tasks.read.reader import Reader
    from tl_core.training.devices import best_device

    base = find_encoder(name, settings)
    head = _read_head(base.name, encoder_folder(base, settings))
    encoder = load_encoder(base, settings)
    network = make_reader_network(encoder)
    try:
        network.head.load_state_dict(head)  # type: ignore[union-attr, operator]
    except RuntimeError as error:
        raise ModelError(
            "The span head of {base} does not fit its encoder, which gives {width} numbers a "
            "token. Get the model's files again.",
            base=base.name,
            width=encoder.width,
        ) from error
    network.eval().requires_grad_(False).to(torch.device(device) if device else best_device())
    return Reader(encoder, network, title=base.name)


def _read_head(name: str, folder: Path) -> dict[str, torch.Tensor]:
    """The span head in a model's folder: weight (2, D) and bias (2,), float32."""
    tensors = _tensors(folder, (HEAD, *BEAM_HEADS))
    head = {key.removeprefix(HEAD): tensor.float() for key, tensor in tensors.items() if key.startswith(HEAD)}
    if not head and tensors:
        raise ModelError(
            "{name} ends in XLNet's beam search head, which cannot be read: an answer's end is scored anew for "
            "each start. Choose a model with one span head, such as an XLNetForQuestionAnsweringSimple.",
            name=name,
        )
    if not head:
        raise ModelError(
            "{name} has no span head: it is an encoder that was not trained to answer questions. Train a "
            "reader on it first, or choose a model made for question answering (...ForQuestionAnswering).",
            name=name,
        )
    if set(head) != {"weight", "bias"} or head["weight"].ndim != 2:
        raise ModelError(
            "The question answering head of {name} is not one linear layer: it holds "
            "{head}. Choose another model.",
            name=name,
            head=", ".join(sorted(head)),
        )
    outputs = head["weight"].shape[0]
    if outputs != 2 or head["bias"].shape != (2,):
        raise ModelError(
            "The question answering head of {name} has {outputs} outputs a token; it must have 2, for an "
            "answer's start and end. Choose another model.",
            name=name,
            outputs=outputs,
        )
    return head


def _tensors(folder: Path, beginnings: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The tensors of a folder's checkpoint whose names begin so; the rest is left on disk if it can be."""
    for name in CHECKPOINTS:
        path = folder / name
        if path.is_file():
            files = _shards(path, beginnings) if path.suffix == ".json" else [path]
            read = _safe_tensors if "safetensors" in name else _old_tensors
            return {key: tensor for file in files for key, tensor in read(file, beginnings)}
    return {}


def _shards(index: Path, beginnings: tuple[str, ...]) -> list[Path]:
    """The files, beside their index, that hold tensors whose names begin so."""
    try:
        places: Mapping[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
        names = {Path(place).name for key, place in places.items() if key.startswith(beginnings)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(index, error) from error
    return [index.parent / name for name in sorted(names)]


def _safe_tensors(file: Path, beginnings: tuple[str, ...]) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as content:
            for key in content.keys():  # noqa: SIM118  # it is no mapping
                if key.startswith(beginnings):
                    yield key, content.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def _old_tensors(file: Path, beginnings: tuple[str, ...]) -> Iterator[tuple[str, torch.Tensor]]:
    import torch

    try:
        mapped = zipfile.is_zipfile(file)  # files from before 2020 are no zip and cannot be mapped
        content: Any = torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
        wanted = {key: value for key, value in content.items() if key.startswith(beginnings)}
        tensors = [(key, tensor) for key, tensor in wanted.items() if isinstance(tensor, torch.Tensor)]
    except Exception as error:  # a foreign pickle can break anything
        raise _unreadable(file, error) from error
    yield from tensors


def _unreadable(path: Path, error: Exception) -> ModelError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return ModelError(
        "{path} cannot be read as plain tensors ({reason}). Use a model that transformers saved whole, "
        "best as safetensors.",
        path=path,
        reason=reason,
    )
