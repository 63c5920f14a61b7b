"""Running text from plain files and tables."""

import gzip

import pytest

from tl_core.data.corpus import corpus_of, is_table, read_corpus, read_corpus_file
from tl_core.data.samples import read_sample
from tl_core.errors import DataError


def test_each_line_of_a_text_is_a_text():
    found = read_corpus("one line\r\n\n  \n둘째 줄\n".encode(), "a.txt")
    assert found.texts == ("one line", "둘째 줄")
    assert (found.name, found.characters) == ("a.txt", 12)


def test_packed_text_is_unpacked():
    assert read_corpus(gzip.compress(b"packed text"), "a.txt.gz").texts == ("packed text",)


def test_a_column_of_a_table_is_guessed_or_named():
    content = b"id,review,label\n1,a good film,pos\n2,a bad film,neg\n3,,neg\n"
    assert read_corpus(content, "a.csv").texts == ("a good film", "a bad film")
    assert read_corpus(content, "a.csv", "label").texts == ("pos", "neg", "neg")
    assert read_corpus(gzip.compress(content), "a.CSV.gz").texts == ("a good film", "a bad film")
    assert len(corpus_of(read_sample("film-reviews-ko")).texts) == 120


def test_what_a_table_is_its_name_says():
    assert [is_table(each) for each in ("a.csv", "a.tsv.gz", "a.txt", "csv")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.txt", "is empty"),
        (b"\n \n", "a.txt", "is empty"),
        (b"PK\x03\x04rest", "a.txt", "zip archive, not plain text"),
        (b"\x80\x04pickle", "a.txt", "pickle"),
        (b"\x1f\x8bbroken", "a.txt.gz", "is cut off"),
        (b"\xff\xfeabc", "a.txt", "plain text in UTF-8"),
        (b"text,label\n,pos\n ,neg\n", "a.csv", "holds no text"),
    ],
)
def test_what_is_no_text_is_told(content, name, message):
    with pytest.raises(DataError, match=message):
        read_corpus(content, name)


def test_a_missing_column_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(DataError, match="has no column 'body'. It has: text, label"):
        read_corpus(b"text,label\na b,c\n", "a.csv", "body")
    with pytest.raises(DataError, match="cannot be opened"):
        read_corpus_file(tmp_path / "none.txt")
