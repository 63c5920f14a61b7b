from __future__ import annotations

import gzip
import io
import logging
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tl_core.errors import ConfigError, DataError
from tl_core.training.events import Progress
from tl_core.vectors.files import fasttext as fasttext_module
from tl_core.vectors.files import read as read_module
from tl_core.vectors.files import stream as stream_module
from tl_core.vectors.files.read import (
    ReadVectors,
    read_vector_file,
    read_vectors_events,
    write_word2vec_text,
)

GLOVE = "the 0.5 -1.25 3\nof 1e-1 .5 -2\n, 0.25 0.75 1.5\n"
WORDS = ["the", "of", ","]
ROWS = np.array([[0.5, -1.25, 3], [0.1, 0.5, -2], [0.25, 0.75, 1.5]], dtype=np.float32)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of at most 24 bytes are kept: two words of width 3."""
    monkeypatch.setattr(read_module, "MOST_BYTES", 24)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read 16 bytes at a time."""
    monkeypatch.setattr(stream_module, "BLOCK_BYTES", 16)


def read(
    folder: Path,
    content: str | bytes,
    *,
    name: str = "made.vec",
    top: int | None = None,
    words: str | bytes | None = None,
) -> ReadVectors:
    """What is read of a file with this content, which lies under another name than its own."""
    path = folder / "upload"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    listed = None
    if words is not None:
        listed = folder / "words.txt"
        listed.write_bytes(words.encode() if isinstance(words, str) else words)
    return read_vector_file(path, name, top=top, words_path=listed)


def refusal(folder: Path, content: str | bytes, **more: object) -> str:
    """The sentence with which this content is refused."""
    with pytest.raises(DataError) as caught:
        read(folder, content, **more)  # type: ignore[arg-type]
    return str(caught.value)


def binary(words: list[str | bytes], rows: NDArray[np.float32], *, line_ends: bool = True) -> bytes:
    """A word2vec binary, made by its description."""
    out = f"{len(words)} {rows.shape[1]}\n".encode()
    for word, row in zip(words, rows, strict=True):
        out += (word.encode() if isinstance(word, str) else word) + b" " + row.astype("<f4").tobytes()
        out += b"\n" if line_ends else b""
    return out


def array(table: NDArray[np.generic]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, table, allow_pickle=True)
    return stream.getvalue()


@pytest.fixture(scope="module")
def fasttext(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small fastText model in Facebook's form, with Korean and one-letter words."""
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    logging.getLogger("gensim").setLevel(logging.ERROR)
    texts = [["king", "queen", "a", "서울은", "naïve", "extraordinarily"], ["king", "a", "서울은", "man"]] * 3
    model = FastText(texts, vector_size=5, min_count=1, bucket=50, epochs=2, seed=1, workers=1)
    path = tmp_path_factory.mktemp("fasttext") / "model.bin"
    save_facebook_model(model, str(path))
    return path


# GloVe text


def test_glove_text_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, GLOVE)
    assert found.words == WORDS
    assert found.rows.dtype == np.float32
    np.testing.assert_array_equal(found.rows, ROWS)
    assert (found.form, found.notes) == ("GloVe text", ())


def test_a_byte_order_mark_windows_line_ends_and_trailing_spaces_change_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, "\ufeff" + GLOVE.replace("\n", " \r\n"))
    assert found.words == WORDS
    np.testing.assert_array_equal(found.rows, ROWS)


def test_the_last_line_needs_no_line_end_and_empty_lines_may_follow_it(tmp_path: Path) -> None:
    assert read(tmp_path, GLOVE.rstrip()).words == WORDS
    assert read(tmp_path, GLOVE + "\n\r\n\n").words == WORDS


def test_words_may_hold_spaces(tmp_path: Path) -> None:
    found = read(tmp_path, GLOVE + ". . . 1.5 2 3\nat name@domain.com 1 2 3.5\napollo 11 0.5 1 2\n")
    assert found.words == [*WORDS, ". . .", "at name@domain.com", "apollo 11"]
    np.testing.assert_array_equal(found.rows[3:], [[1.5, 2, 3], [1, 2, 3.5], [0.5, 1, 2]])


def test_a_first_word_with_spaces_or_of_digits_does_not_mislead_the_width(tmp_path: Path) -> None:
    assert read(tmp_path, ". . 0.5 1 2\n" + GLOVE).rows.shape == (4, 3)
    assert read(tmp_path, "12 0.5 1 2\n" + GLOVE).words[0] == "12"


def test_spaces_of_other_kinds_belong_to_the_word(tmp_path: Path) -> None:
    assert read(tmp_path, "a\u00a0b 1 2\nc\u2028d 3 4\n").words == ["a\u00a0b", "c\u2028d"]


def test_words_that_look_like_numbers_are_words(tmp_path: Path) -> None:
    assert read(tmp_path, "nan 0.5 1\n-1 0.5 2\n1e5 0.5 3\n").words == ["nan", "-1", "1e5"]


@pytest.mark.usefixtures("small_blocks")
def test_lines_and_records_over_block_borders_are_read_whole(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path, GLOVE).rows, ROWS)
    np.testing.assert_array_equal(read(tmp_path, "3 3\n" + GLOVE + "\n" * 40).rows, ROWS)
    np.testing.assert_array_equal(read(tmp_path, binary([*WORDS], ROWS) + b"\n").rows, ROWS)
    assert "line 4:" in refusal(tmp_path, GLOVE + "it 1 x 2\n")


def test_text_with_a_number_too_few_is_refused_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, GLOVE + "it 1 2\n")
    assert said.startswith("made.vec, line 4: 2 values, but the other lines have 3. ")
    assert "line 4: 0 values" in refusal(tmp_path, GLOVE + "it\n")


def test_text_with_a_number_too_many_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 4: 4 values, but the other lines have 3." in refusal(tmp_path, GLOVE + "it 0.5 1 2 3\n")
    assert "line 3: 3 values, but the other lines have 2." in refusal(tmp_path, "a 1 2\nb 1 2\nc 1 2 3\n")


def test_a_value_that_is_not_a_number_is_quoted_with_its_line(tmp_path: Path) -> None:
    assert "line 4: '2,5' is not a number" in refusal(tmp_path, GLOVE + "it 1 2,5 3\n")
    assert f"line 4: '{'x' * 20}'... is not" in refusal(tmp_path, GLOVE + f"it 1 {'x' * 21} 3\n")
    for odd in ("1_0", "0x1", "1d3", "", "1\t2", "\u0663"):
        assert "line 4: " in refusal(tmp_path, GLOVE + f"it 1 {odd} 3\n")


def test_errors_that_would_make_up_for_one_another_are_found(tmp_path: Path) -> None:
    assert "line 4: '1\\t2' is not" in refusal(tmp_path, GLOVE + "it 1\t2 3 4\nis 1  2\n")


@pytest.mark.parametrize(("value", "kind"), [("nan", "NaN"), ("-inf", "infinite"), ("1e39", "infinite")])
def test_a_value_that_is_not_finite_is_refused_with_line_and_word(
    tmp_path: Path, value: str, kind: str
) -> None:
    assert f"line 4: value 2 of 'it' is {kind}" in refusal(tmp_path, GLOVE + f"it 1 {value} 3\n")


def test_an_empty_word_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 4: the word is empty" in refusal(tmp_path, GLOVE + " 1 2 3\n")
    assert "line 4: the word is empty" in refusal(tmp_path, GLOVE + "   1 2 3.5\n")


def test_an_empty_line_between_others_is_refused(tmp_path: Path) -> None:
    assert "line 4 is empty" in refusal(tmp_path, GLOVE + "\nit 1 2 3\n")


@pytest.mark.usefixtures("small_blocks")
def test_empty_lines_over_block_borders_are_refused_by_the_number_of_the_first(tmp_path: Path) -> None:
    assert "line 4 is empty" in refusal(tmp_path, GLOVE + "\n" * 40 + "it 1 2 3\n")


@pytest.mark.parametrize(("letter", "kind"), [("\t", "a tab"), ("\0", "a NUL"), ("\r", "a line end")])
def test_a_word_with_a_control_character_is_refused_with_its_line(
    tmp_path: Path, letter: str, kind: str
) -> None:
    said = refusal(tmp_path, GLOVE + f"i{letter}t 1 2 3\n")
    assert "line 4" in said
    assert f"holds {kind}" in said


def test_duplicate_words_are_left_out_and_noted(tmp_path: Path) -> None:
    found = read(tmp_path, GLOVE + "of 9 9 9\nit 1 2 3\nthe 8 8 8\n")
    assert found.words == [*WORDS, "it"]
    np.testing.assert_array_equal(found.rows[:3], ROWS)
    assert found.notes == ("2 duplicate words were left out (first: 'of'), the first row of each is kept.",)


@pytest.mark.usefixtures("small_blocks")
def test_duplicates_of_an_earlier_block_are_found(tmp_path: Path) -> None:
    found = read(tmp_path, GLOVE + "of 9 9 9\n")
    np.testing.assert_array_equal(found.rows, ROWS)
    assert found.notes[0].startswith("1 duplicate word was left out")


def test_a_file_of_mostly_duplicates_is_refused(tmp_path: Path) -> None:
    assert "3 of 5 words stand in the file before" in refusal(tmp_path, "a 1 2\nb 1 2\n" + "a 1 2\n" * 3)


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    said = refusal(tmp_path, GLOVE.encode() + "café 1 2 3\n".encode("latin-1"))
    assert "line 4" in said
    assert "UTF-8" in said
    assert "UTF-16" in refusal(tmp_path, GLOVE.encode("utf-16"))


@pytest.mark.parametrize("content", ["", "\n \n", gzip.compress(b"", mtime=0)])
def test_an_empty_file_is_refused(tmp_path: Path, content: str | bytes) -> None:
    assert refusal(tmp_path, content).startswith("made.vec is empty.")


def test_a_text_of_one_column_is_refused(tmp_path: Path) -> None:
    assert "has only one column (line 1: 'apple')" in refusal(tmp_path, "apple\npear\n")
    assert "seem to be parted by '\\t'" in refusal(tmp_path, "apple\t1\t2\npear\t1\t2\n")


def test_prose_is_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "It was the best of times.\nIt was the worst of times, in 1775\n")
    assert "line 1: 'It was the best of t'... is not a word with its numbers" in said
    assert "GloVe text" in said


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.vectors.files.text.LONGEST_LINE", 30)
    assert "line 4 has more than 30 bytes" in refusal(tmp_path, GLOVE + "it" + " 1" * 20)


# Text with a header


@pytest.mark.parametrize("header", ["3 3\n", "\ufeff3 3\r\n", "3\t3 \n"])
def test_word2vec_text_is_read(tmp_path: Path, header: str) -> None:
    found = read(tmp_path, header + GLOVE)
    assert (found.words, found.form, found.notes) == (WORDS, "word2vec text", ())
    np.testing.assert_array_equal(found.rows, ROWS)


def test_fewer_lines_than_the_header_says_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "4 3\n" + GLOVE)
    assert "the header (line 1) says 4 words of width 3, but the file ends after line 4 with 3." in said


def test_more_lines_than_the_header_says_are_refused(tmp_path: Path) -> None:
    said = refusal(tmp_path, "2 3\n" + GLOVE)
    assert "line 4: the header (line 1) says 2 words of width 3, but more lines came" in said


def test_lines_of_another_width_than_the_header_says_are_refused(tmp_path: Path) -> None:
    assert "line 2: 3 values, but the header says 4." in refusal(tmp_path, "3 4\n" + GLOVE)
    assert "line 2: 3 values, but the header says 2." in refusal(tmp_path, "3 2\n" + GLOVE)


@pytest.mark.parametrize("header", ["0 3", "3 0", "0 0"])
def test_a_header_of_no_words_or_no_width_is_refused(tmp_path: Path, header: str) -> None:
    assert "both must be at least 1" in refusal(tmp_path, f"{header}\n{GLOVE}")


@pytest.mark.parametrize("header", ["9" * 30 + " 3", "3 " + "9" * 30, "9" * 30 + " " + "9" * 30])
def test_an_absurd_header_is_refused_by_what_came(tmp_path: Path, header: str) -> None:
    assert "999" in refusal(tmp_path, f"{header}\n{GLOVE}")
    assert "999" in refusal(tmp_path, header.encode() + binary([*WORDS], ROWS)[3:])
    assert "999" in refusal(tmp_path, gzip.compress(header.encode() + binary([*WORDS], ROWS)[3:]))


def test_a_bad_word_under_a_header_is_not_taken_for_binary(tmp_path: Path) -> None:
    assert "line 2: the word 'i\\x00t' holds a NUL" in refusal(tmp_path, "1 3\ni\0t 1 2 3\n")
    assert "line 2: 'caf\ufffd' is not UTF-8" in refusal(tmp_path, b"1 3\ncaf\xe9 1 2 3\n")


def test_written_text_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32)
    rows[0] = [0, 1, -1, 1e-40, np.finfo(np.float32).max, np.finfo(np.float32).tiny, 1 / 3]
    rows[1] = 2
    words = [f"w{at}" for at in range(36)] + ["서울", ". . .", "apollo 11", "a\u00a0b"]
    path = tmp_path / "out.txt"
    write_word2vec_text(path, words, rows)
    found = read_vector_file(path, "out.txt")
    assert found.words == words
    np.testing.assert_array_equal(found.rows, rows)


def test_written_text_is_read_by_gensim(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    path = tmp_path / "out.txt"
    write_word2vec_text(path, WORDS, ROWS)
    loaded = KeyedVectors.load_word2vec_format(str(path))
    assert loaded.index_to_key == WORDS
    np.testing.assert_array_equal(loaded.vectors, ROWS)


def test_what_cannot_be_read_back_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="word 2: the word 'a.nb' holds a line end"):
        write_word2vec_text(tmp_path / "out.txt", ["the", "a\nb", ","], ROWS)
    with pytest.raises(DataError, match="one row a word"):
        write_word2vec_text(tmp_path / "out.txt", WORDS[:2], ROWS)


# word2vec binary


@pytest.mark.parametrize("line_ends", [True, False])
def test_word2vec_binary_is_read(tmp_path: Path, line_ends: bool) -> None:
    found = read(tmp_path, binary(["the", "서울", ","], ROWS, line_ends=line_ends))
    assert (found.words, found.form, found.notes) == (["the", "서울", ","], "word2vec binary", ())
    np.testing.assert_array_equal(found.rows, ROWS)


def test_a_binary_of_gensim_is_read(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    made = KeyedVectors(3)
    made.add_vectors(WORDS, ROWS)
    made.save_word2vec_format(str(tmp_path / "made.bin"), binary=True)
    found = read_vector_file(tmp_path / "made.bin", "made.bin")
    assert found.words == WORDS
    np.testing.assert_array_equal(found.rows, ROWS)


def test_a_truncated_binary_is_refused_with_its_whole_words(tmp_path: Path) -> None:
    content = binary([*WORDS], ROWS)
    for cut in (2, 10, 14):
        said = refusal(tmp_path, content[:-cut])
        assert "it says 3 words of width 3, but the file holds 2 whole words" in said


def test_a_truncated_binary_with_long_words_is_refused_at_its_end(tmp_path: Path) -> None:
    content = binary(["w" * 100, "of", ","], ROWS)
    assert "but the file holds 2 whole words" in refusal(tmp_path, content[:-4])


def test_a_binary_with_more_than_its_header_says_is_refused(tmp_path: Path) -> None:
    content = binary([*WORDS], ROWS).replace(b"3 3", b"2 3", 1)
    assert "says 2 words of width 3, but more bytes come" in refusal(tmp_path, content)


def test_a_binary_whose_header_says_another_width_is_refused(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    content = binary([f"w{at}" for at in range(50)], rows)
    assert refusal(tmp_path, content.replace(b"50 8", b"50 7", 1))
    assert refusal(tmp_path, content.replace(b"50 8", b"50 9", 1))


def test_undecodable_words_of_a_binary_are_replaced_and_noted(tmp_path: Path) -> None:
    found = read(tmp_path, binary(["the", b"caf\xe9", ","], ROWS))
    assert found.words == ["the", "caf\ufffd", ","]
    assert found.notes == ("1 word was not UTF-8, broken bytes stand as \ufffd (first: 'caf\ufffd').",)


def test_a_binary_of_mostly_undecodable_words_is_refused(tmp_path: Path) -> None:
    assert "2 of 3 words are not UTF-8" in refusal(tmp_path, binary(["the", b"\xe9", b"\xe8"], ROWS))


def test_bad_words_and_values_of_a_binary_are_refused_with_the_words_number(tmp_path: Path) -> None:
    assert "word 2: the word is empty" in refusal(tmp_path, binary(["the", "", ","], ROWS))
    assert "word 2: the word 'a\\nb' holds a line end" in refusal(
        tmp_path, binary(["the", "a\nb", ","], ROWS)
    )
    rows = ROWS.copy()
    rows[1, 2] = np.nan
    assert "word 2: value 3 of 'of' is NaN" in refusal(tmp_path, binary([*WORDS], rows))


def test_a_word_without_an_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.vectors.files.binary.LONGEST_WORD", 20)
    content = binary(["the", "x" * 60, ","], ROWS)
    assert "word 2 has no end within 20 bytes" in refusal(tmp_path, content)


# fastText .bin


def test_a_fasttext_model_gives_the_vectors_that_gensim_gives(fasttext: Path) -> None:
    from gensim.models.fasttext import load_facebook_vectors

    expected = load_facebook_vectors(str(fasttext))
    found = read_vector_file(fasttext, "model.bin")
    assert found.words == expected.index_to_key
    assert found.form == "fastText binary"
    np.testing.assert_allclose(found.rows, expected.vectors, atol=1e-6)
    assert "cannot be made from their subwords" in found.notes[0]


def test_a_packed_fasttext_model_is_read(tmp_path: Path, fasttext: Path) -> None:
    packed = read(tmp_path, gzip.compress(fasttext.read_bytes()), top=3)
    plain = read_vector_file(fasttext, "model.bin")
    assert packed.words == plain.words[:3]
    np.testing.assert_array_equal(packed.rows, plain.rows[:3])
    assert packed.notes[0] == f"The first 3 of {len(plain.words)} words were taken."


def test_a_fasttext_model_cut_anywhere_is_refused(tmp_path: Path, fasttext: Path) -> None:
    content = fasttext.read_bytes()
    for end in [*range(4, 200, 7), *range(200, len(content), 97), len(content) - 1]:
        assert "made.vec" in refusal(tmp_path, content[:end])


@pytest.mark.parametrize("field", range(2, 20))
@pytest.mark.parametrize("value", [-1, 2**31 - 1])
def test_a_fasttext_header_that_lies_never_breaks_the_reading(
    tmp_path: Path, fasttext: Path, field: int, value: int
) -> None:
    content = bytearray(fasttext.read_bytes())
    struct.pack_into("<i", content, 4 * field, value)
    try:
        found = read(tmp_path, bytes(content))
    except DataError:
        return
    assert np.isfinite(found.rows).all()


def test_compressed_and_classifying_fasttext_models_are_refused(tmp_path: Path, fasttext: Path) -> None:
    content = fasttext.read_bytes()
    labels = bytearray(content)
    struct.pack_into("<i", labels, 8 + 12 * 4 + 8 + 8, 2)
    assert "classifier with 2 labels" in refusal(tmp_path, bytes(labels))
    pruned = bytearray(content)
    struct.pack_into("<q", pruned, 8 + 12 * 4 + 8 + 12 + 8, 5)
    assert "compressed fastText model (.ftz)" in refusal(tmp_path, bytes(pruned))


def test_a_word_that_is_not_utf8_still_has_its_subwords(tmp_path: Path, fasttext: Path) -> None:
    content = fasttext.read_bytes()
    found = read(tmp_path, content.replace("naïve".encode(), b"na\xef\xefve"))
    assert "na\ufffd\ufffdve" in found.words
    assert any("1 word was not UTF-8" in note for note in found.notes)


def test_subwords_are_those_of_the_paper() -> None:
    assert [*fasttext_module._subwords(b"<where>", 3, 3)] == [b"<wh", b"whe", b"her", b"ere", b"re>"]
    assert [*fasttext_module._subwords("<é>".encode(), 1, 2)] == ["<é".encode(), "é".encode(), "é>".encode()]


# NumPy array with a word list


@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f4", "f8", "i4", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_with_its_words_is_read(tmp_path: Path, dtype: str, order: str) -> None:
    table = np.array([[1, 2], [3, 4], [5, 6]], dtype=dtype, order=order)  # type: ignore[call-overload]
    found = read(tmp_path, array(table), words="the\n서 울\r\n,\n")
    assert (found.words, found.form) == (["the", "서 울", ","], "NumPy array with a word list")
    assert found.rows.dtype == np.float32
    np.testing.assert_array_equal(found.rows, [[1, 2], [3, 4], [5, 6]])


def test_a_packed_array_with_a_packed_list_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, gzip.compress(array(ROWS)), words=gzip.compress(b"the\nof\n,"), top=2)
    assert (found.words, found.notes) == (WORDS[:2], ("The first 2 of 3 words were taken.",))
    np.testing.assert_array_equal(found.rows, ROWS[:2])


def test_an_array_without_a_list_asks_for_it(tmp_path: Path) -> None:
    assert "Give the list of its words" in refusal(tmp_path, array(ROWS))


def test_a_list_of_another_length_is_refused(tmp_path: Path) -> None:
    assert "words.txt has 2 words, but made.vec has 3 rows" in refusal(tmp_path, array(ROWS), words="a\nb\n")
    assert "more than 3 words" in refusal(tmp_path, array(ROWS), words="a\nb\nc\nd\n")


def test_bad_words_of_a_list_are_refused_with_its_name_and_line(tmp_path: Path) -> None:
    assert "words.txt, line 2 is empty" in refusal(tmp_path, array(ROWS), words="a\n\nb\n")
    assert "words.txt, line 2: the word 'b\\tc' holds a tab" in refusal(
        tmp_path, array(ROWS), words="a\nb\tc\nd"
    )
    assert "words.txt, line 2: " in refusal(tmp_path, array(ROWS), words=b"a\n\xe9\nb\n")


@pytest.mark.parametrize(
    "table",
    [
        np.ones(3),
        np.ones((1, 2, 3)),
        np.ones((0, 3)),
        np.ones((3, 0)),
        np.ones((3, 2), dtype=bool),
        np.ones((3, 2), dtype=complex),
        np.array([["a"]] * 3),
    ],
)
def test_an_array_that_is_no_table_of_numbers_is_refused(tmp_path: Path, table: NDArray[np.generic]) -> None:
    assert "must be a table of numbers" in refusal(tmp_path, array(table), words="a\nb\nc\n")


def test_an_array_of_objects_is_never_opened(tmp_path: Path) -> None:
    content = array(np.array([[{}]], dtype=object))
    assert "without running code" in refusal(tmp_path, content, words="a\n")


def test_a_cut_off_array_is_refused(tmp_path: Path) -> None:
    for end in (6, 20, 100, len(array(ROWS)) - 1):
        assert "cut off" in refusal(tmp_path, array(ROWS)[:end], words="the\nof\n,\n")


@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (1e300, "infinite")])
def test_a_value_of_an_array_that_is_not_finite_is_refused_with_row_and_word(
    tmp_path: Path, value: float, kind: str
) -> None:
    table = ROWS.astype(np.float64)
    table[1, 0] = value
    assert f"row 2: value 1 of 'of' is {kind}" in refusal(tmp_path, array(table), words="the\nof\n,\n")


def test_a_list_beside_a_file_that_holds_its_own_words_is_refused(tmp_path: Path) -> None:
    assert "Leave the word list out" in refusal(tmp_path, GLOVE, words="the\nof\n,\n")


# Other kinds


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_is_refused_with_the_way_to_convert_it(tmp_path: Path, protocol: int) -> None:
    said = refusal(tmp_path, pickle.dumps({"a": 1}, protocol=protocol), name="model.kv")
    assert said.startswith("model.kv is a Python pickle")
    assert "save_word2vec_format('FILE.txt')" in said
    assert ".wv." in said


def test_the_way_to_convert_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gensim.models import KeyedVectors

    made = KeyedVectors(3)
    made.add_vectors(WORDS, ROWS)
    monkeypatch.chdir(tmp_path)
    made.save("FILE")
    with pytest.raises(DataError, match="is a Python pickle"):
        read_vector_file(Path("FILE"), "FILE")
    code = read_module.CONVERT.split('python -c "')[1].split('"')[0]
    exec(code, {})
    assert read_vector_file(Path("FILE.txt"), "FILE.txt").words == WORDS


def test_a_zip_archive_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", "")
    said = refusal(tmp_path, stream.getvalue())
    assert "zip archive" in said
    assert "PyTorch" in said


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG picture"),
        (b"%PDF-1.7\n", "PDF document"),
        (b"BZh91AY", "bzip2"),
        (bytes(range(256)) * 4, "binary data"),
        (
            gzip.compress(gzip.compress(GLOVE.encode(), mtime=0), mtime=0),
            "compressed file inside a compressed file",
        ),
    ],
)
def test_other_kinds_of_files_are_named(tmp_path: Path, content: bytes, kind: str) -> None:
    assert kind in refusal(tmp_path, content)


def test_a_missing_file_is_refused_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^glove\.txt cannot be read"):
        read_vector_file(tmp_path / "upload", "glove.txt")


# gzip, limits, the first words


@pytest.mark.parametrize("content", [GLOVE.encode(), b"3 3\n" + GLOVE.encode(), binary([*WORDS], ROWS)])
def test_every_stream_may_be_packed(tmp_path: Path, content: bytes) -> None:
    found = read(tmp_path, gzip.compress(content))
    assert found.words == WORDS
    np.testing.assert_array_equal(found.rows, ROWS)


@pytest.mark.parametrize("content", [GLOVE.encode() * 1, binary([*WORDS], ROWS), array(ROWS)])
def test_a_cut_off_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    said = refusal(tmp_path, gzip.compress(content)[:-9], words="a\n" if content[:1] == b"\x93" else None)
    assert "made.vec is cut off: the packed data has no end" in said


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(GLOVE.encode() * 50))
    content[12:30] = b"\xff" * 18
    assert "made.vec cannot be unpacked" in refusal(tmp_path, bytes(content))


@pytest.mark.parametrize(
    ("begin", "repeated", "said"),
    [
        (b"", b"a 1 1\n", "unpacks to more than 800,000 bytes"),
        (GLOVE.encode(), b"\n", "unpacks to more than 800,000 bytes"),
        (b"a 0 0", b"0", "line 1 has more than"),
        (b"9 9\na \0\0", b"\0", "word 2 has no end within"),
        (b"9 99999\na \0\0", b"\0", "9 words of width 99,999 need 3.43 MB"),
        (b"9 99999999\na \0\0", b"\0", "the file holds 0 whole words"),
    ],
    ids=["words", "empty lines", "one line", "binary", "wide binary", "absurd binary"],
)
def test_a_gzip_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begin: bytes, repeated: bytes, said: str
) -> None:
    monkeypatch.setattr(read_module, "MOST_BYTES", 200_000)
    monkeypatch.setattr(read_module, "HEAD_BYTES", 10_000)
    monkeypatch.setattr("tl_core.vectors.files.text.LONGEST_LINE", 100_000)
    monkeypatch.setattr(stream_module, "BLOCK_BYTES", 50_000)
    assert said in refusal(tmp_path, gzip.compress(begin + repeated * 3_000_000, 1))


@pytest.mark.usefixtures("small_limit")
def test_a_packed_model_that_is_too_large_for_a_copy_is_refused(tmp_path: Path, fasttext: Path) -> None:
    assert "unpacks to more than 96 bytes" in refusal(tmp_path, gzip.compress(fasttext.read_bytes()))


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (GLOVE.encode(), "more than 2 words of width 3 need more than 24 bytes"),
        (GLOVE.encode() * 2, "about 6 words of width 3 need 72 bytes"),
        (b"3 3\n" + GLOVE.encode(), "3 words of width 3 need 36 bytes"),
        (binary([*WORDS], ROWS), "3 words of width 3 need 36 bytes"),
        (array(ROWS), "3 words of width 3 need 36 bytes"),
    ],
)
def test_rows_beyond_the_limit_are_refused_with_how_many_words_fit(
    tmp_path: Path, content: bytes, said: str
) -> None:
    words = "the\nof\n,\n" if content.startswith(b"\x93") else None
    told = refusal(tmp_path, content, words=words)
    assert said in told
    assert "at most 24 bytes are kept. Take the first 2 words (top), or fewer." in told
    assert read(tmp_path, content, words=words, top=2).words == WORDS[:2]


def test_a_fasttext_model_beyond_the_limit_is_refused(
    fasttext: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_module, "MOST_BYTES", 100)
    with pytest.raises(DataError, match=r"7 words of width 5 need 140 bytes .* first 5 words"):
        read_vector_file(fasttext, "model.bin")
    assert len(read_vector_file(fasttext, "model.bin", top=5).words) == 5


def test_the_real_limit_offers_words_in_whole_thousands(tmp_path: Path) -> None:
    path = tmp_path / "sparse.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (3_000_000, 300)).flush()  # sparse on disk
    with pytest.raises(DataError, match=r"need 3\.4 GB .* 2\.0 GB are kept\. Take the first 1,789,000 words"):
        read_vector_file(path, "sparse.npy", words_path=tmp_path / "none.txt")


@pytest.mark.parametrize("header", ["", "4 3\n"])
def test_the_first_words_are_taken_and_nothing_after_them_is_looked_at(tmp_path: Path, header: str) -> None:
    found = read(tmp_path, f"{header}{GLOVE}broken x y z\n", top=2)
    assert found.words == WORDS[:2]
    np.testing.assert_array_equal(found.rows, ROWS[:2])
    of = "of 4 words were taken." if header else "words were taken; the file goes on."
    assert found.notes == (f"The first 2 {of}",)


def test_duplicates_do_not_count_among_the_first_words(tmp_path: Path) -> None:
    found = read(tmp_path, "the 1 2\nthe 3 4\nof 5 6\nit 7 8\n", top=2)
    assert found.words == ["the", "of"]
    assert len(found.notes) == 2


def test_as_many_words_as_there_are_or_more_need_no_note(tmp_path: Path) -> None:
    for top in (3, 4):
        assert read(tmp_path, GLOVE, top=top).notes == ()
        assert read(tmp_path, binary([*WORDS], ROWS), top=top).notes == ()


def test_a_top_below_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="top must be at least 1; got 0"):
        read(tmp_path, GLOVE, top=0)


# Progress


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("kind", ["text", "binary", "array", "fasttext"])
def test_progress_is_in_bytes_of_the_file_never_goes_back_and_ends_at_its_total(
    tmp_path: Path, fasttext: Path, kind: str, pack
) -> None:
    contents = {"text": GLOVE.encode(), "binary": binary([*WORDS], ROWS), "array": array(ROWS)}
    path = tmp_path / "upload"
    path.write_bytes(pack(contents.get(kind) or fasttext.read_bytes()))
    listed = tmp_path / "words.txt"
    listed.write_text("the\nof\n,\n", encoding="utf-8")
    words_path = listed if kind == "array" else None
    events = [*read_vectors_events(path, "made", words_path=words_path)]
    assert all(isinstance(event, Progress) for event in events)
    done = [event.done for event in events]  # type: ignore[union-attr]
    assert done == sorted(done)
    assert len(done) > 1
    assert events[-1] == Progress(path.stat().st_size, path.stat().st_size)


def test_a_closed_reading_leaves_no_copy_behind(
    tmp_path: Path, fasttext: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(aside))
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(fasttext.read_bytes()))
    events = read_vectors_events(path, "model.bin.gz")
    next(events)
    assert [*aside.iterdir()]
    events.close()
    assert not [*aside.iterdir()]
