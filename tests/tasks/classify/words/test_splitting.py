from __future__ import annotations

import numpy as np
import pytest

from tl_core.errors import ConfigError
from tl_core.tasks.classify.words.documents import Documents, ranges
from tl_core.tasks.classify.words.splitting import Splitter, read_corpus

RAW = "I didn't like it at all!!! It's a well-made film,<br /><br />but we've seen better. Can't win?"
PENN = "I did n't like it at all ! ! ! It 's a well-made film ,\nbut we 've seen better . Ca n't win ?"


def test_raw_text_and_text_cut_as_in_the_penn_treebank_give_the_same():
    raw, cut = Splitter("penn").words([RAW, PENN])
    assert raw == cut
    assert raw[0] == ["i", "did", "n't", "like", "it", "at", "all", "!", "!", "!"]
    assert raw[1] == ["it", "'s", "a", "well", "made", "film"]
    assert raw[3] == ["ca", "n't", "win", "?"]


def test_words_keep_contractions_and_hyphens():
    assert next(Splitter("words").words([RAW]))[0] == ["i", "didn't", "like", "it", "at", "all"]
    assert Splitter("words").holds("didn't")
    assert not Splitter("penn").holds("didn't")
    assert Splitter("penn").holds("n't")
    assert not Splitter("penn").holds(",")


def test_another_splitter_is_refused():
    with pytest.raises(ConfigError, match="must be one of words, penn, morphemes; got 'letters'"):
        Splitter("letters")


def test_a_corpus_keeps_texts_sentences_and_the_longest_text():
    corpus = read_corpus(Splitter("words"), ["a b. c", "", "... a", "a a a. a a a"], max_words=4)
    assert corpus.words == ["a", "b", "c"]
    assert corpus.ids.tolist() == [0, 1, 2, 0, 0, 0, 0, 0]
    assert corpus.sentences.tolist() == [0, 2, 3, 4, 7, 8]
    assert corpus.texts.tolist() == [0, 2, 2, 3, 5]
    assert corpus.counts().tolist() == [6, 1, 1]


def test_ranges_join_stretches():
    assert ranges(np.array([5, 0, 9]), np.array([2, 1, 0])).tolist() == [5, 6, 0]


def make_documents(texts: list[str], longest: int = 3) -> Documents:
    import torch

    corpus = read_corpus(Splitter("words"), texts, 100)
    return Documents(corpus, {"a": 2, "b": 3, "c": 4}, longest, torch.device("cpu"))


TEXTS = ["a b. c", "", "x a", "c c c b a. a"]


def test_padded_and_flat_batches_hold_the_same_words():
    documents = make_documents(TEXTS)
    assert documents.lengths.tolist() == [3, 0, 2, 6]
    padded = documents.padded(np.array([2, 0, 1]))
    assert padded.ids.tolist() == [[1, 2, 0], [2, 3, 4], [0, 0, 0]]
    assert padded.lengths.tolist() == [2, 3, 0]
    flat = documents.flat(np.array([2, 1, 0]))
    assert flat.ids.tolist() == [1, 2, 2, 3, 4]
    assert flat.offsets.tolist() == [0, 2, 2]


def test_long_sentences_are_cut_and_every_sentence_knows_its_place():
    documents = make_documents(TEXTS)
    rows = np.array([1, 3, 0])
    batch = documents.by_sentences(rows)
    assert batch.counts.tolist() == [0, 3, 2]
    assert batch.most == 3
    found = {}
    places = iter(batch.places.tolist())
    for group in batch.groups:
        for ids in group.tolist():
            found[divmod(next(places), batch.most)] = [each for each in ids if each]
    assert found == {(1, 0): [4, 4, 4], (1, 1): [3, 2], (1, 2): [2], (2, 0): [2, 3], (2, 1): [4]}


def test_batches_of_empty_texts_have_a_place_for_padding():
    documents = make_documents(["", "!"])
    rows = np.array([0, 1])
    assert documents.padded(rows).ids.tolist() == [[0], [0]]
    assert documents.flat(rows).ids.tolist() == []
    assert documents.by_sentences(rows).most == 1
