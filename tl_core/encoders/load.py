"""From a name to an encoder that is ready to use: its folder, its tokenizer, its model.

Weights come from safetensors, or from PyTorch files read without unpickling objects; code in a
model's repository is never run. Each call loads anew: who shares an encoder must not train it.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tl_core.encoders.bases import EncoderBase, find_encoder
from tl_core.encoders.families import Family, family_of
from tl_core.encoders.folders import check_files, e5_path, encoder_folder, tokenizer_of
from tl_core.errors import ConfigError, ModelError
from tl_core.settings import Settings

if TYPE_CHECKING:
    import torch
    from tokenizers import Tokenizer

__all__ = [
    "Encoder",
    "EncoderBase",
    "encoder_folder",
    "find_encoder",
    "load_encoder",
    "tokenizer_of",
]

ATTENTIONS = ("sdpa", "eager")
UNLIMITED_TOKENS = 512  # for families with relative positions


@dataclass(frozen=True, slots=True)
class Encoder:
    """A base model in evaluation mode with everything needed to feed it; D is `width`, L `layers`."""

    name: str
    model: torch.nn.Module
    tokenizer: Tokenizer
    family: Family
    width: int
    layers: int
    max_tokens: int  # the most that the model takes, special tokens included
    pad_id: int
    base: EncoderBase

    def with_model(self, model: torch.nn.Module) -> Encoder:
        """The same encoder around another model, such as one under an adapter."""
        return dataclasses.replace(self, model=model)


def load_encoder(base: EncoderBase, settings: Settings, *, attention: str = "sdpa") -> Encoder:
    """An encoder on the CPU in float32. `attention` is `sdpa`, or `eager` to see attention maps.

    Families without sdpa get eager. ModelError if the encoder cannot be found, read or trusted.
    """
    if attention not in ATTENTIONS:
        raise ConfigError(
            "attention must be one of {attentions}; got {attention!r}.",
            attentions=", ".join(ATTENTIONS),
            attention=attention,
        )
    folder = encoder_folder(base, settings)
    family = family_of(_read_config(folder).get("model_type", ""))
    tokenizer = tokenizer_of(base, settings)
    e5 = e5_path(base)
    if e5 is not None:
        from tl_core.encoders.packaged_e5.model import build_e5_model, read_e5

        model: Any = build_e5_model(read_e5(e5), attention)
    else:
        check_files(base, ".safetensors", settings)
        model = _load_model(folder, family, attention)
    return _assemble(_pinned(base, folder), model, tokenizer, family)


def _assemble(base: EncoderBase, model: Any, tokenizer: Tokenizer, family: Family) -> Encoder:
    config = model.config
    if tokenizer.get_vocab_size() > config.vocab_size:
        raise ModelError(
            "The tokenizer of {base} has {tokenizer} pieces, but the model's table "
            "has {vocab_size} rows. Use a folder whose tokenizer belongs to its weights.",
            base=base.name,
            tokenizer=tokenizer.get_vocab_size(),
            vocab_size=config.vocab_size,
        )
    positions = getattr(config, "max_position_embeddings", None) or 0
    filler = [
        token_id for token_id in (config.pad_token_id, config.eos_token_id) if isinstance(token_id, int)
    ]
    return Encoder(
        name=base.name,
        model=model.eval(),
        tokenizer=tokenizer,
        family=family,
        width=config.hidden_size,
        layers=config.num_hidden_layers,
        max_tokens=positions - family.position_offset if positions > 0 else UNLIMITED_TOKENS,
        pad_id=(filler or [0])[0],
        base=base,
    )


def _pinned(base: EncoderBase, folder: Path) -> EncoderBase:
    """A hub base with the commit that was loaded: the hub's cache names its folders so."""
    is_commit = base.kind == "hub" and len(folder.name) == 40
    return dataclasses.replace(base, revision=folder.name) if is_commit else base


def _load_model(folder: Path, family: Family, attention: str) -> Any:
    import torch
    from transformers import MODEL_MAPPING, AutoConfig

    _quiet()
    options = {"add_pooling_layer": False} if family.has_pooler else {}
    try:
        config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
        model_class: Any = MODEL_MAPPING[type(config)]
        model, report = model_class.from_pretrained(
            str(folder),
            config=config,
            attn_implementation=attention if model_class._supports_sdpa else "eager",
            dtype=torch.float32,
            local_files_only=True,
            weights_only=True,
            output_loading_info=True,
            **options,
        )
    except Exception as error:  # a foreign folder can break anything
        raise ModelError(_unreadable(folder, error)) from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            "The weights in {folder} lack {missing} tensors that a {family} needs, among them "
            "{first_missing}. Use a folder whose weights belong to its config.json.",
            folder=folder,
            missing=len(missing),
            family=family.title,
            first_missing=", ".join(missing[:3]),
        )
    return model


def _quiet() -> None:
    """No progress bars, and no report of unused heads, which would look like an error."""
    from transformers.utils import logging

    quiet: Any = logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()


def _unreadable(folder: Path, error: Exception) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return f"The model in {folder} cannot be loaded ({reason}). Use a folder that transformers saved whole."


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(_unreadable(folder, error)) from error
    if not isinstance(config, dict):
        raise ModelError(
            "{folder} is not a JSON object. Save the model again.", folder=folder / "config.json"
        )
    return config
