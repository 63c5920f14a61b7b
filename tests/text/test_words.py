"""Texts to sentences to words: other scripts, markup, and what kiwipiepy makes of Korean."""

from __future__ import annotations

import pytest

from tl_core.errors import ConfigError
from tl_core.text.script import is_korean
from tl_core.text.words import sentences_of, split_sentences, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The cat sat.", ["the", "cat", "sat"]),
        ("Don't buy the 2-in-1!", ["don't", "buy", "the", "2-in-1"]),
        ("It’s rock’n’roll", ["it's", "rock'n'roll"]),
        ("well--known -dash- 'quoted'", ["well", "known", "dash", "quoted"]),
        ("snake_case, 3.5 and 1,000", ["snake", "case", "3", "5", "and", "1", "000"]),
        ("한국어를 배우자! ABC와 漢字", ["한국어를", "배우자", "abc와", "漢字"]),
        ("Здравствуй, мир", ["здравствуй", "мир"]),
        ("हिन्दी ภาษาไทย", ["हिन्दी", "ภาษาไทย"]),  # vowel signs stand for themselves
        ("good 👍🏽 ❤️ 1️⃣ 👩‍👩‍👧", ["good", "1"]),
        ("a\ud800b", ["a", "b"]),
        ("", []),
        (" \n\t ", []),
        ("?! ... 👍", []),
    ],
)
def test_words_are_runs_of_letters_and_digits_of_any_script(text, words):
    assert split_words(text) == words


def test_letters_are_composed_and_case_is_kept_on_request():
    assert split_words("E\u0301te\u0301") == ["\u00e9t\u00e9"]
    assert split_words("\u1112\u1161\u11ab글") == ["한글"]
    assert split_words("The NASA", lower=False) == ["The", "NASA"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bad.<br /><br />Good", ["bad", "good"]),
        ('<p class="x">A <b>bold</b> word</p><!-- no word -->', ["a", "bold", "word"]),
        ("2 < 3 and b > a <3", ["2", "3", "and", "b", "a", "3"]),
        ("R&amp;D&nbsp;isn&#39;t &lt;br /&gt; AT&T", ["r", "d", "isn't", "at", "t"]),
    ],
)
def test_tags_are_dropped_and_entities_resolved(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three!  Four… Five。 Six", ["One.", "Two?", "Three!", "Four…", "Five。", "Six"]),
        ("Version 3.5 is out.Really", ["Version 3.5 is out.Really"]),
        ("a\n\nb\r\n c <br/>d<p>e</p>", ["a", "b", "c", "d", "e"]),
        ("Mr. Smith", ["Mr.", "Smith"]),
        (" \n ", []),
    ],
)
def test_sentences_end_at_line_breaks_and_at_marks_before_white_space(text, sentences):
    assert split_sentences(text) == sentences


def test_sentences_without_words_are_left_out_and_texts_may_come_one_by_one():
    texts = iter(["Good film. 👍! Very Good", "", "끝"])
    assert list(sentences_of(texts, "words")) == [["good", "film"], ["very", "good"], ["끝"]]
    assert list(sentences_of(["Very Good"], "words", lower=False)) == [["Very", "Good"]]


KOREAN = {
    "나는 어제 학교에 갔다.": ["나", "는", "어제", "학교", "에", "가다", "었", "다"],
    "그는 학생이 아니다.": ["그", "는", "학생", "이", "아니다", "다"],
    "정말 재미있었어요 ㅋㅋㅋ 👍": ["정말", "재미있다", "었", "어요"],
    "아름다운 꽃을 보고 싶었다!": ["아름답다", "은", "꽃", "을", "보다", "고", "싶다", "었", "다"],
    "iPhone을 2024년에 샀다.": ["iphone", "을", "2024", "년", "에", "사다", "었", "다"],
    "漢字": ["漢字"],
    "간다.": ["가다", "ㄴ다"],  # as a keyboard writes it, not the combining ᆫ다
    "?! 👍": None,
}


def test_korean_comes_as_morphemes_with_predicates_in_their_dictionary_form():
    found = list(sentences_of(["<br />".join(KOREAN), ""], "morphemes", threads=1))
    assert found == [words for words in KOREAN.values() if words]


def test_the_script_of_texts_is_told_by_their_hangul():
    assert is_korean(list(KOREAN))
    assert not is_korean(["The word 한글 in English"])


def test_another_splitter_is_refused_before_a_text_is_read():
    with pytest.raises(ConfigError, match="one of words, morphemes; got 'letters'"):
        sentences_of(iter([]), "letters")
