"""A classifier on an encoder: a pooled layer, a linear head; every strategy that has an encoder shares it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tl_core.encoders.adapted import (
    ADAPTER,
    FACTS,
    StartingPoint,
    copy_state,
    load_merged,
    read_facts,
    read_starting_point,
    read_tensors,
    save_adapter,
    save_weights,
    write_facts,
)
from tl_core.encoders.batcher import Batcher
from tl_core.encoders.layers import cut_above
from tl_core.encoders.load import Encoder
from tl_core.encoders.pool import pool, unit_length
from tl_core.errors import ConfigError, ModelError
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import Probabilities
from tl_core.tasks.classify.forms import ENCODER, LABELS, ModelForm
from tl_core.training.batches import sorted_batches
from tl_core.training.devices import device_named
from tl_core.training.events import Progress, Training
from tl_core.training.precision import autocast, class_shares, resolve_precision

if TYPE_CHECKING:
    import torch

HEAD = "head.safetensors"
PREDICT_BATCH = 32


@dataclass(frozen=True, slots=True)
class Use:
    """Use of the encoder by this classifier: tokens kept, precision asked for, the layer (0 is the last).

    With `unit_length` each text's vector is divided by its own length before the head.
    """

    max_tokens: int
    precision: str
    layer: int = 0
    unit_length: bool = False


def make_encoder_network(
    encoder: Encoder, classes: int, dropout: float, *, of_unit_length: bool = False
) -> torch.nn.Module:
    """An nn.Module from a padded batch to logits (B, C): `.encoder`, pooling, length one if wanted, dropout, `.head`."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder.model
            self.dropout = torch.nn.Dropout(dropout)
            self.head = torch.nn.Linear(encoder.width, classes)
            torch.nn.init.normal_(self.head.weight, std=0.02)
            torch.nn.init.zeros_(self.head.bias)

        def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
            hidden = self.encoder(**batch).last_hidden_state
            pooled = pool(hidden, batch["attention_mask"], encoder.family.pooling)
            if of_unit_length:
                pooled = unit_length(pooled)
            logits: torch.Tensor = self.head(self.dropout(pooled))
            return logits

    return Network()


class EncoderClassifier:
    """A trained network with what is needed to use and to save it.

    `save_encoder(folder)` writes what training changed in the encoder.
    """

    def __init__(
        self,
        encoder: Encoder,
        network: torch.nn.Module,
        classes: tuple[str, ...],
        start: StartingPoint,
        use: Use,
        save_encoder: Callable[[Path], None],
    ) -> None:
        self.encoder, self.network, self.classes = encoder, network, classes
        self.start, self.use, self._save_encoder = start, use, save_encoder

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C), rows sum to one. Yields Progress in texts."""
        import torch

        network = self.network.eval()
        device = next(network.parameters()).device
        precision = resolve_precision(self.use.precision, device.type)
        batcher = Batcher(self.encoder, texts, self.use.max_tokens, device)
        probabilities = np.zeros((len(texts), len(self.classes)))
        done = 0
        for rows in sorted_batches(batcher.lengths, PREDICT_BATCH):
            with torch.inference_mode(), autocast(device, precision):
                logits = network(batcher(rows))
            probabilities[rows] = class_shares(logits)
            done += len(rows)
            yield Progress(done, len(texts))
        return probabilities

    def save(self, folder: Path) -> None:
        from safetensors.torch import save_file

        self._save_encoder(folder)
        parameters = self.network.head.named_parameters()  # type: ignore[union-attr]
        head = {name: parameter.detach().cpu().contiguous() for name, parameter in parameters}
        save_file(head, folder / HEAD)
        (folder / LABELS).write_text(json.dumps(self.classes, ensure_ascii=False), encoding="utf-8")
        facts = {
            "family": self.encoder.family.model_type,
            "pooling": self.encoder.family.pooling,
            "max_tokens": min(self.use.max_tokens, self.encoder.max_tokens),
            "pad_id": self.encoder.pad_id,
            "token_types": self.encoder.family.type_ids,
            "precision": self.use.precision,
            "layer": self.use.layer,
            "unit_length": self.use.unit_length,
        }
        write_facts(folder, self.start, facts)


def load_encoder_classifier(folder: Path, settings: Settings, device: torch.device) -> EncoderClassifier:
    """A saved classifier, its adapter merged; ModelError if a part is missing or does not fit."""
    start = read_starting_point(folder)
    facts = read_facts(folder)
    encoder = load_merged(start, settings)
    try:
        use = Use(
            int(facts["max_tokens"]),
            str(facts["precision"]),
            int(facts.get("layer", 0)),
            bool(facts.get("unit_length", False)),  # models of earlier versions have heads on plain vectors
        )
        encoder = cut_above(encoder, use.layer, str(facts.get("pooling", "auto")))
        classes = tuple(json.loads((folder / LABELS).read_text(encoding="utf-8")))
        head = read_tensors(folder / HEAD)
        network = make_encoder_network(encoder, len(classes), dropout=0.0, of_unit_length=use.unit_length)
        network.head.load_state_dict(head)  # type: ignore[union-attr, operator]
    except (OSError, ValueError, KeyError, RuntimeError, ConfigError) as error:
        raise ModelError("{folder} is not a whole classifier: {error}", folder=folder, error=error) from error
    return EncoderClassifier(
        encoder, network.to(device), classes, start, use, lambda target: copy_state(start, target)
    )


def _load(folder: Path, settings: Settings, device: str) -> EncoderClassifier:
    return load_encoder_classifier(folder, settings, device_named(device))


def _packages(folder: Path) -> tuple[str, ...]:
    """Packages that the predict.py of an exported model on an encoder needs, by the names of pip."""
    return (
        "numpy",
        "torch",
        "transformers",
        "safetensors",
        "tokenizers",
        *(("peft",) if (folder / ADAPTER).exists() else ()),
    )


ENCODER_FORM = ModelForm(ENCODER, FACTS, _load, "predict_classifier.py", (LABELS,), _packages)


def adapter_saver(encoder: Encoder, start: StartingPoint) -> Callable[[Path], None]:
    return lambda folder: save_adapter(encoder, folder, start)


def weights_saver(encoder: Encoder) -> Callable[[Path], None]:
    return lambda folder: save_weights(encoder, folder)
