"""Everything that Streamlit keeps between reruns: the store, device facts, tables, loaded classifiers.

Tables and reports are frozen, so sessions may share them; an upload is found again by its content.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tl_core.catalog.readers import load_named_reader, reader_stamp
from tl_core.catalog.vector_sets import open_vectors, vectors_stamp
from tl_core.data.columns import Columns
from tl_core.data.corpus import Corpus, read_corpus
from tl_core.data.documents import Document, read_document
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading
from tl_core.data.samples import SamplePassage, read_sample, sample_passages
from tl_core.data.tables import Table, read_table
from tl_core.encoders.load import Encoder, EncoderBase, find_encoder, load_encoder, tokenizer_of
from tl_core.jobs.classify.data_report import DataReport, check_table
from tl_core.jobs.classify.estimate import Estimate, TokenCounts, estimate
from tl_core.jobs.classify.plan import ClassifyExperiment, Task, config_from_json
from tl_core.jobs.classify.prepare import Prepared, prepare
from tl_core.jobs.classify.probe import RATES
from tl_core.jobs.devices import device_facts
from tl_core.jobs.evaluation import RESULT
from tl_core.jobs.vectors.evaluate import Report, evaluation_result, read_set
from tl_core.runs.store import Job, Run, Store
from tl_core.settings import read_settings
from tl_core.tasks.classify.fitting import Classifier
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.read.collection import Collection
from tl_core.tasks.read.reader import Reader
from tl_core.text.words import sentences_of
from tl_core.vectors.alignment import Alignment, align, overlaps, shared_words
from tl_core.vectors.clusters import Clusters, cluster_words
from tl_core.vectors.cooccurrence import Cooccurrence, Weighting, count_cooccurrences
from tl_core.vectors.projection import MapConfig, WordMap, comparable_neighbours, make_map
from tl_core.vectors.quality_files import AnalogySet, SimilaritySet
from tl_core.vectors.space import WordVectors

if TYPE_CHECKING:
    from tl_core.encoders.context import InContext


def store() -> Store:
    """The store of jobs and runs; cheap, so it is not kept."""
    return Store(read_settings())


@st.cache_data(show_spinner=False, ttl=3600, max_entries=1)
def devices() -> dict[str, Any]:
    """The devices this machine computes on; the server itself loads no torch for this."""
    return device_facts(read_settings())


def _table_key(table: Table) -> int:
    """Python keeps the hash of every string, so that a large table is hashed letter by letter only once."""
    return hash(
        (table.name, table.columns, tuple(table.rows), table.encoding, table.delimiter, table.refused)
    )


@st.cache_resource(show_spinner="Reading the file", max_entries=8, ttl=3600)
def table(content: bytes, name: str, has_header: bool | None) -> Table:
    return read_table(content, name, has_header=has_header)


@st.cache_resource(show_spinner=False, max_entries=8)
def sample_table(name: str) -> Table:
    return read_sample(name)


@st.cache_resource(show_spinner="Checking the data", max_entries=8, ttl=3600, hash_funcs={Table: _table_key})
def report(
    data: Table,
    columns: Columns,
    test: Table | None,
    test_columns: Columns | None,
    merge_labels: bool,
    encoder: str,
    max_tokens: int,
) -> DataReport:
    return check_table(
        read_settings(),
        data,
        columns,
        test=test,
        test_columns=test_columns,
        merge_labels=merge_labels,
        encoder=encoder,
        max_tokens=max_tokens,
    )


@st.cache_resource(show_spinner=False, max_entries=2)
def _token_counts(base: EncoderBase) -> TokenCounts:
    return TokenCounts(tokenizer_of(base, read_settings()))


@st.cache_resource(show_spinner=False, max_entries=8, ttl=3600)
def _prepared(config: str, task_key: int, source_changed: str, _task: Task) -> Prepared:
    return prepare(store(), config_from_json(json.loads(config)), _task)


def prepared(config: ClassifyExperiment, task: Task) -> Prepared:
    """The comparison made ready; kept for the same settings, rows and source."""
    named = (config.source_run, *config.own_sources)
    changed = " ".join(name for name in named if name and (read_settings().runs / name).exists())
    return _prepared(json.dumps(config.to_json(), sort_keys=True), hash(task), changed, task)


@st.cache_data(show_spinner=False, max_entries=64)
def _known_estimate(config: str, task_key: int, rates_changed: int, _prepared: Prepared) -> Estimate | None:
    return estimate(store(), _prepared, probe=False, counts=_token_counts)


def known_estimate(ready: Prepared, task: Task) -> Estimate | None:
    """The estimated cost of a comparison, if the speed of its strategies here is known; kept for the same task."""
    rates = read_settings().cache / RATES
    changed = rates.stat().st_mtime_ns if rates.exists() else 0
    return _known_estimate(json.dumps(ready.config.to_json(), sort_keys=True), hash(task), changed, ready)


def classifier(run: Run) -> Classifier:
    """The run's model on the CPU, so that an idle server holds no GPU memory; shared, never trained."""
    return _classifier(str(run.model), run.model.stat().st_mtime_ns)


def _forget(_: object) -> None:
    gc.collect()


@st.cache_resource(show_spinner="Loading the model", max_entries=2, on_release=_forget)
def _classifier(folder: str, changed: int) -> Classifier:
    return load_classifier(Path(folder), read_settings(), device="cpu")


def let_go_of_models() -> None:
    """Forget every loaded model and mapped table, so that their files can be removed on every system."""
    for kept in (_classifier, _reader, _vectors, encoder):
        kept.clear()
    gc.collect()


# reading


@st.cache_resource(show_spinner=False, max_entries=1)
def sample_texts() -> tuple[SamplePassage, ...]:
    return sample_passages()


@st.cache_resource(show_spinner="Reading the file", max_entries=8, ttl=3600)
def document(content: bytes, name: str) -> Document:
    return read_document(content, name)


def reader(store: Store, name: str) -> Reader:
    """The reader of this name on the CPU; shared, never trained."""
    return _reader(name, reader_stamp(store, name))


@st.cache_resource(show_spinner="Loading the reader", max_entries=2, on_release=_forget)
def _reader(name: str, stamp: str) -> Reader:
    return load_named_reader(store(), name, device="cpu")


@st.cache_resource(show_spinner="Reading the file", max_entries=4, ttl=3600)
def questions(content: bytes, name: str) -> ReadingSet:
    return read_reading(content, name)


@st.cache_resource(show_spinner="Indexing the documents", max_entries=4, ttl=3600)
def collection(documents: tuple[Document, ...]) -> Collection:
    return Collection([(entry.name, entry.text) for entry in documents])


# word vectors


def vectors(store: Store, name: str) -> WordVectors:
    """The word vectors of this name, mapped from disk; shared, never changed."""
    return _vectors(name, vectors_stamp(store, name))


@st.cache_resource(show_spinner="Opening the vectors", max_entries=4)
def _vectors(name: str, stamp: str) -> WordVectors:
    return open_vectors(store(), name)


@st.cache_resource(show_spinner="Reading the text", max_entries=4, ttl=3600)
def corpus(content: bytes, name: str, column: str) -> Corpus:
    return read_corpus(content, name, column)


def word_map(store: Store, name: str, words: tuple[str, ...], config: MapConfig) -> WordMap:
    """These words of the vectors of this name on a map; the same map is not computed twice."""
    return _word_map(name, vectors_stamp(store, name), words, config)


@st.cache_resource(show_spinner="Drawing the map", show_time=True, max_entries=32)
def _word_map(name: str, stamp: str, words: tuple[str, ...], config: MapConfig) -> WordMap:
    return make_map(_unit_rows(name, words), config)


def clusters(store: Store, name: str, words: tuple[str, ...], number: int) -> Clusters:
    """These words in so many groups by their vectors, whatever the map."""
    return _clusters(name, vectors_stamp(store, name), words, number)


@st.cache_resource(show_spinner="Finding clusters", max_entries=32)
def _clusters(name: str, stamp: str, words: tuple[str, ...], number: int) -> Clusters:
    return cluster_words(_unit_rows(name, words), words, number)


def _unit_rows(name: str, words: tuple[str, ...]) -> NDArray[np.float32]:
    kept = vectors(store(), name)
    return kept.unit_rows([kept.vocabulary.row(word) for word in words])


@st.cache_resource(show_spinner="Reading the set", max_entries=8, ttl=3600)
def quality_set(name: str, content: bytes | None) -> AnalogySet | SimilaritySet:
    return read_set(name, content)


def evaluation(job: Job) -> tuple[Report, float]:
    """(report, seconds) of a finished evaluation of word vectors; RunError if it has none."""
    path = job.folder / RESULT
    return _evaluation(job, f"{job.id} {path.stat().st_mtime_ns if path.exists() else 0}")


@st.cache_resource(show_spinner="Reading the result", max_entries=16, ttl=3600)
def _evaluation(_job: Job, stamp: str) -> tuple[Report, float]:
    return evaluation_result(_job)


def aligned(store: Store, one: str, other: str, first: int) -> Alignment:
    """One set turned onto the other over their `first` shared words; DataError if the widths differ."""
    return _aligned((one, other), (vectors_stamp(store, one), vectors_stamp(store, other)), first)


@st.cache_resource(show_spinner="Turning one set onto the other", max_entries=8)
def _aligned(names: tuple[str, str], stamps: tuple[str, str], first: int) -> Alignment:
    one, other = (vectors(store(), name) for name in names)
    return align(one, other, first=first)


def agreement(store: Store, one: str, other: str, first: int, k: int) -> tuple[NDArray[np.float64], int]:
    """For each of the `first` shared words (N,) the share of its k nearest that both sets agree on; that k."""
    return _agreement((one, other), (vectors_stamp(store, one), vectors_stamp(store, other)), first, k)


@st.cache_resource(show_spinner="Comparing neighbours", max_entries=8)
def _agreement(
    names: tuple[str, str], stamps: tuple[str, str], first: int, k: int
) -> tuple[NDArray[np.float64], int]:
    one, other = (vectors(store(), name) for name in names)
    shared = shared_words(one, other, first=first)
    compared = comparable_neighbours(len(shared.words), k)
    return overlaps(one, other, shared.rows_a, shared.rows_b, compared), compared


def _corpus_key(corpus: Corpus) -> int:
    """The texts keep their hashes, as those of a table do."""
    return hash((corpus.name, corpus.texts))


@st.cache_resource(
    show_spinner="Cutting the texts into words",
    show_time=True,
    max_entries=2,
    ttl=3600,
    hash_funcs={Corpus: _corpus_key},
)
def sentences(corpus: Corpus, splitter: str) -> list[list[str]]:
    """The words of each sentence; equal words are one object, so that a long text takes little memory."""
    shared: dict[str, str] = {}
    split_sentences = sentences_of(corpus.texts, splitter, threads=read_settings().threads)
    return [[shared.setdefault(word, word) for word in words] for words in split_sentences]


@st.cache_resource(
    show_spinner="Counting", show_time=True, max_entries=8, ttl=3600, hash_funcs={Corpus: _corpus_key}
)
def cooccurrence(
    corpus: Corpus, splitter: str, words: tuple[str, ...], window: int, weighting: Weighting
) -> Cooccurrence:
    return count_cooccurrences(sentences(corpus, splitter), words=words, window=window, weighting=weighting)


@st.cache_resource(show_spinner="Loading the encoder", max_entries=2, on_release=_forget)
def encoder(name: str) -> Encoder:
    """The encoder of this name on the CPU; shared, never trained."""
    settings = read_settings()
    return load_encoder(find_encoder(name, settings), settings)


@st.cache_resource(show_spinner="Reading the sentences", max_entries=32, ttl=3600)
def in_context(encoder_name: str, word: str, texts: tuple[str, ...]) -> InContext:
    """Every occurrence of the word in these sentences, as this encoder sees it."""
    from tl_core.encoders.context import word_in_context

    return word_in_context(encoder(encoder_name), texts, word)
