"""Usual names of columns, in English and Korean, and how well a name fits such a list."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


TEXT_NAMES = _words(
    "text texts review reviews reviewtext sentence document content contents comment body message "
    "description question query tweet post article abstract summary utterance passage paragraph story news "
    "텍스트 문장 문서 본문 내용 리뷰 댓글 설명 후기 질문 발화 기사 글 의견 요약 상품평 영화평"
)
TITLE_NAMES = _words("title headline subject 제목 표제 헤드라인")
LABEL_NAMES = _words(
    "label labels class category sentiment target topic intent emotion polarity stance gold "
    "라벨 레이블 클래스 분류 범주 카테고리 감성 감정 주제 토픽 정답 의도 긍부정 극성"
)
WEAK_LABEL_NAMES = _words(
    "rating stars star score overall type kind genre y tag domain section "
    "평점 별점 점수 유형 종류 장르 평가 도메인 영역"
)
ID_NAMES = _words(
    "id ids idx index no number uid uuid guid key row rowid userid docid 번호 아이디 순번 일련번호"
)
OTHER_NAMES = _words(
    "date time timestamp year user username author name url link source language lang split fold email "
    "날짜 일자 시간 작성일 작성자 사용자 이름 출처 언어 링크"
)
MAIN_NAMES = TEXT_NAMES | TITLE_NAMES | LABEL_NAMES | WEAK_LABEL_NAMES
KNOWN_NAMES = MAIN_NAMES | ID_NAMES | OTHER_NAMES

EXACT, LAST_WORD, SOME_WORD = 3, 2, 1


def name_rank(name: str, names: AbstractSet[str]) -> int:
    """Rank of a column's name: 3 exactly, 2 by its last word, 1 by another word, 0 not.

    Digits, case and separators do not count (`Review_1`, `reviewText`); Korean compounds carry
    their head at the end and need no separator (`감성라벨`).
    """
    words = name_words(name)
    if not words:
        return 0
    joined = "".join(words)
    if joined in names:
        return EXACT
    korean = [usual for usual in names if not usual.isascii() and len(usual) > 1 and usual in joined]
    if words[-1] in names or any(joined.endswith(usual) for usual in korean):
        return LAST_WORD
    return SOME_WORD if korean or any(word in names for word in words) else 0


def name_words(name: str) -> list[str]:
    """The words of a column's name, in lower case: letters only, camel case taken apart."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [word.casefold() for word in re.findall(r"[^\W\d_]+", apart)]


def is_known(name: str, names: AbstractSet[str] = KNOWN_NAMES) -> bool:
    """Whether a cell reads as one of `names`, or as a compound of one (`question_type`)."""
    rank = name_rank(name, names)
    return rank == EXACT or (rank > 0 and " " not in name.strip())


def is_number(cell: str) -> bool:
    """Whether a cell is a plain number (12, -3.5, 1,234, 4e-5, 50%)."""
    return re.fullmatch(r"[+-]?(\d[\d,]*\.?\d*|\.\d+)(e[+-]?\d+)?%?", cell.strip(), re.IGNORECASE) is not None
