"""Windows: they cover the passage, look as the tokenizer's own pairs, and lead back to its characters."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from tokenizers import Tokenizer

from tests.encoders.tiny import TINY_TYPES, WORDS, tiny_tokenizer
from tl_core.encoders.catalog import card_of, find_packaged
from tl_core.encoders.load import find_encoder, tokenizer_of
from tl_core.errors import DataError, ModelError
from tl_core.settings import Settings
from tl_core.text.windows import (
    TokenisedText,
    Window,
    check_question,
    cut,
    pair_form,
    room_for_passage,
    span_characters,
    span_tokens,
    tokenise,
    window,
    windows,
)

READING_TYPES = tuple(each for each in TINY_TYPES if each != "gpt2")
PACKAGED = tuple(each for each in ("minilm", "e5") if find_packaged(card_of(each)) is not None)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    """Every tokenizer that can read, by family, and the packaged ones by name."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), threads=1, offline=True)
    found = {each: tiny_tokenizer(each)[0] for each in READING_TYPES}
    return found | {each: tokenizer_of(find_encoder(each, settings), settings) for each in PACKAGED}


@pytest.fixture(params=(*READING_TYPES, *PACKAGED))
def tokenizer(request: pytest.FixtureRequest, tokenizers: dict[str, Tokenizer]) -> Tokenizer:
    return tokenizers[request.param]


@pytest.fixture(params=PACKAGED)
def packaged(request: pytest.FixtureRequest, tokenizers: dict[str, Tokenizer]) -> Tokenizer:
    return tokenizers[request.param]


def both(tokenizer: Tokenizer, question: str, passage: str) -> tuple[TokenisedText, TokenisedText]:
    asked, read = tokenise(tokenizer, [question, passage])
    return asked, read


def random_passage(dice: random.Random, words: int) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(words))


# --- pairs -----------------------------------------------------------------------------------------

PAIRS = [
    ("who saw the king?", "the queen saw the king, and it was a good day."),
    ("Where?", "In THE city"),
    ("a", "a"),
    ("what was best", "one  two\tthree\r\nfour"),
]


def check_like_own_pair(tokenizer: Tokenizer, question: str, passage: str) -> Window:
    asked, read = both(tokenizer, question, passage)
    (made,) = windows(pair_form(tokenizer), asked, read, max_tokens=512, overlap=128)
    own = tokenizer.encode(question, passage)
    assert made.encoded.ids == own.ids
    assert made.encoded.cut == 0
    places = [at for at, side in enumerate(own.sequence_ids) if side == 1]
    assert list(range(made.first, made.first + made.count)) == places
    assert own.special_tokens_mask[made.null] == 1
    return made


@pytest.mark.parametrize(("question", "passage"), PAIRS)
def test_a_passage_that_fits_is_the_tokenizers_own_pair(
    tokenizer: Tokenizer, question: str, passage: str
) -> None:
    check_like_own_pair(tokenizer, question, passage)


@pytest.mark.parametrize(
    "model_type",
    READING_TYPES,
)
def test_token_types_are_the_tokenizers_own(model_type: str, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers[model_type]
    asked, read = both(tokenizer, *PAIRS[0])
    (made,) = windows(pair_form(tokenizer), asked, read, max_tokens=64, overlap=10)
    assert made.encoded.type_ids == tokenizer.encode(*PAIRS[0]).type_ids


def test_a_nasty_passage_that_fits_is_the_tokenizers_own_pair(packaged: Tokenizer) -> None:
    for text, _ in nasty_texts():
        check_like_own_pair(packaged, "who saw 서울?", text)


@pytest.mark.parametrize("model_type", READING_TYPES)
def test_no_answer_stands_at_the_classification_token(
    model_type: str, tokenizers: dict[str, Tokenizer]
) -> None:
    made = check_like_own_pair(tokenizers[model_type], "who", "the king")
    piece = tokenizers[model_type].id_to_token(made.encoded.ids[made.null])
    assert piece in ("[CLS]", "<s>", "<cls>")
    assert made.null == (len(made.encoded) - 1 if model_type == "xlnet" else 0)


def test_a_tokenizer_without_special_tokens_cannot_read() -> None:
    with pytest.raises(ModelError, match="BERT-like"):
        pair_form(tiny_tokenizer("gpt2")[0])


# --- windows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("max_tokens", "overlap"), [(24, 0), (24, 1), (32, 10), (40, 21), (512, 128)])
def test_windows_cover_every_token_and_neighbours_share_the_overlap(
    tokenizer: Tokenizer, max_tokens: int, overlap: int
) -> None:
    dice = random.Random(max_tokens)
    form = pair_form(tokenizer)
    for count in (1, 7, 20, 21, 60, 200):
        asked, read = both(tokenizer, "who was it", random_passage(dice, count))
        assert room_for_passage(form, asked, max_tokens) > overlap
        made = list(windows(form, asked, read, max_tokens=max_tokens, overlap=overlap))
        check_windows(made, asked, read, max_tokens, overlap)


def check_windows(
    made: list[Window], asked: TokenisedText, read: TokenisedText, max_tokens: int, overlap: int
) -> None:
    assert made[0].at == 0
    assert made[-1].at + made[-1].count == len(read)
    for one, following in pairwise(made):
        assert one.at + one.count - following.at == overlap
        assert len(one.encoded) == max_tokens  # only the last may be shorter
        assert following.count > overlap  # it brings something new
    for each in made:
        assert len(each.encoded) == len(each.encoded.type_ids) <= max_tokens
        inside = slice(each.first, each.first + each.count)
        assert each.encoded.ids[inside] == read.ids[each.at : each.at + each.count]
        assert each.null not in range(inside.start, inside.stop)
        assert each.encoded.ids.count(asked.ids[0]) >= 1


def test_a_passage_of_exactly_the_room_is_one_window_and_one_more_token_makes_two() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    form = pair_form(tokenizer)
    asked, read = both(tokenizer, "who", "king " * 12)
    assert len(list(windows(form, asked, read, max_tokens=16, overlap=3))) == 1
    asked, read = both(tokenizer, "who", "king " * 13)
    first, second = windows(form, asked, read, max_tokens=16, overlap=3)
    assert (first.at, first.count, second.at, second.count) == (0, 12, 9, 4)


def test_a_passage_of_one_word_is_one_window(tokenizer: Tokenizer) -> None:
    asked, read = both(tokenizer, "who", "king")
    (made,) = windows(pair_form(tokenizer), asked, read, max_tokens=32, overlap=10)
    assert (made.at, made.count) == (0, len(read))
    assert span_characters("king", read, 0, len(read) - 1) == (0, 4)


def test_a_passage_without_tokens_is_one_window_without_passage() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    asked, read = both(tokenizer, "who", " \n ")
    (made,) = windows(pair_form(tokenizer), asked, read, max_tokens=32, overlap=10)
    assert (len(read), made.count) == (0, 0)


def test_a_question_that_leaves_no_room_is_refused_and_one_token_less_is_not() -> None:
    tokenizer, _ = tiny_tokenizer("bert")
    form = pair_form(tokenizer)
    longest, too_long = tokenise(tokenizer, ["king " * 18, "king " * 19])  # 32 - 3 special - 10 - 1
    check_question(form, longest, max_tokens=32, overlap=10)
    with pytest.raises(DataError, match=r"19 tokens; at most 18 .* window of 32"):
        check_question(form, too_long, max_tokens=32, overlap=10)
    (read,) = tokenise(tokenizer, ["king " * 50])
    made = list(windows(form, longest, read, max_tokens=32, overlap=10))
    check_windows(made, longest, read, 32, 10)
    assert [each.at for each in made] == list(range(40))  # one token on, each time


def test_a_text_is_cut_at_its_end_only_where_it_is_too_long() -> None:
    (read,) = tokenise(tiny_tokenizer("bert")[0], ["the king saw it"])
    assert cut(read, 4) is read
    short = cut(read, 2)
    assert (short.ids, short.offsets.tolist()) == (read.ids[:2], [[0, 3], [4, 8]])


def test_a_window_of_the_middle_holds_the_tokens_asked_for() -> None:
    tokenizer, _ = tiny_tokenizer("roberta")
    asked, read = both(tokenizer, "who", "the king saw a good day")
    made = window(pair_form(tokenizer), asked, read, 2, 3)
    assert made.encoded.ids[made.first : made.first + 3] == read.ids[2:5]
    assert made.encoded.ids[made.first + 3 :] == [tokenizer.token_to_id("</s>")]


# --- back to characters ----------------------------------------------------------------------------

NASTY = [
    *(
        "King's",
        "Café",
        "naïve",
        "ÉCOLE",
        "don't",
        "well-known",
        "3.14%",
        "$1,000",
        "U.S.",
        "(서울)",
        "서울에서,",
    ),
    *(
        "대한민국의",
        "《홍길동전》은",
        "뷁쀍",
        "㎏",
        "5㎏짜리",
        "㈜삼성",
        "½컵",
        "Ⅷ장",
        "ﬁne",
        "ＦＵＬＬ",
        "ｗｉｄｔｈ１２３",
    ),
    *(
        "👨‍👩‍👧‍👦",
        "❤️",
        "👍🏽",
        "🇰🇷",
        "1️⃣",
        "e\u0301\u0301x",
        "İstanbul",
        "ǅ",
        "Straße",
        "𝓯𝓪𝓷",
        "x²",
        "a\u0301",
    ),
    *("大韓民國", "東京都に", "カタカナ", "ｶﾞｷﾞ", "नमस्ते", "क्षि", "สวัสดี", "مرحبا", "שָׁלוֹם", "Привет"),
    *("zero\u200bwidth", "soft\u00adhyphen", "می\u200cخواهم", "“quoted”", "…", "—", "a/b", "user@mail.kr"),
    *("[SEP]", "</s>", "[UNK]", "##ing", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
    *(unicodedata.normalize("NFD", each) for each in ("café", "한국", "서울은", "Ünïcödé", "がぎ", "값을")),
]
GAPS = (" ", " ", "  ", "\r\n", "\n\n", "\t", "\u00a0", "\u3000", "\u2009", " \u2028 ")


def nasty_texts() -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Texts of nasty words behind odd white space, each with the characters of every word."""
    dice = random.Random(11)
    for _ in range(25):
        text = dice.choice(("", " ", "\r\n"))
        for word in dice.sample(NASTY, 14):
            text += word + dice.choice(GAPS)
        yield text, [each.span() for each in re.finditer(r"\S+", text)]


def check_word(text: str, read: TokenisedText, start: int, end: int) -> None:
    """The tokens of a word lead back to the whole word and to nothing of another one."""
    tokens = span_tokens(read, start, end)
    assert tokens is not None, text[start:end]
    found = span_characters(text, read, *tokens)
    assert text[slice(*found)] == text[start:end]
    assert found == (start, end)


def test_every_nasty_word_comes_back_whole(packaged: Tokenizer) -> None:
    seen = 0
    for text, words in nasty_texts():
        (read,) = tokenise(packaged, [text])
        for start, end in words:
            check_word(text, read, start, end)
            seen += 1
    assert seen == 25 * 14


def test_spans_of_several_nasty_words_come_back_whole(packaged: Tokenizer) -> None:
    dice = random.Random(5)
    for text, words in nasty_texts():
        (read,) = tokenise(packaged, [text])
        first, last = sorted(dice.sample(range(len(words)), 2))
        check_word(text, read, words[first][0], words[last][1])


def test_words_of_plain_text_come_back_whole(tokenizer: Tokenizer) -> None:
    text = "\tThe KING saw\r\na  well-known day,\u00a0and it's (very) best!! \n"
    (read,) = tokenise(tokenizer, [text])
    for each in re.finditer(r"\S+", text):
        check_word(text, read, *each.span())


def test_a_span_keeps_the_case_and_the_accents_of_the_text() -> None:
    tokenizer, _ = tiny_tokenizer("bert")  # lowers and strips accents
    text = "The  QUEÉN saw Caf\u0065\u0301 man"
    (read,) = tokenise(tokenizer, [text])
    for word in ("QUEÉN", "Caf\u0065\u0301"):
        check_word(text, read, text.index(word), text.index(word) + len(word))


def offsets(*spans: tuple[int, int]) -> TokenisedText:
    """A text whose tokens stand at these characters, whatever they are."""
    return TokenisedText([0] * len(spans), np.array(spans, dtype=np.int64))


@pytest.mark.parametrize(
    ("text", "token", "whole"),
    [
        ("cafe\u0301 x", (0, 4), "cafe\u0301"),  # the accent was dropped
        ("cafe\u0301 x", (4, 5), "e\u0301"),  # the accent alone
        ("สวัสดี", (0, 5), "สวัสดี"),  # a vowel sign of combining class 0
        ("นี้", (0, 1), "นี้"),
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", (0, 1), "\u1112\u1161\u11ab"),  # 한 in parts
        ("\u1112\u1161\u11ab\u1100\u116e\u11a8", (4, 5), "\u1100\u116e\u11a8"),  # inside 국
        ("👨\u200d👩\u200d👧 x", (0, 1), "👨\u200d👩\u200d👧"),
        ("👨\u200d👩\u200d👧 x", (2, 3), "👨\u200d👩\u200d👧"),
        ("❤\ufe0f x", (0, 1), "❤\ufe0f"),
        ("👍🏽 x", (0, 1), "👍🏽"),
        ("1\ufe0f\u20e3 x", (0, 1), "1\ufe0f\u20e3"),
    ],
)
def test_a_letter_of_several_characters_is_never_torn(text: str, token: tuple[int, int], whole: str) -> None:
    start, end = span_characters(text, offsets(token), 0, 0)
    assert text[start:end] == whole


@pytest.mark.parametrize(
    ("text", "token", "found"),
    [
        ("a  king ", (1, 8), (3, 7)),
        ("a\u0301 b", (2, 4), (3, 4)),  # white space does not cling to the mark before it
        (" \u0301 b", (1, 2), (1, 2)),  # nor a mark to white space
        ("a b", (1, 2), (2, 2)),  # nothing but white space
        ("a\u0301", (1, 1), (1, 1)),  # a token of no characters
        ("a", (0, 0), (0, 0)),
    ],
)
def test_white_space_is_never_part_of_a_span(
    text: str, token: tuple[int, int], found: tuple[int, int]
) -> None:
    assert span_characters(text, offsets(token), 0, 0) == found


def test_characters_between_tokens_touch_none() -> None:
    (read,) = tokenise(tiny_tokenizer("bert")[0], ["the   king"])
    assert span_tokens(read, 3, 6) is None
    assert span_tokens(read, 3, 7) == (1, 1)
    assert span_tokens(read, 0, 10) == (0, 1)
    assert span_tokens(read, 5, 5) is None
