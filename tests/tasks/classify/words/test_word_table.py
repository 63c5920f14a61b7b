from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from tests.tasks.classify.words.rows import small_config, tiny_vectors
from tl_core.errors import ModelError
from tl_core.tasks.classify.words.config import MeanConfig, config_class, epochs_for
from tl_core.tasks.classify.words.splitting import Splitter, read_corpus
from tl_core.tasks.classify.words.vocabulary import SourceWords, WordTable, make_table
from tl_core.training.events import drain

TEXTS = ["good good paris lumpy", "good paris"]


def table_of(source: SourceWords | None = None, seed: int = 0, **changes) -> WordTable:
    splitter = Splitter("penn")
    corpus = read_corpus(splitter, TEXTS, 100)
    return drain(make_table(corpus, splitter, small_config("mean", **changes), tiny_vectors(), source, seed))


def source_words() -> SourceWords:
    vectors = np.arange(32, dtype="f4").reshape(4, 8)
    return SourceWords(
        ["good", "of", "odd", "lumpy"], vectors, np.array([1, 0, 1, 0], bool), np.full(8, 7, "f4")
    )


def test_words_of_the_rows_come_first_by_count_then_frequent_pretrained_ones():
    table = table_of()
    assert table.words == ["good", "paris", "lumpy", "the", "of", "fine", "nice", "well", "film", "n't"]
    assert table.trained == 5
    assert table.index["good"] == 2
    vectors = tiny_vectors()
    assert np.array_equal(table.vectors[table.index["paris"]], vectors.rows[vectors.vocabulary.row("Paris")])
    assert not table.vectors[:2].any()
    assert np.abs(table.vectors[table.index["lumpy"]]).max() < 1
    assert table.facts["coverage"] == {"words": pytest.approx(2 / 3), "running_words": pytest.approx(5 / 6)}


def test_a_seed_gives_the_same_random_vectors():
    assert np.array_equal(table_of(seed=4).vectors, table_of(seed=4).vectors)
    assert not np.array_equal(table_of(seed=4).vectors, table_of(seed=5).vectors)


def test_the_size_of_the_table_can_be_set():
    assert table_of(most_words=10, least_count=2, extra_words=1).words == ["good", "paris", "the"]
    assert table_of(start="random").words == ["good", "paris", "lumpy"]


def test_what_the_source_learned_comes_before_pretrained_vectors():
    table, source = table_of(source_words(), extra_words=1), source_words()
    assert table.words == ["good", "paris", "lumpy", "odd", "the"]
    assert table.trained == 5  # odd is not in the rows, so it is not trained
    assert np.array_equal(table.vectors[table.index["good"]], source.vectors[0])
    assert np.array_equal(table.vectors[table.index["odd"]], source.vectors[2])
    assert not np.array_equal(table.vectors[table.index["lumpy"]], source.vectors[3])
    assert np.array_equal(table.vectors[1], source.unknown)
    assert table.facts["updated"] == {"words": 1, "of": 3}
    assert table.learned.tolist() == [False, False, True, False, False, True, False]


def test_epochs_follow_from_the_rows():
    assert epochs_for(MeanConfig(epochs=7), 10) == 7
    few, many = epochs_for(MeanConfig(), 10), epochs_for(MeanConfig(), 1_000_000)
    assert few > many > 0


def test_an_unknown_kind_is_refused():
    with pytest.raises(ModelError, match="must be one of mean, bag, recurrent, cnn; got 'x'"):
        config_class("x")


def test_importing_the_package_loads_no_torch():
    code = (
        "import sys; from tl_core.tasks.classify.words import cnn, config, documents, networks, saved, train; "
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
