"""Everything that Streamlit keeps between reruns: the store, device facts, tables, loaded classifiers.

Tables and reports are frozen, so sessions may share them; an upload is found again by its content.
"""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import streamlit as st

from tl_core.data.columns import Columns
from tl_core.data.corpus import Corpus, read_corpus
from tl_core.data.documents import Document, read_document
from tl_core.data.reading import ReadingSet
from tl_core.data.reading_files import read_reading
from tl_core.data.samples import SamplePassage, read_sample, sample_passages
from tl_core.data.tables import Table, read_table
from tl_core.encoders.load import EncoderBase, tokenizer_of
from tl_core.recipes.estimate import Estimate, TokenCounts, estimate, starting_base
from tl_core.recipes.machine import device_facts
from tl_core.recipes.plan import CompareConfig, Task, config_from_json
from tl_core.recipes.probe import RATES
from tl_core.recipes.readers import load_named_reader, reader_stamp
from tl_core.recipes.report import DataReport, check_table
from tl_core.recipes.vector_sets import open_vectors, vectors_stamp
from tl_core.runs.store import Run, Store
from tl_core.settings import read_settings
from tl_core.tasks.classify.fitting import Classifier
from tl_core.tasks.classify.saved import load_classifier
from tl_core.tasks.read.collection import Collection
from tl_core.tasks.read.reader import Reader
from tl_core.vectors.space import WordVectors


def store() -> Store:
    """The store of jobs and runs; cheap, so it is not kept."""
    return Store(read_settings())


@st.cache_data(show_spinner=False, ttl=3600, max_entries=1)
def devices() -> dict[str, Any]:
    """What this machine computes on; the server itself loads no torch for this."""
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


@st.cache_data(show_spinner=False, max_entries=64)
def _known_estimate(config: str, task_key: int, rates_changed: int, _task: Task) -> Estimate | None:
    settings = config_from_json(json.loads(config))
    base = starting_base(store(), settings)
    counts = _token_counts(base) if base else None
    return estimate(store(), settings, _task, probe=False, counts=counts)


def known_estimate(config: CompareConfig, task: Task) -> Estimate | None:
    """What a comparison will cost, if the speed of its strategies here is known; kept for the same task."""
    rates = read_settings().cache / RATES
    changed = rates.stat().st_mtime_ns if rates.exists() else 0
    return _known_estimate(json.dumps(config.to_json(), sort_keys=True), hash(task), changed, task)


def classifier(run: Run) -> Classifier:
    """The run's model on the CPU, so that an idle server holds no GPU memory; shared, never trained."""
    return _classifier(str(run.model), run.model.stat().st_mtime_ns)


def _forget(_: object) -> None:
    gc.collect()


@st.cache_resource(show_spinner="Loading the model", max_entries=2, on_release=_forget)
def _classifier(folder: str, changed: int) -> Classifier:
    return load_classifier(Path(folder), read_settings(), device="cpu")


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
    return Collection([(each.name, each.text) for each in documents])


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
