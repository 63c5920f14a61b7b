"""The particle at an answer's end: cut where the rest is a noun, left where it is part of one."""

from __future__ import annotations

import random

import pytest

from tl_core.tasks.read.josa import PARTICLES, without_josa

CUT = [
    # (answer with its particle, the particle)
    ("벨기에에서", "에서"),
    ("오슬로의", "의"),
    ("아프리카를", "를"),
    ("국가와", "와"),
    ("서울에서는", "에서는"),
    ("서울에", "에"),
    ("부산까지", "까지"),
    ("학생들에게", "에게"),
    ("미국으로부터", "으로부터"),
    ("독일과의", "과의"),
    ("프랑스와", "와"),
    ("바다가", "가"),
    ("세종대왕이", "이"),
    ("사과를", "를"),
    ("거북선을", "을"),
    ("고양이가", "가"),
    ("고양이라는", "라는"),
    ("이순신이라고", "이라고"),
    ("우리나라는", "는"),
    ("학교의", "의"),
    ("경기도의", "의"),
    ("제주도에서", "에서"),
    ("민주주의를", "를"),
    ("인도와", "와"),
    ("바흐보다", "보다"),
    ("서울로", "로"),
    ("조선왕조실록이다", "이다"),
    ("10월 9일에", "에"),
    ("2010년에는", "에는"),
    ("3명의", "의"),
    ("네 명이", "이"),
    ("5번째로", "로"),
    ("18일만에", "만에"),
    ("BTS는", "는"),
    ("CNN은", "은"),
    ("URL로", "로"),
    ("20%를", "를"),
    ("2.43m를", "를"),
    ("7을", "을"),
    ("이명박(李明博)은", "은"),
    ("《신의》를", "를"),
    ("'아리랑'을", "을"),
]
LEFT = [
    *(
        "고양이",
        "호랑이",
        "어린이",
        "떡볶이",
        "높이",
        "종이",
        "사과",
        "바다",
        "국가",
        "정치가",
        "회의",
        "국무회의",
    ),
    *("민주주의", "도로", "고속도로", "제주도", "경기도", "독도", "온도", "인도", "대만", "결과", "경영학과"),
    *(
        "오키나와",
        "하와이",
        "두바이",
        "샌디에이고",
        "준이치로",
        "카메라",
        "우크라이나",
        "이란",
        "김정은",
        "가을",
    ),
    *(
        "벨기에",
        "오슬로",
        "오타와",
        "거북이",
        "산부인과",
        "오셀로",
        "외톨이",
        "삿포로",
        "위키백과",
        "100만",
        "30도",
        "2002년도",
        "1931년도",
        "1445유로",
        "종로 2가",
        "마을",
        "이",
        "는",
        "BTS",
        "1987",
        "한글 맞춤법",
        "학교 에서",
    ),
]


@pytest.mark.parametrize(("answer", "particle"), CUT)
def test_particle_is_cut(answer: str, particle: str) -> None:
    expected = answer.removesuffix(particle)
    for passage in (answer, f"{answer} 간다.", f"{answer}, 그리고"):
        assert passage[: without_josa(passage, 0, len(answer))] == expected


@pytest.mark.parametrize("answer", LEFT)
def test_noun_stays_whole(answer: str) -> None:
    for passage in (answer, f"{answer} 있다.", f"{answer}(설명)에", f"『{answer}』을"):
        start = passage.index(answer)
        assert without_josa(passage, start, start + len(answer)) == start + len(answer)


EVIDENCE = [
    # (passage, answer in it, question, what is right)
    ("위원회의 결정이다. 위원회는 반대했다.", "위원회의", "", "위원회"),
    ("위원회의 결정이다.", "위원회의", "무슨 위원회가 정했나?", "위원회"),
    ("광주의 시민이 모였다. 광주에서 일어난", "광주의", "", "광주"),
    ("물로 씻는다. 깨끗한 물이 좋다.", "물로", "", "물"),
    ("영희도 갔다. 영희는 웃었다.", "영희도", "", "영희"),
    ("거문도 앞에서, 거문도를 떠나", "거문도", "", "거문도"),
    ("현정은 회장이 만났다. 현정은은 말했다.", "현정은", "", "현정은"),
    ("알자지라는 방영했다. 알자지라가 보도한", "알자지라는", "", "알자지라"),
    ("히로시마 겐지로 갔다.", "겐지로", "", "겐지로"),
    ("안병의 씨는 말했다.", "안병의", "", "안병의"),
    ("안병의 씨앗은 작다.", "안병의", "", "안병"),
]


@pytest.mark.parametrize(("passage", "answer", "question", "right"), EVIDENCE)
def test_passage_and_question_decide(passage: str, answer: str, question: str, right: str) -> None:
    start = passage.index(answer)
    assert passage[start : without_josa(passage, start, start + len(answer), question)] == right


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        ("내자동에서 산다", "내자동에"),  # ends inside a word
        ("서울은 크다", "은"),  # nothing would be left
        ("사람이름", "사람이"),
        ("the film 를 보다", "film "),
        ("", ""),
    ],
)
def test_nothing_to_cut(passage: str, answer: str) -> None:
    start = passage.index(answer)
    assert without_josa(passage, start, start + len(answer)) == start + len(answer)


@pytest.mark.parametrize(
    "wrong", ["학교은", "학교을", "책를", "책는", "학교으로", "책로", "책가", "책와", "학교과"]
)
def test_particle_that_does_not_fit_the_sound_is_none(wrong: str) -> None:
    assert without_josa(f"{wrong} 간다", 0, len(wrong)) == len(wrong)


def test_end_stays_behind_start_whatever_the_text() -> None:
    chance = random.Random(5)
    parts = [
        *PARTICLES,
        "서울",
        "7",
        "km",
        "(",
        ")",
        "'",
        "》",
        " ",
        "\n",
        "漢",
        "e\u0301",
        "😀",
        "ㅋ",
        "1/4",
    ]
    for _ in range(2000):
        passage = "".join(chance.choices(parts, k=8))
        start = chance.randrange(len(passage))
        end = chance.randrange(start + 1, len(passage) + 1)
        assert start < without_josa(passage, start, end, passage[::-1]) <= end
