"""The encoder of an exported run, for the predict.py beside this file.

The files `encoder.json` (how the encoder is used), `base/` (its config, and its weights if they are
carried), `encoder.safetensors` and `adapter/` (what was trained) lie beside it too. It imports
nothing of the project that wrote them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tl_core.errors import ModelError

FOLDER = Path(__file__).resolve().parent


def read_facts() -> dict[str, Any]:
    """Facts of how the encoder is used: special ids, lengths, where its base comes from."""
    facts: dict[str, Any] = json.loads((FOLDER / "encoder.json").read_text(encoding="utf-8"))
    return facts


def load_encoder(base: str, facts: dict[str, Any]) -> Any:
    """The encoder as it was trained, in float32, an adapter merged into it.

    Its base comes from `base` (a folder or a hub name) if that is given, else from the files here,
    else from the hub.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModel

    carried = FOLDER / "base"
    trained = FOLDER / "encoder.safetensors"
    weights = load_file(trained) if trained.exists() else {}
    options: dict[str, Any] = {"dtype": torch.float32, "trust_remote_code": False}
    if base or (carried / "model.safetensors").exists():
        model = AutoModel.from_pretrained(base or str(carried), **options)
    elif not facts["whole"]:
        revision = facts["base"].get("revision") or None
        model = AutoModel.from_pretrained(facts["hub"], revision=revision, **options)
    else:  # every weight was trained, so the base is not needed
        config = AutoConfig.from_pretrained(str(carried))
        model = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
    result = model.load_state_dict(weights, strict=False)
    if result.unexpected_keys:
        raise ModelError(
            "encoder.safetensors does not fit the base: {unexpected_keys}",
            unexpected_keys=result.unexpected_keys[:3],
        )
    if (FOLDER / "adapter").exists():
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(FOLDER / "adapter")).merge_and_unload()
    return model.eval()
