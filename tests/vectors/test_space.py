"""Word vectors in memory and in a folder."""

import json

import numpy as np
import pytest

from tests.vectors.made_vectors import random_vectors, royal_vectors
from tl_core.errors import DataError, ModelError
from tl_core.vectors.search import neighbours
from tl_core.vectors.space import load_vectors, make_vectors, save_vectors
from tl_core.vectors.vocabulary import Vocabulary


def test_a_folder_gives_back_the_same_vectors(tmp_path):
    vectors = random_vectors(40_000, 7)
    save_vectors(tmp_path / "set", "mine", vectors.words, vectors.rows)
    found = load_vectors(tmp_path / "set")
    assert found.name == "mine"
    assert found.words == vectors.words
    np.testing.assert_array_equal(found.rows, vectors.rows)
    np.testing.assert_array_equal(found.columns, vectors.columns)
    np.testing.assert_allclose(np.linalg.norm(found.columns, axis=0), 1, atol=1e-6)
    assert neighbours(found, "w17") == neighbours(vectors, "w17")


def test_words_with_odd_white_space_survive_the_folder(tmp_path):
    words = ["a\u2028b", "c\x0bd", "e f", "\u00a0", "끝"]
    save_vectors(tmp_path / "set", "odd", words, np.eye(5, dtype=np.float32))
    assert load_vectors(tmp_path / "set").words == words


def test_an_array_may_stay_where_it_lies(tmp_path):
    rows = np.eye(3, dtype=np.float32) * 2
    np.save(tmp_path / "rows.npy", rows)
    save_vectors(tmp_path / "set", "there", ["a", "b", "c"], rows, with_rows=False)
    assert not (tmp_path / "set" / "vectors.npy").exists()
    found = load_vectors(tmp_path / "set", rows_at=tmp_path / "rows.npy")
    np.testing.assert_array_equal(found.rows, rows)


def test_what_was_not_written_whole_is_not_there(tmp_path):
    with pytest.raises(DataError, match="2 words, but 3 vectors"):
        save_vectors(tmp_path / "set", "short", ["a", "b"], np.eye(3, dtype=np.float32))
    assert list(tmp_path.iterdir()) == []


def test_a_broken_folder_is_told(tmp_path):
    with pytest.raises(ModelError, match="not a folder of word vectors"):
        load_vectors(tmp_path)
    save_vectors(tmp_path / "set", "mine", ["a", "b", "c"], np.eye(3, dtype=np.float32))
    (tmp_path / "set" / "words.txt").write_text("a\nb", encoding="utf-8")
    with pytest.raises(ModelError, match=r"2 words, but vectors of shape \(3, 3\)"):
        load_vectors(tmp_path / "set")
    (tmp_path / "set" / "lengths.npy").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="not a whole folder"):
        load_vectors(tmp_path / "set")
    (tmp_path / "set" / "record.json").write_text(json.dumps([]), encoding="utf-8")
    with pytest.raises(ModelError, match="must hold an object"):
        load_vectors(tmp_path / "set")


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match="at least one row and one column"):
        make_vectors("none", [], np.zeros((0, 3), dtype=np.float32))


def test_a_word_is_found_in_another_case():
    words = Vocabulary(["Paris", "paris", "us", "NASA"])
    assert [words.find(each) for each in ("Paris", "PARIS", "US", "nasa", "none")] == [0, 1, 2, 3, None]
    assert "nasa" in words
    assert 3 not in words


def test_near_spellings_are_nearest_first_and_frequent_first():
    words = Vocabulary(["the", "search", "perch", "march", "searching", "researches", "serach"])
    assert words.suggest("saerch")[0] == "search"
    assert words.suggest("serch")[:2] == ["search", "perch"]
    assert words.suggest("sear") == ["search", "searching"]
    assert words.suggest("zzzzzzzz") == []
    assert words.suggest("  ") == []


def test_length_one_vectors_come_from_the_rows():
    vectors = royal_vectors()
    np.testing.assert_allclose(vectors.unit("king"), vectors.columns[:, 2], atol=1e-6)
