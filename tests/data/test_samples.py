from __future__ import annotations

import re

import pytest

from tl_core.data.columns import Columns, guess_columns
from tl_core.data.examples import to_examples
from tl_core.data.samples import SAMPLES, Sample, SamplePassage, read_sample, sample_passages
from tl_core.errors import DataError


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_each_bundled_sample_is_whole_and_balanced(sample: Sample) -> None:
    table = read_sample(sample.name)
    assert table.refused == ()
    assert guess_columns(table) == Columns(("text",), "label")
    examples = to_examples(table, guess_columns(table)).examples
    assert len(examples) == 120
    classes = {"en": ("negative", "positive"), "ko": ("긍정", "부정")}[sample.language]
    assert examples.classes == classes
    assert sample.role == ("source" if sample.name.startswith("product") else "target")


def test_names_are_unique() -> None:
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES) == 4


def test_an_unknown_sample_is_answered_with_those_there_are() -> None:
    with pytest.raises(DataError, match=r"no sample '\.\./x'\. There are: product-reviews-en"):
        read_sample("../x")


def test_there_are_three_passages_in_each_language_with_names_of_their_own() -> None:
    passages = sample_passages()
    assert [passage.language for passage in passages] == ["en"] * 3 + ["ko"] * 3
    assert len({passage.name for passage in passages}) == 6
    assert any("대한민국과 육지로 맞닿은 나라" in each.text for one in passages for each in one.questions)


@pytest.mark.parametrize("passage", sample_passages(), ids=lambda passage: passage.name)
def test_each_answer_stands_in_its_passage_and_one_question_has_none(passage: SamplePassage) -> None:
    assert 120 <= len(passage.text.split()) <= 220
    assert 4 <= len(passage.questions) <= 6
    assert [question.answerable for question in passage.questions].count(False) == 1
    assert all(question.answer in passage.text for question in passage.questions)
    assert all(question.answer == question.answer.strip() for question in passage.questions)
    texts = [question.text for question in passage.questions]
    assert len(set(texts)) == len(texts)
    assert all(text.endswith("?") for text in texts)
    assert bool(re.search("[가-힣]", passage.text + "".join(texts))) == (passage.language == "ko")
