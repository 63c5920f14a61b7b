"""The readers there are, by the names that people and jobs call them."""

from __future__ import annotations

import pytest

from tl_core.catalog.readers import reader_title
from tl_core.runs.store import Store
from tl_core.settings import Settings


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("ko", "Korean reader (multilingual E5)"),
        ("minilm", "MiniLM (English)"),
        ("someone/reader", "someone/reader"),
    ],
)
def test_a_start_has_its_title_whether_it_has_learned_to_read_or_not(
    settings: Settings, name: str, title: str
):
    assert reader_title(Store(settings), name) == title
