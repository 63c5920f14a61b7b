"""The texts to count in or to learn from: a sample, a text file, or a column of a table."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.uploads import kept_file
from pages.components.views import View, choose_view
from tl_core.data.columns import guess_columns
from tl_core.data.corpus import MAX_FILE_BYTES, Corpus, corpus_of
from tl_core.data.samples import SAMPLES, sample_corpus
from tl_core.data.tables import MAX_FILE_BYTES as MAX_TABLE_BYTES

TEXT_FILES, TABLE_FILES = ["txt", "gz", "bz2"], ["csv", "tsv", "gz", "bz2"]
ICE = "Ice and steam"


def choose_corpus(role: str) -> Corpus | None:
    """The widgets of one corpus, and how large it is; None until there is one."""
    origins: tuple[View[Callable[[str], Corpus | None]], ...] = (
        View("sample", "Sample", _sample),
        View("text", "Text file", _text_file),
        View("table", "Table column", _table_column),
    )
    origin = choose_view("Texts from", origins, key=f"{role}.origin")
    with guard():
        corpus = origin.show(role)
        if corpus is not None:
            noun = "text" if len(corpus.texts) == 1 else "texts"
            st.text(f"{len(corpus.texts):,} {noun}, {corpus.characters:,} characters")
        return corpus
    return None


def _sample(role: str) -> Corpus:
    titles = {sample.name: sample.title for sample in SAMPLES}
    name = st.selectbox(
        "Sample", [ICE, *titles], format_func=lambda option: titles.get(option, option), key=f"{role}.sample"
    )
    if name != ICE:
        st.caption("The texts of a sample table, written for this project.")
        return corpus_of(resources.sample_table(name))
    st.caption(
        "Sentences on ice, steam, water and other things, written for this project. Far too few to prove anything."
    )
    return _ice()


def _ice() -> Corpus:
    return Corpus(ICE, tuple(line for line in sample_corpus().splitlines() if line.strip()))


def _text_file(role: str) -> Corpus | None:
    kept = kept_file(
        role,
        "A text",
        TEXT_FILES,
        MAX_FILE_BYTES >> 20,
        key=f"{role}.file",
        help=f"At most {MAX_FILE_BYTES >> 20} MB.",
        until_then="Plain text, a text or a sentence a line, also as .gz or .bz2. UTF-8, UTF-16 and cp949 are recognised.",
    )
    return resources.corpus(kept[1], kept[0], "") if kept else None


def _table_column(role: str) -> Corpus | None:
    kept = kept_file(
        f"{role}.table",
        "A table with a text in each row",
        TABLE_FILES,
        MAX_TABLE_BYTES >> 20,
        key=f"{role}.table.file",
        help=f"At most {MAX_TABLE_BYTES >> 20} MB.",
        until_then="CSV or TSV, also as .gz or .bz2.",
    )
    if kept is None:
        return None
    name, content = kept
    table = resources.table(content, name, None)
    column = st.selectbox(
        "Column with the text",
        table.columns,
        index=table.columns.index(guess_columns(table).text[0]),
        key=f"{role}.column.{hash(table.columns)}",
    )
    return corpus_of(table, column)
