"""The sources in this copy of the project are whole, small, told by a card, and know their task."""

from __future__ import annotations

import pytest

from tl_core.catalog.readers import ADAPTERS
from tl_core.catalog.sources import SHIPPED_SOURCES, shipped_sources
from tl_core.encoders.load import find_encoder
from tl_core.errors import TLError
from tl_core.settings import Settings
from tl_core.tasks.classify.saved import load_classifier, predict

LARGEST = 4_000_000  # bytes a model
FOLDERS = sorted({place for each in SHIPPED_SOURCES for place in each.models.values()})
PLAIN = {
    "amazon": {
        "positive": "Works perfectly, I love it.",
        "negative": "It broke after two days. Waste of money.",
    },
    "amazon_words": {"positive": "Works perfectly, I love it.", "negative": "It broke. A waste of money."},
    "ag_news": {
        "Sports": "The striker scored twice in the final of the cup.",
        "Business": "Shares fell after the bank reported lower profits.",
    },
    "nsmc": {"positive": "정말 재미있고 감동적인 영화였다", "negative": "지루하고 돈이 아까운 최악의 영화"},
}


def test_all_of_them_ship():
    assert [each.name for each in shipped_sources()] == [each.name for each in SHIPPED_SOURCES]


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_is_small_and_has_a_card(folder: str):
    files = [file for file in (ADAPTERS / folder).rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= LARGEST
    card = (ADAPTERS / folder / "README.md").read_text(encoding="utf-8")
    for said in ("| training rows |", "| accuracy |", "## Data and licences", "## Limits", "--data DIR"):
        assert said in card


@pytest.mark.parametrize(
    "folder", [pytest.param(each, marks=pytest.mark.slow) if each == "nsmc" else each for each in FOLDERS]
)
def test_each_knows_its_task(folder: str, settings: Settings):
    if folder == "nsmc":
        try:
            find_encoder("e5", settings)
        except TLError as error:
            pytest.skip(f"the multilingual encoder is not here: {error}")
    classifier = load_classifier(ADAPTERS / folder, settings, device="cpu")
    for label, text in PLAIN[folder].items():
        row = predict(classifier, [text])[0]
        assert classifier.classes[int(row.argmax())] == label
