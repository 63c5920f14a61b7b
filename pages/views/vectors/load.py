"""Word vectors from a file or from gensim-data, and the list of those that were loaded."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages.components import state
from pages.components.computing import shown
from pages.components.guard import guard, plain
from pages.components.kept import resources
from tl_core.catalog.vector_sets import VectorSet, add_vectors, delete_vectors, vector_set, vector_sets
from tl_core.data.tables import shown_name
from tl_core.jobs.vectors.fetch import fetched_vectors, submit_fetch
from tl_core.pythons import this_python
from tl_core.runs.store import Job, Store
from tl_core.whole_files import scratch_folder

FILES = ["txt", "vec", "bin", "npy", "gz", "w2v"]
LISTS = ["txt"]
LARGEST_UPLOAD = 500  # MB, as server.maxUploadSize
ON_THE_COMMAND_LINE = f"{this_python()} -m tl_core neighbours coffee --vectors FILE"


def show_load(store: Store) -> None:
    """The uploader, then what was loaded before, then the download."""
    with st.container(border=True):
        _show_upload(store)
    loaded = [loaded_set for loaded_set in vector_sets(store) if loaded_set.origin == "file"]
    if loaded:
        with st.container(border=True):
            st.markdown("**Loaded files**")
            for loaded_set in loaded:
                _show_loaded(store, loaded_set)
    with st.container(border=True):
        _show_download(store)


def _show_upload(store: Store) -> None:
    st.markdown("**From a file**")
    turn = state.vectors_turn()
    upload = st.file_uploader(
        "Word vectors",
        type=FILES,
        max_upload_size=LARGEST_UPLOAD,
        key=f"load.file.{turn}",
        help="What a file is, its content says, whatever its name.",
    )
    st.caption(
        "GloVe text, word2vec text and binary, fastText .vec and .bin, and a NumPy .npy with a word list; each also as "
        f".gz; at most {LARGEST_UPLOAD} MB. Pickles, such as gensim's own .model files, are refused: opening one runs "
        "code from it."
    )
    with st.popover("A larger file", icon=":material/terminal:", type="tertiary"):
        st.text("Where this app runs, a file of any size is read once and then listed here:")
        st.code(ON_THE_COMMAND_LINE, language="sh")
    if upload is None:
        return
    words = None
    if ".npy" in upload.name.lower():
        words = st.file_uploader(
            "The words of the array, one a line",
            type=LISTS,
            max_upload_size=LARGEST_UPLOAD,
            key=f"load.words.{turn}",
        )
    top = st.number_input(
        "Only the first so many words",
        0,
        None,
        0,
        step=10_000,
        key="load.top",
        help="0 for all. Most files list frequent words first; 100,000 of them do for nearly everything.",
        width=240,
    )
    if st.button("Load", type="primary", icon=":material/upload:", key="load.go"):
        with guard():
            loaded_set = _load(store, upload, words, int(top) or None)
            state.want_vectors(loaded_set.name)
            st.toast(
                f"Loaded: {loaded_set.words:,} words of width {loaded_set.width}", icon=":material/check:"
            )
            st.rerun()


def _load(store: Store, upload: UploadedFile, words: UploadedFile | None, top: int | None) -> VectorSet:
    """Write the upload under a name of ours, read it with progress, and keep it."""
    place = st.empty()
    with scratch_folder() as folder:
        path = _written(folder / "vectors", upload)
        listed = _written(folder / "words.txt", words) if words else None
        loading = add_vectors(store, path, shown_name(upload.name), top=top, words=listed)
        try:
            return shown(loading, place, "Reading the vectors")
        finally:
            place.empty()


def _written(path: Path, upload: UploadedFile) -> Path:
    path.write_bytes(upload.getbuffer())
    return path


def _show_loaded(store: Store, loaded: VectorSet) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(gap=None):
            st.text(loaded.title)
            st.caption(
                f"{loaded.words:,} words × {loaded.width}{plain(f' · {loaded.note}' if loaded.note else '')}"
            )
        if st.button("Remove", icon=":material/delete:", key=f"load.remove.{loaded.name}"):
            ask_to_remove(store, loaded)


@st.dialog("Remove these vectors?", icon=":material/delete:")
def ask_to_remove(store: Store, loaded: VectorSet) -> None:
    st.text(loaded.title)
    st.text("What was read from the file is removed here; the file itself stays where you have it.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep them", key="load.keep"):
            st.rerun()
        if st.button("Remove", type="primary", key="load.really"):
            with guard():
                resources.let_go_of_models()  # Windows removes no file that is mapped
                delete_vectors(store, loaded.name)
                state.want_vectors("")
                st.rerun()


def _show_download(store: Store) -> None:
    st.markdown("**From gensim-data**")
    if store.settings.offline:
        st.text(
            "This installation stays off the network (HF_HUB_OFFLINE is set), so nothing can be downloaded."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", key="load.name", placeholder="glove-twitter-25", width=300)
        top = st.number_input(
            "Only the first so many words", 0, None, 200_000, step=10_000, key="load.fetch_top", width=240
        )
        asked = st.button(
            "Download", icon=":material/download:", key="load.fetch", disabled=not (name or "").strip()
        )
    st.caption(
        "Needs a network. For example glove-twitter-25 (105 MB), glove-wiki-gigaword-100 (128 MB) or "
        "word2vec-google-news-300 (1.7 GB); 0 keeps all words. Each has its own licence. Only the file of numbers is "
        "read, the code that comes with it is never run."
    )
    if asked:
        with guard():
            state.show_job(submit_fetch(store, str(name), int(top)).id)
            st.rerun()


def show_fetched(store: Store, job: Job) -> None:
    """The vectors of a finished download, and the button that chooses them."""
    fetched_set = vector_set(store, fetched_vectors(job))
    with st.container(border=True):
        st.text(f"{fetched_set.title}: {fetched_set.words:,} words × {fetched_set.width}")
        if st.button("Use these vectors", type="primary", icon=":material/check:", key="fetched.use"):
            state.want_vectors(fetched_set.name)
            state.show_job("")
            st.rerun()
