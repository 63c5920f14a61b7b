"""Runs out as zips and in from zips."""

from __future__ import annotations

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.missing_encoder import encoder_ready
from tl_core.exchange.zips import export_run, import_run
from tl_core.runs.store import Run, Store
from tl_core.whole_files import scratch_folder


def show_export(store: Store, run: Run) -> None:
    """A button that packs the run, then one that downloads it."""
    if not st.button("Make a zip", icon=":material/folder_zip:", key=f"runs.export.{run.id}"):
        return
    if not encoder_ready(store, run.id, f"runs.export.{run.id}"):
        return
    with guard(), st.spinner("Packing"), scratch_folder() as folder:
        out = folder / "run.zip"
        export_run(store, run.id, out)
        st.download_button(
            "Download the zip",
            out.read_bytes(),
            f"{run.id}.zip",
            "application/zip",
            icon=":material/download:",
            key=f"runs.zip.{run.id}",
            on_click="ignore",
        )


def show_import(store: Store) -> None:
    """An uploader for a zip that was exported here or elsewhere, and what became of it."""
    st.caption(
        "A run exported as a zip, here or on another machine. All of it is checked, nothing in it is run."
    )
    upload = st.file_uploader("Exported run", type=["zip"], key=f"runs.import.{state.import_turn()}")
    if upload is None or not st.button("Import", type="primary", icon=":material/upload:", key="runs.import"):
        return
    with guard(), st.spinner("Checking the zip"), scratch_folder() as folder:
        path = folder / "run.zip"
        path.write_bytes(upload.getbuffer())
        run = import_run(store, path)
        state.next_import()
        st.toast(f"Imported as {run.id}. It stands under All runs.", duration="long")
        st.rerun()
