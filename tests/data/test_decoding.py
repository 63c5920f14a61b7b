from __future__ import annotations

import codecs

import numpy as np
import pytest

from tl_core.data import decoding
from tl_core.data.decoding import decode
from tl_core.errors import DataError

KOREAN = "text,label\n정말 재미있는 영화였어요 ㅋㅋ,긍정\n돈이 아까웠다 ㅠㅠ,부정\n"
GERMAN = "text,label\nDas war schön – wirklich groß,gut\nÄußerst übler Füller,schlecht\n"
FRENCH = "text,label\nC’était très réussi, à voir,bon\nÇa n’a aucun intérêt,mauvais\n"


def read(content: bytes) -> tuple[str, str]:
    source = decode(content, "reviews.csv")
    return source.encoding, "".join(source.lines())


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        (KOREAN, "utf-8", "utf-8"),
        (KOREAN, "utf-8-sig", "utf-8-sig"),
        (KOREAN, "utf-16", "utf-16"),
        (KOREAN, "utf-16-le", "utf-16"),
        (KOREAN, "utf-16-be", "utf-16"),
        (KOREAN, "cp949", "cp949"),
        (GERMAN, "utf-16-le", "utf-16"),
        (GERMAN, "utf-16-be", "utf-16"),
        (GERMAN, "cp1252", "cp1252"),
        (FRENCH, "cp1252", "cp1252"),
        ("text,label\nIt’s good,pos\nThe “best” film,pos\n", "cp1252", "cp1252"),
        ("text,label\nplain,pos\n", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_found_and_the_text_comes_out(text: str, codec: str, encoding: str) -> None:
    assert read(text.encode(codec)) == (encoding, text)


def test_utf16_big_endian_with_a_mark_is_read() -> None:
    assert read(codecs.BOM_UTF16_BE + KOREAN.encode("utf-16-be")) == ("utf-16", KOREAN)


def test_english_with_korean_labels_in_cp949_is_korean() -> None:
    text = "text,label\nA fine film,긍정\nA dull film,부정\n"
    assert read(text.encode("cp949")) == ("cp949", text)


def test_a_smart_quote_far_down_does_not_make_english_korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "SAMPLE_BYTES", 1000)
    text = "text,label\n" + "plain words,pos\n" * 200 + "It’s fine,pos\n"
    assert read(text.encode("cp1252")) == ("cp1252", text)


def test_a_character_on_the_edge_of_the_sample_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    for size in range(60, 66):
        monkeypatch.setattr(decoding, "SAMPLE_BYTES", size)
        assert read((KOREAN * 5).encode("cp949"))[0] == "cp949"


def test_a_few_broken_bytes_leave_a_korean_file_utf8() -> None:
    encoding, text = read((KOREAN * 3).encode() + b"\xec\x98,\xea\xb8\x8d\xec\xa0\x95\n")
    assert encoding == "utf-8"
    assert decoding.BROKEN.search(text)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("これは素晴らしい映画でした\nつまらない作品だった\n", "shift_jis"),
        ("Это был очень хороший фильм\n", "koi8-r"),
        ("这部电影非常好看,我很喜欢\n", "gbk"),
    ],
)
def test_other_encodings_are_refused_rather_than_misread(text: str, codec: str) -> None:
    with pytest.raises(DataError, match=r"encoding that was not recognised.*CSV UTF-8"):
        decode((text * 5).encode(codec), "reviews.csv")


def test_binary_data_is_refused() -> None:
    with pytest.raises(DataError, match="binary data"):
        decode(b"text,label\n" + bytes(range(32)) * 10, "reviews.csv")


def test_random_bytes_are_refused() -> None:
    with pytest.raises(DataError):
        decode(b"\x01\x02" + np.random.default_rng(0).bytes(4096), "reviews.csv")


def test_a_single_nul_does_not_make_a_small_file_binary() -> None:
    assert read(b"text,label\na\0b,pos\n") == ("utf-8", "text,label\na\0b,pos\n")


def test_cut_off_utf16_is_named_as_such() -> None:
    with pytest.raises(DataError, match=r"UTF-16.*cut off"):
        decode(KOREAN.encode("utf-16")[:-1], "reviews.csv")


def test_binary_data_behind_a_utf16_mark_is_refused() -> None:
    with pytest.raises(DataError):
        decode(codecs.BOM_UTF16_LE + b"\x01\0\x02\0" * 50, "reviews.csv")


def test_every_kind_of_line_end_comes_out_as_one_line_end() -> None:
    assert read(b"a\r\nb\rc\nd") == ("utf-8", "a\nb\nc\nd")


def test_unicode_line_separators_do_not_end_a_line() -> None:
    lines = list(decode("a\u2028b\x85c\x0bd\n".encode(), "x").lines())
    assert len(lines) == 1


def test_the_head_is_bounded_by_lines_and_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    source = decode(b"line\n" * 5000, "x")
    assert len(source.head()) == decoding.HEAD_LINES
    monkeypatch.setattr(decoding, "HEAD_CHARACTERS", 50)
    assert len(source.head()) == 10
