"""An encoder and what training made of it: base, trained weights, LoRA adapter; in memory and on disk.

A folder of trained encoder state holds `encoder.json` (the base and how it is used), and, if they
were trained, `encoder.safetensors` (weights that replace the base's) and `adapter/` (peft's form).
It never holds the base itself.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.convert import to_json
from tl_core.encoders.bases import read_base
from tl_core.encoders.load import Encoder, EncoderBase, load_encoder
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.training import checkpoint
from tl_core.whole_files import remove

if TYPE_CHECKING:
    import torch
    from peft import PeftModel

WEIGHTS = "encoder.safetensors"
ADAPTER = "adapter"
FACTS = "encoder.json"


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """The start of a training: a base, and the folder of an earlier training on it, if any."""

    base: EncoderBase
    trained: Path | None = None

    @property
    def adapter(self) -> Path | None:
        """The folder of the LoRA adapter that the earlier training left, if it left one."""
        return self.trained / ADAPTER if self.trained and (self.trained / ADAPTER).is_dir() else None

    @property
    def weights(self) -> Path | None:
        """The file of encoder weights that the earlier training left, if it left any."""
        return self.trained / WEIGHTS if self.trained and (self.trained / WEIGHTS).is_file() else None

    @property
    def bare(self) -> bool:
        """Whether nothing in the encoder was trained before."""
        return self.adapter is None and self.weights is None

    def rank_facts(self) -> dict[str, int]:
        """The rank of the adapter that is trained further, whatever the settings say; empty without one."""
        if self.adapter is None:
            return {}
        config = json.loads((self.adapter / "adapter_config.json").read_text(encoding="utf-8"))
        return {"adapter_rank": int(config["r"])}

    def fingerprint(self) -> str:
        """A text that differs between starting points whose features differ."""
        parts = [json.dumps(to_json(self.base), sort_keys=True)]
        if self.base.kind == "folder":
            parts += [
                f"{file.name} {file.stat().st_mtime_ns}" for file in sorted(Path(self.base.name).glob("*.*"))
            ]
        for file in (self.weights, self.adapter and self.adapter / "adapter_model.safetensors"):
            if file is not None:
                parts.append(hashlib.sha256(file.read_bytes()).hexdigest())
        return " ".join(parts)


def read_starting_point(folder: Path) -> StartingPoint:
    """The starting point that a trained model's folder is; ModelError if it holds no encoder.

    A base that the folder carries is named in it by its own name alone.
    """
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        base = read_base(facts["base"])
        if base.kind == "folder":
            base = EncoderBase("folder", str(folder / base.name))  # a whole path stays what it is
        return StartingPoint(base, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            "{folder} holds no trained encoder. Choose a run of a frozen, LoRA or full fine-tuning.",
            folder=folder.name,
        ) from error


def load_merged(start: StartingPoint, settings: Settings) -> Encoder:
    """The encoder as the earlier training left it, an adapter merged into its weights."""
    encoder = _with_weights(start, settings)
    if start.adapter is None:
        return encoder
    adapted = _read_adapter(encoder.model, start.adapter, trainable=False)
    return encoder.with_model(adapted.merge_and_unload())


def load_trainable(start: StartingPoint, settings: Settings) -> Encoder:
    """The encoder as `load_merged` gives it, every weight of it to be trained; quantised tables stay."""
    encoder = load_merged(start, settings)
    for parameter in encoder.model.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    return encoder


def load_with_adapter(
    start: StartingPoint, settings: Settings, *, rank: int, alpha: float, dropout: float
) -> Encoder:
    """The encoder under a trainable LoRA adapter (Hu et al. 2021) on every linear layer.

    An earlier training's adapter is trained further, with its own rank; else a new one begins,
    which at first changes nothing (its B is zero). All other weights are frozen.
    """
    from peft import LoraConfig, get_peft_model

    _quiet()
    encoder = _with_weights(start, settings)
    if start.adapter is not None:
        return encoder.with_model(_read_adapter(encoder.model, start.adapter, trainable=True))
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,  # type: ignore[arg-type]  # a float is what it computes with
        lora_dropout=dropout,
        target_modules="all-linear",
        bias="none",
    )
    return encoder.with_model(get_peft_model(encoder.model, config))


def _with_weights(start: StartingPoint, settings: Settings) -> Encoder:
    encoder = load_encoder(start.base, settings)
    if start.weights is not None:
        try:
            fitting = encoder.model.load_state_dict(read_tensors(start.weights), strict=False)
        except RuntimeError as error:  # tensors of other shapes
            raise ModelError(
                "{weights} does not fit the encoder {base}.", weights=start.weights, base=start.base.name
            ) from error
        if fitting.unexpected_keys:
            raise ModelError(
                "{weights} does not fit the encoder {base}.", weights=start.weights, base=start.base.name
            )
    return encoder


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a safetensors file, as a copy; ModelError if it is missing or damaged."""
    from safetensors import SafetensorError

    try:
        return checkpoint.read_tensors(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            "{path} is not a readable safetensors file ({error}).", path=path, error=error
        ) from error


def _read_adapter(model: torch.nn.Module, folder: Path, *, trainable: bool) -> PeftModel:
    from peft import PeftModel

    _quiet()
    try:
        return PeftModel.from_pretrained(model, str(folder), is_trainable=trainable)  # type: ignore[arg-type]
    except Exception as error:  # a damaged file breaks peft in many ways
        raise ModelError(
            "The adapter in {folder} cannot be read ({name}).", folder=folder, name=type(error).__name__
        ) from error


def _quiet() -> None:
    """peft asks transformers for a property under its old name, which would be told to every user."""
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)


def has_frozen_words(encoder: Encoder) -> bool:
    """Whether the word table is quantised, so that no training can change it."""
    from tl_core.encoders.packaged_e5.word_table import QuantizedEmbedding

    return any(isinstance(module, QuantizedEmbedding) for module in encoder.model.modules())


def base_model(encoder: Encoder) -> Any:
    """The transformers model itself, without an adapter around it."""
    from peft import PeftModel

    model = encoder.model
    return model.get_base_model() if isinstance(model, PeftModel) else model


def use_plain_attention(encoder: Encoder) -> None:
    """Let the encoder compute attention as plain matrix products instead of one fused operation."""
    base_model(encoder).set_attn_implementation("eager")


def save_adapter(encoder: Encoder, folder: Path, start: StartingPoint) -> None:
    """Write an encoder under a LoRA adapter; weights of its starting point are copied along."""
    from peft import PeftModel

    model = encoder.model
    if not isinstance(model, PeftModel):
        raise TypeError("save_adapter needs an encoder that load_with_adapter made")
    model.peft_config["default"].base_model_name_or_path = start.base.name
    model.save_pretrained(str(folder / ADAPTER), save_embedding_layers=False)
    remove(folder / ADAPTER / "README.md")  # the run's card says more
    if start.weights is not None:
        shutil.copyfile(start.weights, folder / WEIGHTS)


def save_weights(encoder: Encoder, folder: Path) -> None:
    """Write all trained weights of an encoder; frozen tables stay with the base."""
    from safetensors.torch import save_file

    trained = {
        name: parameter.detach().cpu().contiguous()
        for name, parameter in encoder.model.named_parameters()
        if parameter.requires_grad
    }
    save_file(trained, folder / WEIGHTS)


def copy_state(start: StartingPoint, folder: Path) -> None:
    """Copy what an earlier training left on its base, so that the copy stands alone."""
    if start.weights is not None:
        shutil.copyfile(start.weights, folder / WEIGHTS)
    if start.adapter is not None:
        shutil.copytree(start.adapter, folder / ADAPTER, dirs_exist_ok=True)


def write_facts(folder: Path, start: StartingPoint, facts: dict[str, Any]) -> None:
    """Write `encoder.json`: the base, and how the encoder is used (pooling, tokens, precision)."""
    base = {"base": to_json(start.base)}
    text = json.dumps(base | facts | base, indent=1)  # also where the facts are those of another folder
    (folder / FACTS).write_text(text, encoding="utf-8")


def read_facts(folder: Path) -> dict[str, Any]:
    """The facts that `write_facts` wrote; ModelError if they are missing or broken."""
    try:
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            "{folder} holds no readable {facts}: the model is gone or damaged.", folder=folder, facts=FACTS
        ) from error
    if not isinstance(facts, dict):
        raise ModelError("{folder} is not a JSON object.", folder=folder / FACTS)
    return facts
