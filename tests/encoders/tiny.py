"""Tiny random encoders of every family, written to a folder in a moment: for tests everywhere.

Two layers, width 32, a small hand-written vocabulary with every printable ASCII character, so that
no ASCII text is unknown. Importing this module loads neither torch nor transformers.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TINY_TYPES = (
    "bert",
    "distilbert",
    "albert",
    "roberta",
    "xlm-roberta",
    "mpnet",
    "modernbert",
    "deberta",
    "deberta-v2",
    "electra",
    "xlnet",
    "gpt2",
)
WIDTH, LAYERS, HEADS, FEED_FORWARD, POSITIONS = 32, 2, 4, 64, 64

VOCABULARY = (
    "a an and are at bad best big book boy but by cat city day dog eat film food for from girl good great "
    "hate house i in is it king like long love man movie my new no not of old on one out queen read red "
    "saw she so story that the they this time to very was we well what where who with woman year you"
)
WORDS = tuple(VOCABULARY.split())
PIECES = ("ing", "ed", "ly", "er", "est", "s")
LETTERS = tuple(string.ascii_lowercase + string.digits)
MARKS = tuple(string.punctuation)


def write_tiny_encoder(folder: Path, model_type: str, seed: int = 0) -> Path:
    """Write config.json, model.safetensors and tokenizer files of a random encoder; gives the folder."""
    import torch
    from transformers import AutoConfig, AutoModel

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, special = tiny_tokenizer(model_type)
    tokenizer.save(str(folder / "tokenizer.json"))
    side = "left" if model_type == "xlnet" else "right"
    told = {"tokenizer_class": "PreTrainedTokenizerFast", "padding_side": side, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(told), encoding="utf-8")
    sizes = _sizes(model_type) | _special_ids(tokenizer, special)
    config = AutoConfig.for_model(model_type, vocab_size=tokenizer.get_vocab_size(), **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModel.from_config(config)
    model.save_pretrained(str(folder))
    return folder


def tiny_tokenizer(model_type: str) -> tuple[Tokenizer, dict[str, str]]:
    """A family's kind of tokenizer over the small vocabulary, and its special tokens by role."""
    if model_type in ("bert", "distilbert", "electra"):
        return _word_pieces()
    if model_type == "mpnet":
        return _word_pieces(pad="<pad>", cls="<s>", sep="</s>", mask="<mask>")
    if model_type in ("roberta", "gpt2", "modernbert", "deberta"):
        return _byte_pairs(model_type)
    return _unigrams(model_type)


def _word_pieces(**changes: str) -> tuple[Tokenizer, dict[str, str]]:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"} | changes
    cls, sep = special["cls"], special["sep"]
    pieces = [*special.values(), *LETTERS, *MARKS, *WORDS, *(f"##{piece}" for piece in (*LETTERS, *PIECES))]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _add_special(tokenizer, special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}",
        pair=f"{cls} $A {sep} $B:1 {sep}:1",
        special_tokens=[(cls, vocabulary[cls]), (sep, vocabulary[sep])],
    )
    return tokenizer, _roles(special)


def _byte_pairs(model_type: str) -> tuple[Tokenizer, dict[str, str]]:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    special = {"eos": "<|endoftext|>", "bos": "<|endoftext|>"}
    if model_type == "roberta":
        special = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>", "mask": "<mask>"}
    if model_type in ("modernbert", "deberta"):
        special = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    # Merging from the left letter by letter makes every beginning of a word a piece.
    words = [f"Ġ{word}" for word in WORDS[::3]]
    merges = list(dict.fromkeys((word[:at], word[at]) for word in words for at in range(1, len(word))))
    pieces = [*special.values(), *alphabet, *("".join(merge) for merge in merges)]
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    _add_special(tokenizer, special)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if model_type == "roberta":
        ends = [("</s>", vocabulary["</s>"]), ("<s>", vocabulary["<s>"])]
        tokenizer.post_processor = processors.RobertaProcessing(*ends, add_prefix_space=False)
        special |= {"cls": "<s>", "sep": "</s>"}
    if "cls" in special and model_type != "roberta":
        tokenizer.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B [SEP]",
            special_tokens=[(piece, vocabulary[piece]) for piece in ("[CLS]", "[SEP]")],
        )
    return tokenizer, _roles(special)


def _unigrams(model_type: str) -> tuple[Tokenizer, dict[str, str]]:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    special, single, pair = _UNIGRAM_FORMS[model_type]
    letters = dict.fromkeys((*LETTERS, *string.ascii_uppercase, *MARKS, "▁"), -8.0)
    words = {f"▁{word}": -4.0 - 0.01 * at for at, word in enumerate(WORDS)}
    scores = dict.fromkeys(special.values(), 0.0) | letters | words | dict.fromkeys(PIECES, -7.0)
    unknown = list(scores).index(special["unk"])
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unk_id=unknown))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    _add_special(tokenizer, special)
    named = [(piece, at) for at, piece in enumerate(special.values())]
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=named)
    return tokenizer, _roles(special)


_UNIGRAM_FORMS: dict[str, tuple[dict[str, str], str, str]] = {
    "albert": (
        {"pad": "<pad>", "unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"},
        "[CLS] $A [SEP]",
        "[CLS] $A [SEP] $B:1 [SEP]:1",
    ),
    "deberta-v2": (
        {"pad": "[PAD]", "cls": "[CLS]", "sep": "[SEP]", "unk": "[UNK]", "mask": "[MASK]"},
        "[CLS] $A [SEP]",
        "[CLS] $A [SEP] $B [SEP]",
    ),
    "xlm-roberta": (
        {"cls": "<s>", "pad": "<pad>", "sep": "</s>", "unk": "<unk>", "mask": "<mask>"},
        "<s> $A </s>",
        "<s> $A </s> </s> $B </s>",
    ),
    "xlnet": (
        {"unk": "<unk>", "bos": "<s>", "eos": "</s>", "cls": "<cls>", "sep": "<sep>", "pad": "<pad>"}
        | {"mask": "<mask>"},
        "$A <sep> <cls>:2",
        "$A <sep> $B:1 <sep>:1 <cls>:2",
    ),
}


def _add_special(tokenizer: Tokenizer, special: dict[str, str]) -> None:
    tokenizer.add_special_tokens(list(dict.fromkeys(special.values())))


def _roles(special: dict[str, str]) -> dict[str, str]:
    return {f"{role}_token": piece for role, piece in special.items()}


def _special_ids(tokenizer: Tokenizer, special: dict[str, str]) -> dict[str, int]:
    ids = {f"{role}_id": tokenizer.token_to_id(piece) for role, piece in special.items()}
    return {role: at for role, at in ids.items() if role in ("pad_token_id", "bos_token_id", "eos_token_id")}


def _sizes(model_type: str) -> dict[str, Any]:
    """Sizes in each configuration's own words; weights spread wide, so that tokens differ."""
    spread = {"initializer_range": 0.1}
    if model_type == "gpt2":
        sizes = {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "n_inner": FEED_FORWARD}
        return spread | sizes | {"n_positions": POSITIONS}
    if model_type == "xlnet":
        return spread | {"d_model": WIDTH, "n_layer": LAYERS, "n_head": HEADS, "d_inner": FEED_FORWARD}
    if model_type == "distilbert":
        sizes = {"dim": WIDTH, "n_layers": LAYERS, "n_heads": HEADS, "hidden_dim": FEED_FORWARD}
        return spread | sizes | {"max_position_embeddings": POSITIONS}
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    sizes |= {"intermediate_size": FEED_FORWARD, "max_position_embeddings": POSITIONS}
    if model_type in ("albert", "electra"):
        sizes["embedding_size"] = WIDTH // 2
    if model_type in ("roberta", "xlm-roberta"):
        sizes |= {"max_position_embeddings": POSITIONS + 2, "type_vocab_size": 1}
    if model_type == "mpnet":
        sizes |= {"max_position_embeddings": POSITIONS + 2}
    if model_type == "modernbert":
        sizes |= {"local_attention": 16, "global_attn_every_n_layers": 2}
    if model_type.startswith("deberta"):
        sizes |= {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
    if model_type == "deberta-v2":  # as v3 is: positions are relative alone
        sizes |= {"position_biased_input": False, "norm_rel_ebd": "layer_norm", "share_att_key": True}
        sizes |= {"position_buckets": 16}
    return spread | sizes
