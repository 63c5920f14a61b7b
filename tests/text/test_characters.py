"""A tokenizer of characters: the published rule as the oracle, offsets into the text as it was given."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tl_core.errors import ModelError
from tl_core.text.characters import character_tokenizer, is_character_vocabulary
from tl_core.text.tokens import encode, load_tokenizer, vocabulary_fit

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [" ", *"나는걸어가고있중입니다한국.,!?()[]ABCabc1234", "\u0301", "😀", "\u200d", "👩", "\u3160"]
ENTRIES = [*SPECIAL, *LETTERS, "[unused0]", "[unused1]"]
VOCABULARY = {entry: at for at, entry in enumerate(ENTRIES)}
BLANKS = [" ", "  ", "\t", "\n", "\r\n", "\u3000", "\xa0", "\u2028", "\x0b", "\x1c", "\x85"]
TEXTS = [
    "나는 걸어가고 있는 중입니다.",
    "한국\r\n나라  \t 국가",
    "  앞뒤의 빈칸 \n",
    "e\u0301 😀👩\u200d👩 ABC abc",
    "漢字와 없는 글자 ㅎ",
    "",
    " \n\t ",
    "[나는] (1234)!",
]


def write_vocabulary(folder: Path, entries: list[str], newline: str = "\n", last: str = "\n") -> Path:
    (folder / "vocab.txt").write_bytes((newline.join(entries) + last).encode("utf-8"))
    return folder


def published(text: str) -> list[str]:
    """KoCharELECTRA's own tokens."""
    return [each if each in VOCABULARY else "[UNK]" for each in " ".join(text.split())]


def mixed_texts(count: int) -> list[str]:
    chance = random.Random(3)
    return ["".join(chance.choices([*LETTERS, *BLANKS, "漢"], k=chance.randrange(40))) for _ in range(count)]


@pytest.mark.parametrize("text", [*TEXTS, *mixed_texts(60)])
def test_tokens_are_the_published_ones_and_offsets_lead_back(text: str) -> None:
    found = character_tokenizer(VOCABULARY).encode(text, add_special_tokens=False)
    assert found.tokens == published(text)
    behind = 0
    for token, (start, end) in zip(found.tokens, found.offsets, strict=True):
        assert behind <= start < end
        behind = end
        if token == " ":
            assert text[start:end].isspace()
        else:
            assert end - start == 1
            assert text[start:end] == token or (token == "[UNK]" and text[start:end] not in VOCABULARY)


def test_special_tokens_and_type_ids_as_in_bert() -> None:
    tokenizer = character_tokenizer(VOCABULARY)
    assert tokenizer.encode("나는").tokens == ["[CLS]", "나", "는", "[SEP]"]
    pair = tokenizer.encode("나는", "한 국")
    assert pair.tokens == ["[CLS]", "나", "는", "[SEP]", "한", " ", "국", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [VOCABULARY[each] for each in pair.tokens] == pair.ids


def test_case_is_kept_and_unknown_characters_are_counted() -> None:
    tokenizer = character_tokenizer(VOCABULARY)
    assert tokenizer.encode("Aa", add_special_tokens=False).tokens == ["A", "a"]
    fit = vocabulary_fit(tokenizer, ["나漢 는"])
    assert (fit.words, fit.pieces, fit.unknown_pieces) == (2, 4, 1)
    (short,) = encode(tokenizer, ["나는 걸어가고"], max_tokens=6)
    assert (len(short), short.cut) == (6, 3)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("ends", [True, False])
def test_folder_with_such_a_vocabulary_gets_this_tokenizer(newline: str, ends: bool, tmp_path: Path) -> None:
    write_vocabulary(tmp_path, ENTRIES, newline, newline if ends else "")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "electra"}), encoding="utf-8")
    assert is_character_vocabulary(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.get_vocab() == VOCABULARY
    assert tokenizer.encode("한 국A").tokens == ["[CLS]", "한", " ", "국", "A", "[SEP]"]


def test_blank_entries_keep_their_lines(tmp_path: Path) -> None:
    entries = [*SPECIAL, " ", "\u3000", "\u2028", "\x0b", "\x85", "가"]
    tokenizer = character_tokenizer(write_vocabulary(tmp_path, entries) / "vocab.txt")
    assert tokenizer.token_to_id("가") == 10
    assert tokenizer.token_to_id(" ") == 5


@pytest.mark.parametrize(
    "entries",
    [
        [*SPECIAL, "나", "는"],  # no space
        [*SPECIAL, " ", "나", "##는"],
        [*SPECIAL, " ", "나는"],
        ["[PAD]"],
    ],
)
def test_other_vocabularies_are_none_of_characters(entries: list[str], tmp_path: Path) -> None:
    assert not is_character_vocabulary(tmp_path)
    assert not is_character_vocabulary(write_vocabulary(tmp_path, entries))


def test_broken_vocabularies_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks \[UNK\], \[SEP\]"):
        character_tokenizer({"[CLS]": 0, " ": 1})
    with pytest.raises(ModelError, match="cannot be read"):
        character_tokenizer(tmp_path / "vocab.txt")
    (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe\n \n")
    assert not is_character_vocabulary(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        character_tokenizer(tmp_path / "vocab.txt")


def test_tokenizer_file_comes_before_the_vocabulary(tmp_path: Path) -> None:
    write_vocabulary(tmp_path, ENTRIES)
    other = character_tokenizer({**VOCABULARY, "字": len(VOCABULARY)})
    other.save(str(tmp_path / "tokenizer.json"))
    assert load_tokenizer(tmp_path).encode("字", add_special_tokens=False).tokens == ["字"]
