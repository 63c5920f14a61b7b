from __future__ import annotations

import pytest

from tl_core.data.columns import Columns, guess_columns
from tl_core.data.examples import to_examples
from tl_core.data.samples import SAMPLES, Sample, read_sample
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
