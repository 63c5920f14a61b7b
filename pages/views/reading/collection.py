"""A document collection: BM25 picks passages, the reader answers from them, the document is named."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.computing import shown
from pages.components.guard import guard
from pages.components.html import Highlight, highlighted
from pages.components.kept import resources
from pages.components.uploads import kept_file
from pages.components.views import View, choose_view
from pages.views.reading.passage import FILES
from pages.views.reading.reader import choose_reader
from tl_core.data.documents import MAX_FILE_BYTES, MOST_DOCUMENTS, Document, documents_of
from tl_core.data.tables import Table
from tl_core.runs.store import Store
from tl_core.tasks.read.collection import Collection, CollectionAnswer, CollectionReply, ask_collection
from tl_core.tasks.read.config import Reading
from tl_core.tasks.read.reader import Reader

TABLES = ["csv", "tsv"]
FIRST_QUESTION = "When did lending begin?"
AROUND = 400  # characters shown on either side of an answer


def show_collection(store: Store) -> None:
    """Documents and reader on the left, question and answers on the right."""
    st.caption(
        "Ask many documents at once. BM25 ranks their passages by the words they share with the question; the "
        "reader reads the best of them."
    )
    left, right = st.columns([5, 6], gap="large")
    with left, guard():
        documents = _choose_documents()
        if not documents:
            return
        st.text(
            f"{len(documents):,} documents, {sum(len(document.text) for document in documents):,} characters"
        )
        reader = choose_reader(store, [document.text for document in documents[:50]], "collection")
        passages = st.slider("Passages to read", 1, 50, 10, key="collection.passages")
    with right, guard():
        question = st.text_input(
            "Question",
            FIRST_QUESTION,
            key="collection.question",
            placeholder="What do you want to know from the documents?",
        ).strip()
        if not question or not reader.name:
            st.text("The answers appear here, with the document that each stands in.")
            return
        loaded = resources.reader(store, reader.name)
        collection = resources.collection(documents)
        _show(_ask(loaded, collection, question, passages), collection)


def _choose_documents() -> tuple[Document, ...]:
    origins: tuple[View[Callable[[], tuple[Document, ...]]], ...] = (
        View("examples", "Examples", _examples),
        View("files", "Files", _from_files),
        View("table", "A table", _from_table),
    )
    return choose_view("Documents from", origins, key="collection.origin").show()


def _examples() -> tuple[Document, ...]:
    st.caption("The example passages of this app, three English and three Korean ones.")
    return tuple(Document(sample_text.title, sample_text.text) for sample_text in resources.sample_texts())


def _from_files() -> tuple[Document, ...]:
    uploads = st.file_uploader(
        "Texts",
        type=FILES,
        accept_multiple_files=True,
        max_upload_size=MAX_FILE_BYTES >> 20,
        key="collection.files",
        help=f"txt, md or pdf, one document each; at most {MOST_DOCUMENTS:,}.",
    )
    for upload in uploads:
        with guard():  # one that cannot be read does not keep the others out
            state.keep_document(resources.document(upload.getvalue(), upload.name))
    kept = state.kept_documents()
    if kept and st.button("Forget all", icon=":material/delete:", key="collection.forget"):
        state.forget_documents()
        st.rerun()
    return kept


def _from_table() -> tuple[Document, ...]:
    kept = kept_file(
        "collection",
        "A table with a text in each row",
        TABLES,
        MAX_FILE_BYTES >> 20,
        key="collection.table",
        until_then=f"CSV or TSV; each row becomes a document, at most {MOST_DOCUMENTS:,}.",
    )
    if kept is None:
        return ()
    name, content = kept
    table = resources.table(content, name, None)
    longest = max(table.columns, key=lambda column_name: _letters(table, column_name))
    column = st.selectbox(
        "Column with the text",
        table.columns,
        index=table.columns.index(longest),
        key=f"collection.column.{hash(table.columns)}",
    )
    return documents_of(table, column)


def _letters(table: Table, column: str) -> int:
    at = table.columns.index(column)
    return sum(len(row[at]) for row in table.rows[:100])


def _ask(reader: Reader, collection: Collection, question: str, passages: int) -> CollectionReply:
    key = ("collection", reader.token, hash(collection.documents), question, passages)
    kept: CollectionReply | None = state.kept_reply(key)
    if kept is not None:
        return kept
    asking = ask_collection(reader, collection, question, Reading(), candidates=passages)
    place = st.empty()
    try:
        reply = shown(asking, place, "Reading the passages")
    finally:
        place.empty()
    state.keep_reply(key, reply)
    return reply


def _show(reply: CollectionReply, collection: Collection) -> None:
    if not reply.matched:
        st.info(
            "No document shares a word with the question. Try words that may stand in the text.",
            icon=":material/search_off:",
        )
        return
    if not reply.has_answer:
        st.info("None of the passages read answers it.", icon=":material/search_off:")
    for at, answer in enumerate(reply.answers):
        counts = answer.found.score >= reply.threshold
        if counts:
            _show_answer(answer, collection, best=at == 0)
    st.markdown("**Everything that was found**")
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "answer": answer.found.text,
                    "document": answer.name,
                    "score": answer.found.score,
                    "probability": answer.found.probability,
                    "bm25": answer.passage.score,
                }
                for answer in reply.answers
            ]
        ),
        hide_index=True,
        column_config={
            "answer": st.column_config.TextColumn("Answer", width="medium"),
            "document": st.column_config.TextColumn("Document", width="medium"),
            "score": st.column_config.NumberColumn("Reader's score", format="%.2f"),
            "probability": st.column_config.NumberColumn("Probability", format="percent"),
            "bm25": st.column_config.NumberColumn("BM25", format="%.2f"),
        },
        placeholder="",
        alt="All answers with their documents and scores",
    )
    noun = "passage" if len(reply.passages) == 1 else "passages"
    st.caption(
        f"{len(reply.passages)} {noun} read. BM25 chooses what is read, the reader's score alone ranks the answers."
    )


def _show_answer(answer: CollectionAnswer, collection: Collection, *, best: bool) -> None:
    text = collection.documents[answer.document][1]
    begin = max(0, answer.found.start - AROUND)
    end = min(len(text), answer.found.end + AROUND)
    with st.container(border=True):
        st.text(answer.found.text)
        st.caption(f"score {answer.found.score:.1f}, in:")
        st.text(answer.name)
        if best:
            mark = Highlight(answer.found.start - begin, answer.found.end - begin)
            st.html(highlighted(text[begin:end], [mark]))
