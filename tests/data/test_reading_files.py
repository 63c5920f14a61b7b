from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tl_core.data import reading_files
from tl_core.data.reading import Answer, Passage, Question, ReadingSet, joined
from tl_core.data.reading_files import read_reading, read_reading_file, read_squad, write_squad
from tl_core.errors import DataError

CONTEXT = "Seoul is the capital of Korea. The Han flows through Seoul."
KOREAN = "대한민국의 수도는 서울이다. 한강이 서울을 지난다."
LECTURE = b"[CLS] who ? [SEP] ann and ben [SEP]\t4\t4\n"


def qa(identifier: str, answer: str = "Seoul", start: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "question": "Which city?", "answers": [given(answer, start)], **more}


def given(text: Any, start: Any) -> dict[str, Any]:
    return {"text": text, "answer_start": start}


def article(*qas: Any, context: Any = CONTEXT, title: str = "Seoul") -> dict[str, Any]:
    return {"title": title, "paragraphs": [{"context": context, "qas": list(qas)}]}


def content_of(*articles: Any, version: str = "1.1") -> bytes:
    return json.dumps({"version": version, "data": articles}).encode()


def read(*qas: Any, context: Any = CONTEXT) -> ReadingSet:
    """The set of these questions, besides one that is always good."""
    return read_reading(content_of(article(qa("good"), *qas, context=context)), "a.json")


def test_squad_1_is_read() -> None:
    second = given("the capital of Korea", 9)
    content = content_of(
        article(qa("a", start=0), {"id": "b", "question": "What is it?", "answers": [second, second]}),
        article(qa("c", "Han", 4), context="The Han is long.", title="Han"),
    )
    data = read_reading(content, "train-v1.1.json")
    assert data.name == "train-v1.1.json"
    assert data.passages == (Passage(CONTEXT, 0, "Seoul"), Passage("The Han is long.", 1, "Han"))
    assert [question.id for question in data.questions] == ["a", "b", "c"]
    assert data.questions[1].answers == (Answer("the capital of Korea", 9),) * 2
    assert data.questions[2] == Question("c", "Which city?", 1, (Answer("Han", 4),))
    assert data.refused == ()


def test_squad_2_says_which_questions_cannot_be_answered() -> None:
    impossible = {
        "id": "b",
        "question": "Which sea?",
        "answers": [],
        "plausible_answers": [given("Han", 35)],
        "is_impossible": True,
    }
    data = read(impossible, {"id": "c", "question": "Which lake?", "answers": []})
    assert [question.answerable for question in data.questions] == [True, False, False]
    assert data.answerable == 1


def test_korquad_is_read_with_offsets_in_characters() -> None:
    korean = {"id": "6566495-0-0", "question": "수도는 어디인가?", "answers": [given("서울", 10)]}
    whole = {"version": "KorQuAD_v1.0_dev", "data": [article(korean, context=KOREAN, title="대한민국")]}
    data = read_reading(json.dumps(whole, ensure_ascii=False).encode(), "KorQuAD_v1.0_dev.json")
    assert data.questions[0].answers == (Answer("서울", 10),)
    assert data.passages[0].title == "대한민국"


def test_offsets_behind_an_emoji_count_it_once() -> None:
    data = read_reading(content_of(article(qa("a", start=2), context="\U0001f600 Seoul")), "a.json")
    assert data.questions[0].answers == (Answer("Seoul", 2),)


def test_white_space_at_an_answers_ends_is_left_out() -> None:
    assert read(qa("b", " is the ", 5)).questions[1].answers == (Answer("is the", 6),)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (given("Seoul", 1), r"the answer 'Seoul' is not at 1, where 'eoul ' stands"),
        (given("Seoul", -5), "is not at -5"),
        (given("Seoul", 10**30), "is not at 1000"),
        (given("seoul", 0), "is not at 0, where 'Seoul' stands"),
        (given("Seoul", "0"), "whole number 'answer_start'"),
        (given("Seoul", True), "whole number 'answer_start'"),
        (given("Seoul", 0.0), "whole number 'answer_start'"),
        (given(None, 0), "needs 'text'"),
        (given(" ", 5), "an answer is empty"),
        ("Seoul", "needs 'text'"),
        (given("\ud800", 0), r"the answer '\\ud800' is not at 0"),
    ],
)
def test_a_wrong_answer_is_named_and_its_question_left_out(answer: Any, reason: str) -> None:
    data = read({"id": "b", "question": "Which city?", "answers": [answer]})
    assert [question.id for question in data.questions] == ["good"]
    (refused,) = data.refused
    assert refused.place == "data[0].paragraphs[0].qas[1] (b)"
    assert re.search(reason, refused.reason)


def test_a_question_keeps_those_of_its_answers_that_are_right() -> None:
    two = {"id": "b", "question": "Which city?", "answers": [given("Seoul", 3), given("Seoul", 53)]}
    data = read(two)
    assert data.questions[1].answers == (Answer("Seoul", 53),)
    assert data.refused == ()


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({"id": "b", "answers": []}, "no text under 'question'"),
        ({"id": "b", "question": " ", "answers": []}, "no text under 'question'"),
        ({"id": "b", "question": "Who?", "answers": {}}, "'answers' is not a list"),
        (["b"], "no text under 'question'"),
        (qa("good"), "this id stands in the file before"),
        ({"id": "b", "question": "Which \ud83d?", "answers": []}, "half of a character .* in 'question'"),
    ],
)
def test_a_question_that_cannot_be_used_is_named_and_left_out(question: Any, reason: str) -> None:
    data = read(question)
    assert len(data) == 1
    assert data.refused[0].place.startswith("data[0].paragraphs[0].qas[1]")
    assert re.search(reason, data.refused[0].reason)


@pytest.mark.parametrize(
    ("broken", "place", "reason"),
    [
        (article(qa("b"), context=""), "data[1].paragraphs[0]", "no text under 'context'"),
        (article(qa("b"), context=7), "data[1].paragraphs[0]", "no text under 'context'"),
        (
            article(qa("b"), context="half \udc00"),
            "data[1].paragraphs[0]",
            "half of a character (a lone surrogate) in 'context'",
        ),
        ({"title": "x"}, "data[1]", "no list under 'paragraphs'"),
        ([], "data[1]", "no list under 'paragraphs'"),
        ({"paragraphs": [{"context": "x", "qas": 1}]}, "data[1].paragraphs[0]", "'qas' is not a list"),
    ],
)
def test_a_passage_that_cannot_be_used_is_named_and_left_out(broken: Any, place: str, reason: str) -> None:
    data = read_reading(content_of(article(qa("a")), broken, article(qa("c"))), "a.json")
    assert [question.id for question in data.questions] == ["a", "c"]
    assert [data.passages[question.passage].article for question in data.questions] == [0, 2]
    assert [(refused.place, refused.reason) for refused in data.refused] == [(place, reason)]


def test_halves_of_characters_in_ids_and_titles_become_replacement_characters() -> None:
    data = read_reading(content_of(article(qa("b\ud800"), title="\udfffx")), "a.json")
    assert data.questions[0].id == "b\ufffd"
    assert data.passages[0].title == "\ufffdx"


def test_a_missing_title_is_empty_and_a_missing_id_is_the_place() -> None:
    untitled = {"title": None, "paragraphs": article({**qa(""), "id": None})["paragraphs"]}
    data = read_reading(content_of(untitled), "a.json")
    assert data.passages[0].title == ""
    assert data.questions[0].id == "data[0].paragraphs[0].qas[0]"


def test_a_file_with_a_byte_order_mark_and_blank_lines_before_is_read() -> None:
    for before in (b"\xef\xbb\xbf", b"\n  \n", b"\xef\xbb\xbf\r\n"):
        assert len(read_reading(before + content_of(article(qa("a"))), "a.json")) == 1


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "cp949"])
def test_a_json_in_another_encoding_is_refused_with_the_cure(codec: str) -> None:
    whole = json.dumps({"data": [article(qa("a"), context=KOREAN)]}, ensure_ascii=False)
    with pytest.raises(DataError, match=r"a\.json is not (UTF-8 \(byte \d+\)\. Save it as UTF-8|JSON)"):
        read_reading(whole.encode(codec), "a.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"data": [', r"a\.json is not JSON .* a SQuAD file is"),
        (b'{"data": ' + b"[" * 100_000, r"a\.json is not JSON"),
        (b"[]", "no list under 'data'"),
        (b'[{"context": "x"}]', "no list under 'data'"),
        (b'{"data": {}}', "no list under 'data'"),
        (b'{"data": []}', "holds no usable question"),
        (content_of(article()), "holds no usable question"),
        (
            content_of(article(qa("a", start=1), qa("b", start=2))),
            r"The first of 2 refused: data\[0\]\.paragraphs\[0\]\.qas\[0\] \(a\): the answer 'Seoul'",
        ),
    ],
)
def test_a_json_without_usable_questions_says_what_a_file_should_be(content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_reading(content, "a.json")


def test_a_file_in_the_lectures_form_is_told_by_its_beginning() -> None:
    for before in (b"", b"\xef\xbb\xbf", b"\n\n"):
        data = read_reading(before + LECTURE, "lecture.txt")
        assert data.questions[0].answers == (Answer("ann", 0),)
    assert len(read_reading(LECTURE.decode().encode("utf-16"), "lecture.txt")) == 1


@pytest.mark.parametrize("content", [b"", b"text,label\nfine,good\n", b"\x89PNG\r\n" + bytes(range(32)) * 9])
def test_a_file_in_neither_form_is_answered_with_both(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^a\.csv .*a SQuAD file is") as caught:
        read_reading(content, "a.csv")
    assert "[CLS]" in str(caught.value) or "binary" in str(caught.value)


def test_a_gzip_file_is_read_in_either_form() -> None:
    assert len(read_reading(gzip.compress(content_of(article(qa("a")))), "a.json.gz")) == 1
    assert len(read_reading(gzip.compress(LECTURE), "lecture.txt.gz")) == 1


def test_a_cut_gzip_file_is_refused_with_the_cure() -> None:
    packed = gzip.compress(content_of(article(qa("a"))))
    for end in (3, len(packed) // 2, len(packed) - 1):
        with pytest.raises(DataError, match=r"a\.json\.gz is cut off.*Upload the whole file"):
            read_reading(packed[:end], "a.json.gz")


def test_a_broken_gzip_file_is_refused() -> None:
    packed = bytearray(gzip.compress(content_of(article(qa("a")))))
    packed[2] = 99
    with pytest.raises(DataError, match="cannot be unpacked"):
        read_reading(bytes(packed), "a.json.gz")


def test_too_large_a_file_is_refused_packed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_files, "LARGEST_FILE", 1_000_000)
    large = b" " * 2_000_000 + content_of(article(qa("a")))
    for content in (large, gzip.compress(large)):
        with pytest.raises(DataError, match="at most 1 are read|unpacks to more than"):
            read_reading(content, "a.json")


def test_a_file_on_disk_is_read_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content_of(article(qa("a"))))
    assert read_reading_file(path).name == "a.json"
    with pytest.raises(DataError, match=r"none\.json cannot be read \(No such file"):
        read_reading_file(tmp_path / "none.json")


def written_and_read(data: ReadingSet) -> ReadingSet:
    return read_squad(write_squad(data), data.name)


def test_what_is_written_reads_back_as_the_same_set() -> None:
    data = ReadingSet(
        "set.json",
        (
            Passage(KOREAN, 0, "대한민국"),
            Passage('"Quoted"\n\t\\ and \U0001f600 Han', 0, "대한민국"),
            Passage("A passage without questions.", 1, "Alone"),
            Passage(CONTEXT, 2),
        ),
        (
            Question("a", "수도는?", 0, (Answer("서울", 10), Answer("서울", 20), Answer("서울", 10))),
            Question("b", "Which sea?", 0),
            Question("c", "Which river?", 1, (Answer("Han", 18),)),
            Question("d", "Which city?", 3, (Answer("Seoul", 53),)),
        ),
    )
    assert written_and_read(data) == data
    assert json.loads(write_squad(data))["version"] == "v2.0"
    assert "서울".encode() in write_squad(data)


def test_the_lectures_form_reads_back_from_squads() -> None:
    data = read_reading(LECTURE * 2 + b"[CLS] who ? [SEP] carl [SEP]\t0\t0\n", "lecture.txt")
    again = written_and_read(data)
    assert again.passages == data.passages
    assert sorted(again.questions, key=lambda each: each.id) == list(data.questions)


def test_an_articles_passages_are_written_together_and_articles_numbered_anew() -> None:
    texts = [("one", 7), ("two", 3), ("three", 7)]
    passages = tuple(Passage(text, number, str(number)) for text, number in texts)
    data = ReadingSet("a", passages, tuple(Question(p.text, "?", at) for at, p in enumerate(passages)))
    again = written_and_read(data)
    assert [(each.text, each.article, each.title) for each in again.passages] == [
        ("one", 0, "7"),
        ("three", 0, "7"),
        ("two", 1, "3"),
    ]
    assert [each.id for each in again.questions] == ["one", "three", "two"]
    assert all(each.id == again.passage_of(each) for each in again.questions)


def test_questions_with_the_same_id_are_all_written() -> None:
    data = read(qa("b"))
    again = written_and_read(joined("twice", [data, data, data]))
    assert [each.id for each in again.questions] == ["good", "b", "good (2)", "b (2)", "good (3)", "b (3)"]
    assert again.refused == ()
