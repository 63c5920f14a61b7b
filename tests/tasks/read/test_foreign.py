"""Models of others with a question-answering head: the same numbers as transformers', clear refusals."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.encoders.fake_hub import fake_hub
from tests.encoders.tiny import write_tiny_encoder
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.foreign import load_foreign_reader
from tl_core.tasks.read.network import make_batch
from tl_core.tasks.read.reader import Reader
from tl_core.text.windows import tokenise, windows

TYPES = ("bert", "electra", "distilbert", "albert", "roberta", "xlm-roberta", "xlnet")
QUESTION = "who saw the old king?"
PASSAGE = "the queen saw the old king in the city. she was very good. " * 6
READING = Reading(max_tokens=40, overlap=10, longest_answer=8)


def write_tiny_reader(folder: Path, model_type: str) -> Path:
    """A tiny random encoder's folder with a question-answering model in its place."""
    import torch
    from transformers import AutoConfig, AutoModelForQuestionAnswering

    write_tiny_encoder(folder, model_type)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = AutoModelForQuestionAnswering.from_config(AutoConfig.from_pretrained(folder))
        torch.nn.init.normal_(model.qa_outputs.bias)  # else it is zero, and a lost one would not show
    model.save_pretrained(str(folder))
    return folder


@pytest.fixture(params=TYPES)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write_tiny_reader(tmp_path / "model", request.param)


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return write_tiny_reader(tmp_path / "model", "bert")


def check_same_logits(reader: Reader, folder: Path) -> None:
    """Against transformers' own model, where the windows are not padding."""
    import torch
    from transformers import AutoModelForQuestionAnswering

    theirs = AutoModelForQuestionAnswering.from_pretrained(folder).eval()
    question, passage = tokenise(reader.encoder.tokenizer, [QUESTION, PASSAGE])
    made = list(windows(reader.form, question, passage, max_tokens=40, overlap=10))
    assert len(made) > 2
    inputs = make_batch(reader.encoder, made, torch.device("cpu")).inputs
    with torch.inference_mode():
        ours, expected = reader.network(inputs), theirs(**inputs)
    real = inputs["attention_mask"].bool()
    torch.testing.assert_close(ours[..., 0][real], expected.start_logits[real], atol=1e-5, rtol=0)
    torch.testing.assert_close(ours[..., 1][real], expected.end_logits[real], atol=1e-5, rtol=0)


def check_answers(reader: Reader, question: str, passage: str) -> None:
    reply = reader.ask(question, passage, READING)
    assert reply.answers
    assert reply.windows > 1
    for answer in reply.answers:
        assert answer.text == passage[answer.start : answer.end]
        assert answer.text.strip() == answer.text != ""
        assert answer.probability is None


def test_logits_are_those_of_transformers_and_answers_stand_in_the_passage(
    folder: Path, settings: Settings
) -> None:
    reader = load_foreign_reader(str(folder), settings, device="cpu")
    assert reader.title == str(folder)
    assert not reader.network.training
    assert not any(each.requires_grad for each in reader.network.parameters())
    check_same_logits(reader, folder)
    check_answers(reader, QUESTION, PASSAGE)


def test_sharded_and_old_weights_give_the_same(bert: Path, settings: Settings, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(bert / "model.safetensors")
    sharded, old = tmp_path / "sharded", tmp_path / "old"
    for each in (sharded, old):
        shutil.copytree(bert, each)
        (each / "model.safetensors").unlink()
    torch.save(tensors, old / "pytorch_model.bin")
    parts = [dict(list(tensors.items())[at::2]) for at in (0, 1)]
    places = {}
    for at, part in enumerate(parts, start=1):
        file = f"model-0000{at}-of-00002.safetensors"
        save_file(part, sharded / file, metadata={"format": "pt"})
        places |= dict.fromkeys(part, file)
    index = {"metadata": {"total_size": 1}, "weight_map": places}
    (sharded / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    for each in (sharded, old):
        check_same_logits(load_foreign_reader(str(each), settings, device="cpu"), bert)


def test_half_precision_weights_are_read(bert: Path, settings: Settings) -> None:
    from safetensors.torch import load_file, save_file

    halves = {key: each.half() for key, each in load_file(bert / "model.safetensors").items()}
    save_file(halves, bert / "model.safetensors", metadata={"format": "pt"})
    check_answers(load_foreign_reader(str(bert), settings, device="cpu"), QUESTION, PASSAGE)


CHARACTERS = [
    *"[]., ?()",
    *"0123456789",
    *"abcABC",
    *"김구는독립운동가이다안창호와함께상하이에서활동했누인물을으로의가",
]
KOREAN = "김구는 독립운동가이다. \r\n안창호와  함께 상하이에서 활동했다. (ABC 1919) " * 3


def test_character_model_answers_in_korean(tmp_path: Path, settings: Settings) -> None:
    """KoCharELECTRA's form: `vocab.txt` alone, one character a line."""
    import torch
    from transformers import ElectraConfig, ElectraForQuestionAnswering

    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(CHARACTERS)]
    (tmp_path / "vocab.txt").write_text("\n".join(entries) + "\n", encoding="utf-8")
    sizes = {"hidden_size": 32, "embedding_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = ElectraConfig(
        vocab_size=len(entries),
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
        **sizes,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        ElectraForQuestionAnswering(config).save_pretrained(str(tmp_path))
    reader = load_foreign_reader(str(tmp_path), settings, device="cpu")
    plain = tokenise(reader.encoder.tokenizer, ["안창호와  함께"])[0]
    assert [reader.encoder.tokenizer.id_to_token(each) for each in plain.ids] == list("안창호와 함께")
    check_answers(reader, "안창호와 활동했던 인물은 누구?", KOREAN)


def test_bare_encoder_is_told_to_be_trained_first(tmp_path: Path, settings: Settings) -> None:
    folder = write_tiny_encoder(tmp_path / "bare", "bert")
    with pytest.raises(ModelError, match=r"no span head.*Train a reader on it first"):
        load_foreign_reader(str(folder), settings)


def test_causal_model_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(ModelError, match="BERT-like"):
        load_foreign_reader(str(write_tiny_reader(tmp_path, "gpt2")), settings)


def test_beam_search_head_is_refused(tmp_path: Path, settings: Settings) -> None:
    from transformers import AutoConfig, XLNetForQuestionAnswering

    folder = write_tiny_encoder(tmp_path, "xlnet")
    XLNetForQuestionAnswering(AutoConfig.from_pretrained(folder)).save_pretrained(str(folder))
    with pytest.raises(ModelError, match="beam search head"):
        load_foreign_reader(str(folder), settings)


def rewrite(folder: Path, head: dict[str, Any]) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    kept = {key: each for key, each in tensors.items() if not key.startswith("qa_outputs")}
    save_file(kept | head, folder / "model.safetensors", metadata={"format": "pt"})


def test_heads_of_another_form_are_refused(bert: Path, settings: Settings) -> None:
    from torch import zeros

    for head, words in (
        ({"weight": zeros(3, 32), "bias": zeros(3)}, "has 3 outputs"),
        ({"weight": zeros(2, 32)}, "not one linear layer"),
        ({"0.weight": zeros(32, 32), "1.weight": zeros(2, 32)}, "not one linear layer"),
        ({"weight": zeros(2, 48), "bias": zeros(2)}, "does not fit its encoder"),
    ):
        rewrite(bert, {f"qa_outputs.{key}": each for key, each in head.items()})
        with pytest.raises(ModelError, match=words):
            load_foreign_reader(str(bert), settings)


class _Trap:
    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (Path.touch, (self.victim,))


@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_pickled_objects_do_not_run(form: str, bert: Path, settings: Settings, tmp_path: Path) -> None:
    import torch

    (bert / "model.safetensors").unlink()
    victim, weights = tmp_path / "victim", bert / "pytorch_model.bin"
    if form == "pickle":
        weights.write_bytes(pickle.dumps({"qa_outputs.weight": _Trap(victim)}))
    else:
        torch.save({"qa_outputs.weight": _Trap(victim)}, weights)
    with pytest.raises(ModelError, match="cannot be read as plain tensors"):
        load_foreign_reader(str(bert), settings)
    assert not victim.exists()


@pytest.mark.parametrize("content", [b"", b"\x08" * 40])
@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ],
)
def test_damaged_checkpoints_are_refused(name: str, content: bytes, bert: Path, settings: Settings) -> None:
    (bert / "model.safetensors").unlink()
    (bert / name).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be read as plain tensors"):
        load_foreign_reader(str(bert), settings)


def test_index_does_not_lead_out_of_the_folder(bert: Path, settings: Settings, tmp_path: Path) -> None:
    shutil.move(bert / "model.safetensors", tmp_path / "outside.safetensors")
    index = {"weight_map": {"qa_outputs.weight": "../outside.safetensors"}}
    (bert / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read as plain tensors"):
        load_foreign_reader(str(bert), settings)


def test_hub_model_is_fetched_once_and_then_read_offline(
    bert: Path, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE keeps the engine off the hub"):
        load_foreign_reader("owner/reader", settings)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    online = Settings(home=tmp_path / "home", threads=1, offline=False)
    with fake_hub("owner/reader", bert) as endpoint:
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        template = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        load_foreign_reader("owner/reader", online, device="cpu")
    reader = load_foreign_reader("owner/reader", settings, device="cpu")
    assert reader.title == "owner/reader"
    check_same_logits(reader, bert)
