"""Tokens: cut as transformers cuts, counted, and unknown pieces found in every kind of vocabulary."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.encoders.tiny import TINY_TYPES, tiny_tokenizer, write_tiny_encoder
from tl_core.errors import ConfigError, ModelError
from tl_core.text.tokens import VocabularyFit, count_tokens, encode, load_tokenizer, vocabulary_fit

TEXTS = [
    "the king saw a very good movie, it was great!",
    "so it was",
    "",
    "   ",
    "?!",
    "zebras [SEP] </s> end",
    "한국어 문장",
    "a " * 100,
]


@pytest.mark.parametrize("model_type", TINY_TYPES)
@pytest.mark.parametrize("max_tokens", [4, 9, 64])
def test_cut_as_transformers_cuts(model_type: str, max_tokens: int, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = write_tiny_encoder(tmp_path, model_type)
    theirs = AutoTokenizer.from_pretrained(folder)
    expected = theirs(TEXTS, truncation=True, max_length=max_tokens, return_token_type_ids=True)
    ours = encode(load_tokenizer(folder), TEXTS, max_tokens)
    assert [each.ids for each in ours] == expected["input_ids"]
    assert [each.type_ids for each in ours] == expected["token_type_ids"]


def test_cut_says_how_much_is_lost() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    short, long = encode(tokenizer, ["the king", "the king saw the queen"], max_tokens=5)
    assert (len(short), short.cut) == (4, 0)
    assert (len(long), long.cut) == (5, 2)
    assert long.ids[-1] == tokenizer.token_to_id("[SEP]")


def test_special_tokens_at_the_end_stay_when_a_text_ends_in_typed_ones() -> None:
    tokenizer, _ = tiny_tokenizer("xlnet")
    text = "a king <sep> <cls> <sep> <sep>"
    (found,) = encode(tokenizer, [text], max_tokens=5)
    pieces = [tokenizer.id_to_token(each) for each in found.ids]
    assert pieces[-2:] == ["<sep>", "<cls>"]
    assert found.cut == len(tokenizer.encode(text).ids) - 5


def test_no_room_for_text_is_refused() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    with pytest.raises(ConfigError, match="at least 3"):
        encode(tokenizer, ["the king"], max_tokens=2)


def test_counts_are_before_any_cut() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    assert count_tokens(tokenizer, TEXTS).tolist() == [len(tokenizer.encode(text).ids) for text in TEXTS]
    assert count_tokens(tokenizer, []).shape == (0,)


def test_many_texts_keep_their_order() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    lengths = count_tokens(tokenizer, ["a " * (at % 7) for at in range(3000)])
    assert lengths.tolist() == [at % 7 + 2 for at in range(3000)]


def test_half_a_surrogate_pair_does_no_harm() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    broken = json.loads('"the \\ud83d king"')
    plain, mended = encode(tokenizer, ["the king", broken], max_tokens=16)
    assert set(plain.ids) <= set(mended.ids)


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_ascii_is_never_unknown_and_hangul_is_where_bytes_do_not_help(model_type: str) -> None:
    tokenizer, _ = tiny_tokenizer(model_type)
    printable = "".join(map(chr, range(32, 127)))
    assert vocabulary_fit(tokenizer, [printable, printable.swapcase()]).unknown_pieces == 0
    unknown = vocabulary_fit(tokenizer, ["한국어"]).unknown_pieces
    assert unknown == (0 if model_type in ("roberta", "gpt2", "modernbert", "deberta") else 1)


def test_fit_of_a_worked_example() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    # the | king | eat ##ing | [UNK]: four words, five pieces
    fit = vocabulary_fit(tokenizer, ["the king eating", "한"])
    assert fit == VocabularyFit(words=4, pieces=5, unknown_pieces=1)
    assert fit.fragments_per_word == pytest.approx(1.25)
    assert fit.unknown_share == pytest.approx(0.2)
    assert vocabulary_fit(tokenizer, [""]).fragments_per_word == 0.0


def test_tokenizer_comes_without_truncation_and_padding(tmp_path: Path) -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=32)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert load_tokenizer(tmp_path).encode("the king saw the queen").ids.__len__() == 7


def test_older_files_are_converted(tmp_path: Path) -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda each: each[1])
    (tmp_path / "vocab.txt").write_text("\n".join(piece for piece, _ in pieces), encoding="utf-8")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    text = "The king, saw the QUEEN!"
    assert load_tokenizer(tmp_path).encode(text).ids == tokenizer.encode(text).ids


def test_missing_and_broken_tokenizers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no tokenizer"):
        load_tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_tokenizer(tmp_path)
