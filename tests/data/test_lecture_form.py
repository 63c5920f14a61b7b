from __future__ import annotations

import re

import pytest

from tl_core.data import lecture_form
from tl_core.data.lecture_form import read_lecture
from tl_core.data.reading import Answer, Passage, ReadingSet, RefusedQuestion
from tl_core.errors import DataError

QUESTION = "한국의 수도는?"
PASSAGE = "한국의 수도는 서울이다."


def characters(text: str, space: str = "_") -> str:
    return " ".join(text.replace(" ", space))


def line_of(question: str, passage: str, start: object, end: object) -> str:
    """An example of tokens that are given with spaces between them."""
    return f"[CLS] {question} [SEP] {passage} [SEP]\t{start}\t{end}\n"


def korean_line(answer: str, *, question: str = QUESTION, passage: str = PASSAGE) -> str:
    start = 2 + len(question) + passage.index(answer)
    return line_of(characters(question), characters(passage), start, start + len(answer) - 1)


def read(*lines: str, name: str = "lecture.txt") -> ReadingSet:
    return read_lecture("".join(lines).encode(), name)


def answers_of(data: ReadingSet) -> list[str]:
    """The answers' texts; each must stand where it says."""
    for question in data.questions:
        for answer in question.answers:
            assert data.passage_of(question)[answer.start : answer.end] == answer.text
    return [answer.text for question in data.questions for answer in question.answers]


def test_character_tokens_become_text_with_spaces_again() -> None:
    data = read(korean_line("서울"))
    assert data.passages == (Passage(PASSAGE, 0),)
    assert data.questions[0].text == QUESTION
    assert data.questions[0].answers == (Answer("서울", 8),)
    assert data.refused == ()


def test_character_tokens_without_any_space_sign_are_told_by_their_length() -> None:
    data = read(korean_line("서울", question="수도는?", passage="한국의수도는서울이다."))
    assert data.passages[0].text == "한국의수도는서울이다."
    assert answers_of(data) == ["서울"]


def test_words_are_joined_by_spaces_and_pieces_are_glued() -> None:
    data = read(line_of("who was swim ##ming ?", "ann was swim ##ming in the ri ##ver .", 9, 10))
    assert data.questions[0].text == "who was swimming ?"
    assert data.passages[0].text == "ann was swimming in the river ."
    assert answers_of(data) == ["swimming"]


def test_an_answer_may_begin_and_end_within_a_word() -> None:
    data = read(line_of("수도 ##는 ?", "한국 ##의 수도 ##는 서울 ##이다 .", 9, 9))
    assert data.passages[0].text == "한국의 수도는 서울이다 ."
    assert answers_of(data) == ["서울"]
    assert answers_of(read(line_of("what ?", "the ##se words", 5, 5))) == ["se"]


def test_korean_words_are_not_taken_for_characters() -> None:
    data = read(line_of("한국 의 수도 는 ?", "한국 의 수도 는 서울 이다 .", 11, 11))
    assert data.passages[0].text == "한국 의 수도 는 서울 이다 ."
    assert answers_of(data) == ["서울"]


def test_one_underscore_does_not_turn_word_pieces_into_characters() -> None:
    data = read(line_of("what is it ?", "the file is name ##d my _ file .", 11, 13))
    assert data.passages[0].text == "the file is named my _ file ."
    assert answers_of(data) == ["my _ file"]


def test_one_underscore_does_not_turn_words_into_characters() -> None:
    data = read(line_of("what is it ?", "my _ file", 6, 8))
    assert answers_of(data) == ["my _ file"]


def test_numbers_among_character_tokens_may_stay_whole() -> None:
    data = read(line_of(characters("언제인가?"), f"{characters('때는 ')} 2019 {characters('년')} .", 10, 11))
    assert data.passages[0].text == "때는 2019년."
    assert answers_of(data) == ["2019년"]


def test_spaces_at_an_answers_ends_are_left_out() -> None:
    data = read(korean_line("수도는"), korean_line(" 서울"), korean_line("한국의 "))
    assert answers_of(data) == ["수도는", "서울", "한국의"]


def test_spaces_around_a_passage_are_left_out_and_offsets_move_with_them() -> None:
    data = read(korean_line("서울", passage=f" {PASSAGE} "))
    assert data.passages[0].text == PASSAGE
    assert answers_of(data) == ["서울"]


def test_an_answer_may_be_the_first_the_last_or_every_token() -> None:
    lines = [line_of("a ?", "one two three", *span) for span in ((4, 4), (6, 6), (4, 6))]
    assert answers_of(read(*lines)) == ["one", "three", "one two three"]


def test_zero_and_zero_mean_that_the_passage_does_not_answer() -> None:
    data = read(korean_line("서울"), line_of(characters("누가?"), characters(PASSAGE), 0, 0))
    assert [question.answerable for question in data.questions] == [True, False]


def test_lines_with_the_same_passage_share_it_and_each_passage_is_an_article() -> None:
    other = "부산은 항구이다."
    data = read(korean_line("서울"), korean_line("부산", passage=other), korean_line("한국"))
    assert data.passages == (Passage(PASSAGE, 0), Passage(other, 1))
    assert [question.passage for question in data.questions] == [0, 1, 0]
    assert len({question.id for question in data.questions}) == 3


def test_two_files_have_no_question_id_in_common() -> None:
    first, second = (read(korean_line("서울"), name=name) for name in ("a.txt", "b.txt"))
    assert first.questions[0].id != second.questions[0].id


def test_padding_behind_the_passage_is_no_harm() -> None:
    data = read(korean_line("서울").replace("[SEP]\t", "[SEP] [PAD] [PAD]\t"))
    assert answers_of(data) == ["서울"]


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp949"])
def test_every_encoding_and_line_end_that_tables_may_have_is_read(codec: str) -> None:
    text = korean_line("서울") + "\n" + korean_line("수도")
    for end in ("\n", "\r\n"):
        data = read_lecture(text.replace("\n", end).encode(codec), "a.txt")
        assert answers_of(data) == ["서울", "수도"]
        assert [question.id for question in data.questions] == ["a.txt line 1", "a.txt line 3"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("[CLS] a ? [SEP] one two [SEP]\n", "no TAB"),
        ("[CLS] a ? [SEP] one two [SEP]\t4\n", "one TAB"),
        ("[CLS] a ? [SEP] one two [SEP]\t4\t4\t4\n", "more than two TABs"),
        (line_of("a ?", "one two", "four", 4), "'four' where the number"),
        (line_of("a ?", "one two", 4, "-4"), "'-4' where the number"),
        (line_of("a ?", "one two", 4, "9" * 5000), "where the number"),
        (line_of("a ?", "one two", 5, 4), "the start 5 lies behind the end 4"),
        (line_of("a ?", "one two", 4, 6), r"tokens 4 to 6 are not in the passage, which has 4 to 5"),
        (line_of("a ?", "one two", 1, 4), "not in the passage"),
        (line_of("a ?", "one two", 3, 3), "not in the passage"),
        (line_of("a ?", "one two", 0, 4), "not in the passage"),
        ("a ? [SEP] one two [SEP]\t4\t4\n", r"does not begin with \[CLS\]"),
        ("[CLS] a ? one two [SEP]\t4\t4\n", r"1 \[SEP\]"),
        ("[CLS] a ? [SEP] one [SEP] two [SEP]\t4\t4\n", r"3 \[SEP\]"),
        ("[CLS] a ? [SEP] one [SEP] two\t4\t4\n", r"tokens behind the second \[SEP\]"),
        ("[CLS] a ? [SEP] [SEP]\t0\t0\n", "no passage"),
        ("[CLS] [SEP] one [SEP]\t2\t2\n", "no question"),
        ("[CLS] a ? [SEP] one  two [SEP]\t4\t4\n", "two spaces in a row"),
        (line_of("a ?", "one \u3000 two", 5, 5), "nothing but white space"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_left_out(line: str, reason: str) -> None:
    good = line_of("a ?", "one two three", 4, 4)
    data = read(good, line, good)
    assert answers_of(data) == ["one", "one"]
    (refused,) = data.refused
    assert refused.place == "line 2"
    assert re.search(reason, refused.reason)


def test_a_line_with_broken_bytes_is_named_and_left_out() -> None:
    content = korean_line("서울").encode() * 3 + korean_line("수도").encode().replace("수".encode(), b"\xec")
    data = read_lecture(content, "a.txt")
    assert len(data) == 3
    assert data.refused == (RefusedQuestion("line 4", "bytes that are not UTF-8"),)


def test_a_file_of_unusable_lines_is_refused_with_the_first_of_them() -> None:
    with pytest.raises(DataError, match=r"a\.txt holds no usable line;.*\[CLS\].*line 2: no TAB"):
        read("\n", "text,label\n", "fine,good\n", name="a.txt")


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match=r"a\.txt holds no usable line"):
        read_lecture(content, "a.txt")


def test_binary_data_is_refused_without_talk_of_tables() -> None:
    with pytest.raises(DataError, match=r"binary data.*Save it as plain text"):
        read_lecture(bytes(range(32)) * 40, "a.txt")


def test_too_many_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lecture_form, "MOST_LINES", 2)
    assert len(read(*[korean_line("서울")] * 2)) == 2
    with pytest.raises(DataError, match="more than 2 lines"):
        read(*[korean_line("서울")] * 3)


def test_a_line_beyond_the_longest_is_refused_once_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (lecture_form, lecture_form.decoding):
        monkeypatch.setattr(module, "LONGEST_LINE", 100)
    long = line_of("a ?", "one " * 60 + "two", 4, 4)
    data = read(line_of("a ?", "one two", 4, 4), long, line_of("a ?", "one two", 5, 5))
    assert answers_of(data) == ["one", "two"]
    assert {refused.place for refused in data.refused} == {"line 2"}


def test_a_very_long_line_is_read() -> None:
    words = 300_000
    data = read(line_of("a ?", "one " * (words - 1) + "two", words + 3, words + 3))
    assert data.questions[0].answers == (Answer("two", 4 * (words - 1)),)
