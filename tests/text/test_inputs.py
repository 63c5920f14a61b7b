"""A text or a pair as an encoder reads it: tokens, places, words, parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import TINY_TYPES, tiny_tokenizer
from tl_core.encoders.bases import EncoderBase
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.folders import tokenizer_of
from tl_core.errors import DataError, ModelError
from tl_core.settings import Settings
from tl_core.text.inputs import SPECIAL, ModelInput, ModelInputs
from tl_core.text.places import plain_words

TEXT, PAIR = "Was the film good?", '"A great story," she said.'


def opened(model_type: str, text: str, pair: str = "", max_tokens: int = 64) -> ModelInputs:
    return ModelInputs(tiny_tokenizer(model_type)[0], text, pair, max_tokens=max_tokens)


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_a_text_has_the_ids_and_types_that_the_tokenizer_gives(model_type: str) -> None:
    tokenizer, _ = tiny_tokenizer(model_type)
    shown = opened(model_type, TEXT)[0]
    wanted = tokenizer.encode(TEXT)
    assert shown.encoded.ids == wanted.ids
    assert shown.encoded.type_ids == wanted.type_ids
    assert shown.tokens == tuple(wanted.tokens)
    assert [side == SPECIAL for side in shown.sides] == [bool(each) for each in wanted.special_tokens_mask]
    assert not shown.is_pair


@pytest.mark.parametrize("model_type", [each for each in TINY_TYPES if each != "gpt2"])
def test_a_pair_has_the_ids_and_types_that_the_tokenizer_gives(model_type: str) -> None:
    tokenizer, _ = tiny_tokenizer(model_type)
    shown = opened(model_type, TEXT, PAIR)[0]
    wanted = tokenizer.encode(TEXT, PAIR)
    assert shown.encoded.ids == wanted.ids
    assert shown.encoded.type_ids == wanted.type_ids
    assert shown.is_pair


def test_a_tokenizer_that_joins_no_pairs_says_so() -> None:
    with pytest.raises(ModelError, match="no special tokens around"):
        opened("gpt2", TEXT, PAIR)


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_every_token_of_a_text_lies_in_its_word(model_type: str) -> None:
    pair = "" if model_type == "gpt2" else PAIR
    shown = opened(model_type, TEXT, pair)[0]
    texts = (TEXT, pair)
    for word in shown.words:
        assert texts[word.side][word.start : word.end] == word.text
    for at, number in enumerate(shown.word_of.tolist()):
        if number < 0:
            continue
        word, (start, end) = shown.words[number], shown.offsets[at]
        assert shown.sides[at] == word.side
        covered = texts[word.side][start:end].strip()
        assert covered in word.text
    assert set(shown.word_of.tolist()) - {-1} == set(range(len(shown.words)))


def test_marks_at_the_ends_of_words_are_words_of_their_own() -> None:
    text = '"Well-made," he said (3.5).  한국어를? 😀'
    words = [text[start:end] for start, end in plain_words(text).tolist()]
    assert words == ['"', "Well-made", ",", '"', "he", "said", "(", "3.5", ")", ".", "한국어를", "?", "😀"]
    assert plain_words(" \n").shape == (0, 2)


def spelt(inputs: ModelInputs, side: int = 0) -> list[int]:
    """The ids of the texts of all parts, one after the other."""
    parts = [inputs[number] for number in range(len(inputs))]
    return [each.encoded.ids[at] for each in parts for at in np.flatnonzero(each.sides == side)]


@pytest.mark.parametrize("model_type", TINY_TYPES)
def test_a_long_text_is_read_in_parts_that_lose_nothing(model_type: str) -> None:
    tokenizer, _ = tiny_tokenizer(model_type)
    text = "the queen was a good woman and the king saw a great film, " * 40
    inputs = opened(model_type, text, max_tokens=32)
    assert len(inputs) > 10
    assert spelt(inputs) == tokenizer.encode(text, add_special_tokens=False).ids
    parts = [inputs[number] for number in range(len(inputs))]
    assert all(len(each) <= 32 for each in parts)
    assert [each.number for each in parts] == list(range(len(inputs)))
    assert {each.parts for each in parts} == {len(inputs)}
    # no word is cut in two: each begins where a word of the text begins
    starts = set(plain_words(text)[:, 0].tolist())
    assert all(each.words[0].start in starts for each in parts)


def test_of_a_pair_only_the_second_text_is_cut() -> None:
    inputs = opened("bert", TEXT, "she saw the film in the city and was of the story " * 20, max_tokens=40)
    assert len(inputs) > 3
    assert all(
        [word.text for word in inputs[at].words if word.side == 0] == ["Was", "the", "film", "good", "?"]
        for at in range(len(inputs))
    )


def test_a_word_longer_than_a_part_is_cut_where_it_must_be() -> None:
    inputs = opened("bert", "x" * 90, max_tokens=20)
    assert len(inputs) >= 5
    assert len(spelt(inputs)) == 90


def test_a_first_text_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(DataError, match=r"first text has 60 tokens; .* at most \d+ fit"):
        opened("bert", "good " * 60, "film", max_tokens=64)


@pytest.mark.parametrize(("text", "pair"), [("", ""), (" \n\t", ""), ("", "film"), (" ", "film")])
def test_nothing_to_read_is_refused(text: str, pair: str) -> None:
    with pytest.raises(DataError, match="nothing to read"):
        opened("bert", text, pair)


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError):
        opened("bert", TEXT)[1]


def test_unknown_tokens_and_pieces_are_counted() -> None:
    shown: ModelInput = opened("bert", "film 한국 good")[0]
    assert shown.unknown == 1
    assert shown.unknown_share == pytest.approx(1 / 3)
    assert opened("bert", "films")[0].tokens_per_word == 2.0


@pytest.mark.skipif(find_packaged(card_of("e5")) is None, reason="needs the packaged multilingual encoder")
def test_korean_words_keep_their_places_under_sentencepiece(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, threads=1, offline=True)
    text = "한국은 중국, 일본과 가깝다."
    shown = ModelInputs(tokenizer_of(EncoderBase("packaged", "e5"), settings), text, max_tokens=64)[0]
    assert [word.text for word in shown.words] == ["한국은", "중국", ",", "일본과", "가깝다", "."]
    assert shown.unknown == 0
