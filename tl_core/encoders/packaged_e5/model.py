"""The packaged multilingual E5 as a model: 4-bit weights into transformers' BERT.

The word table, 96 of 117.5 million numbers, stays in 4 bits and frozen; all other weights become
float32 and can be trained. `e5_parse` reads the file, `e5_tokens` makes its tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_core.encoders.catalog import card_of
from tl_core.encoders.packaged_e5.file import E5File
from tl_core.encoders.packaged_e5.parse import read_e5
from tl_core.encoders.packaged_e5.tokens import build_e5_tokenizer
from tl_core.whole_files import write_whole

if TYPE_CHECKING:
    import torch
    from transformers import BertModel

    from tl_core.encoders.packaged_e5.word_table import QuantizedEmbedding

__all__ = ["build_e5_model", "build_e5_tokenizer", "dequantized_state", "e5_folder", "read_e5"]

FORM = 1  # raise it when `build_e5_tokenizer` changes, so that kept tokenizers are made anew
WORD_TABLE = "embeddings.word_embeddings.weight"
LINEAR = {  # the file's name -> the place in a BERT layer
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


def build_e5_model(file: E5File, attention: str = "sdpa") -> BertModel:
    """A BERT without a pooler in evaluation mode, its word table a `QuantizedEmbedding`."""
    import torch
    from transformers import BertConfig, BertModel

    chosen: dict[str, Any] = {**_config(file), "attn_implementation": attention}
    with torch.device("meta"):  # room for the word table in float32 is never taken
        model: Any = BertModel(BertConfig(**chosen), add_pooling_layer=False)
    embeddings = model.embeddings
    embeddings.word_embeddings = _word_table(file)
    model.load_state_dict({name: torch.from_numpy(weights) for name, weights in _weights(file)}, assign=True)
    positions = torch.arange(file.config.positions).expand(1, -1)
    embeddings.position_ids, embeddings.token_type_ids = positions, torch.zeros_like(positions)
    model.eval()
    return model  # type: ignore[no-any-return]


def dequantized_state(file: E5File, *, half: bool = False) -> dict[str, torch.Tensor]:
    """The state dict of a standard BertModel, word embeddings included; in float16 if `half`.

    For an export: 470 MB in float32.
    """
    import torch

    dtype = torch.float16 if half else torch.float32
    state = {WORD_TABLE: _word_table(file).dequantized(dtype)}
    return state | {name: torch.from_numpy(weights).to(dtype) for name, weights in _weights(file)}


def e5_folder(path: Path, cache: Path) -> Path:
    """The folder with the tokenizer.json and config.json of an E5 file, made once under `cache`."""
    ((_, sha256),) = card_of("e5").fingerprints
    folder = cache / "e5" / f"{sha256[:12]}-{FORM}"
    if not (folder / "tokenizer.json").is_file():
        file = read_e5(path)
        config = json.dumps({"model_type": "bert", **_config(file)}, indent=1)
        write_whole(folder / "config.json", config.encode())
        write_whole(folder / "tokenizer.json", build_e5_tokenizer(file).to_str().encode())
    return folder


def _config(file: E5File) -> dict[str, Any]:
    config, special = file.config, file.special
    return {
        "vocab_size": config.vocabulary,
        "hidden_size": config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "intermediate_size": config.feed_forward,
        "max_position_embeddings": config.positions,
        "type_vocab_size": config.types,
        "layer_norm_eps": config.epsilon,
        "pad_token_id": special.pad,
        "bos_token_id": special.begin,
        "eos_token_id": special.end,
    }


def _word_table(file: E5File) -> QuantizedEmbedding:
    from tl_core.encoders.packaged_e5.word_table import QuantizedEmbedding

    return QuantizedEmbedding(*file.blocks("emb.word", file.config.width), padding_idx=file.special.pad)


def _weights(file: E5File) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """All weights but the word table, under the names of transformers' BertModel."""
    width = file.config.width
    yield "embeddings.position_embeddings.weight", file.floats("emb.pos").reshape(-1, width)
    yield "embeddings.token_type_embeddings.weight", file.floats("emb.type").reshape(-1, width)
    yield "embeddings.LayerNorm.weight", file.floats("emb.ln.w")
    yield "embeddings.LayerNorm.bias", file.floats("emb.ln.b")
    for layer in range(file.config.layers):
        for short, place in LINEAR.items():
            inputs = file.config.feed_forward if short == "fo" else width
            yield f"encoder.layer.{layer}.{place}.weight", file.weights(f"l{layer}.{short}.w", inputs)
            yield f"encoder.layer.{layer}.{place}.bias", file.floats(f"l{layer}.{short}.b")
        for short, place in NORMS.items():
            yield f"encoder.layer.{layer}.{place}.weight", file.floats(f"l{layer}.{short}.w")
            yield f"encoder.layer.{layer}.{place}.bias", file.floats(f"l{layer}.{short}.b")
