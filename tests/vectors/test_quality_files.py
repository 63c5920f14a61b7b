"""Files of analogies and of scored pairs are told apart, read as they are found, and refused by line."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tl_core.errors import DataError
from tl_core.vectors import quality_files
from tl_core.vectors.quality_files import (
    BUNDLED,
    AnalogySection,
    AnalogySet,
    SimilaritySet,
    read_bundled,
    read_quality,
)

CATS = ("tiger", "cat", 7.35)


def read_text(text: str, encoding: str = "utf-8") -> AnalogySet | SimilaritySet:
    return read_quality(text.encode(encoding), "mine.txt")


def test_googles_form_is_sections_of_four_words() -> None:
    found = read_text(
        ": capitals\nAthens Greece\tOslo  Norway\n\n: gram1\nbig bigger old older\nbig bigger bad worse\n"
    )
    assert found == AnalogySet(
        "mine.txt",
        (
            AnalogySection("capitals", (("Athens", "Greece", "Oslo", "Norway"),)),
            AnalogySection("gram1", (("big", "bigger", "old", "older"), ("big", "bigger", "bad", "worse"))),
        ),
    )
    assert found.total == 3


def test_korean_sections_begin_with_a_number_sign() -> None:
    found = read_text("# 국가 - 수도\n대한민국 서울 일본 도쿄\n# 남자 - 여자\n왕 여왕 남자 여자\n")
    assert isinstance(found, AnalogySet)
    assert [each.name for each in found.sections] == ["국가 - 수도", "남자 - 여자"]


def test_among_sections_with_colons_a_number_sign_is_a_comment() -> None:
    found = read_text("# made by hand\n: one\na b c d\n# and so on\ne f g h\n")
    assert isinstance(found, AnalogySet)
    assert [(each.name, len(each.questions)) for each in found.sections] == [("one", 2)]


def test_questions_without_a_section_are_named_after_the_file_and_empty_sections_are_left_out() -> None:
    found = read_text("a b c d\n: none\n: some\ne f g h\n")
    assert isinstance(found, AnalogySet)
    assert [each.name for each in found.sections] == ["mine.txt", "some"]


@pytest.mark.parametrize(
    "line",
    [
        "tiger\tcat\t7.35",
        "tiger,cat,7.35",
        "tiger;cat;7.35",
        "tiger;cat;7,35",
        "tiger  cat 7.35",
        '"tiger", cat ,7.35',
    ],
)
@pytest.mark.parametrize("before", ["", "# comment\n\n"])
def test_pairs_are_parted_by_any_of_four_delimiters(line: str, before: str) -> None:
    assert read_text(f"{before}{line}\n") == SimilaritySet("mine.txt", (CATS,))


@pytest.mark.parametrize(
    "text",
    [
        "Word 1\tWord 2\tHuman (mean)\ntiger\tcat\t7.35",
        "word1 word2 score\ntiger cat 7.35",
        "낱말1,낱말2,점수\r\ntiger,cat,7.35\r\n",
    ],
)
def test_a_header_is_no_pair(text: str) -> None:
    assert read_text(text) == SimilaritySet("mine.txt", (CATS,))


def test_a_word_of_two_parts_stands_between_tabs() -> None:
    assert read_text("New York\tcity\t9\n") == SimilaritySet("mine.txt", (("New York", "city", 9.0),))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp949"])
def test_korean_pairs_are_read_in_the_encodings_that_excel_writes(encoding: str) -> None:
    found = read_text("사랑,우정,6.77\n호랑이,고양이,7.35\n호랑이,호랑이,10\n", encoding)
    assert isinstance(found, SimilaritySet)
    assert found.pairs[1:] == (("호랑이", "고양이", 7.35), ("호랑이", "호랑이", 10.0))


def test_a_packed_file_is_read() -> None:
    packed = gzip.compress(b"tiger,cat,7.35\n")
    assert read_quality(packed, "mine.gz") == SimilaritySet("mine.gz", (CATS,))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (": one\na b c d\na b c\n", "line 3: 'a b c' must be four words"),
        ("a b c d\na b c d e\n", "line 2: 'a b c d e' must be four words"),
        ("tiger,cat,7.35\nlove,sex\n", "line 2: 'love,sex' must be two words and a number"),
        ("tiger,cat,7.35\nlove,sex,high\n", "line 2"),
        ("tiger,cat,7.35\nlove,,3\n", "line 2"),
        ("tiger,cat,7.35\nlove,sex,nan\n", "line 2"),
        ("tiger,cat,7.3.5\nlove,sex,6\n", "line 1"),
        ("New York city 3.5\n", "line 1: 'New York city 3.5' must hold analogies"),
        ("old\tnew\tA\t1.58\t2.72\n", "line 1"),
        ("two words\n", "line 1"),
        (f"tiger,cat,1\n{'x' * 200_000}\n", "line 2: 'x{60}\\.\\.\\.'"),
        ("", "holds no words"),
        (" \n\n", "holds no words"),
        ("# one\n# two\n", "holds no words"),
        (": one\n: two\n", "holds no words"),
        ("word1,word2,score\n", "holds no pairs"),
    ],
)
def test_what_cannot_be_read_is_told_by_line(text: str, told: str) -> None:
    with pytest.raises(DataError, match=told) as raised:
        read_text(text)
    assert "mine.txt" in str(raised.value)
    assert len(str(raised.value)) < 500


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DataError, match="plain text in UTF-8"):
        read_quality(bytes(range(256)) * 10, "picture.png")
    korean = "호랑이,고양이,7.35\n".encode() * 20
    with pytest.raises(DataError, match="line 21: bytes that are not UTF-8"):
        read_quality(korean + b"\xff,cat,1\n", "mine.csv")


def test_files_beyond_the_limits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="at most 5 are read"):
        read_text("tiger,cat,7.35\n" * 400_000)
    with pytest.raises(DataError, match="more than"):
        read_quality(gzip.compress(b"tiger,cat,7.35\n" * 1_000_000), "mine.gz")
    monkeypatch.setattr(quality_files, "MOST_ROWS", 3)
    with pytest.raises(DataError, match="4 pairs; at most 3"):
        read_text("tiger,cat,7.35\n" * 4)


@pytest.mark.parametrize(("name", "total"), [("google", 19_544), ("wordsim353", 353), ("simlex999", 999)])
def test_the_sets_in_gensims_wheel_are_read_whole(name: str, total: int) -> None:
    found = read_bundled(name)
    assert (found.name, found.total) == (name, total)
    assert isinstance(found, AnalogySet) == (name == "google")
    assert name in BUNDLED


def test_googles_set_has_its_fourteen_sections() -> None:
    found = read_bundled("google")
    assert isinstance(found, AnalogySet)
    assert len(found.sections) == 14
    assert found.sections[0].name == "capital-common-countries"
    assert found.sections[0].questions[0] == ("Athens", "Greece", "Baghdad", "Iraq")


def test_another_name_or_a_missing_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="choose one of: google, wordsim353, simlex999"):
        read_bundled("men")
    monkeypatch.setattr(quality_files, "package_folder", lambda _: tmp_path)
    with pytest.raises(DataError, match="Reinstall gensim"):
        read_bundled("google")
    monkeypatch.setattr(quality_files, "package_folder", lambda _: None)
    with pytest.raises(DataError, match="pip install gensim"):
        read_bundled("google")


def test_the_sets_are_read_without_gensim_or_torch() -> None:
    code = (
        "import sys; from tl_core.vectors.quality_files import read_bundled; read_bundled('simlex999'); "
        "import tl_core.vectors.quality; print({'gensim', 'torch', 'scipy'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8")
    assert out.stdout.strip() == "set()"
