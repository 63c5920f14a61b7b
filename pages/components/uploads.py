"""One uploader whose file stays for the session, so that another page and back loses nothing."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.components import state


def kept_file(
    role: str,
    label: str,
    endings: Sequence[str],
    megabytes: int,
    *,
    key: str,
    help: str | None = None,
    until_then: str = "",
) -> tuple[str, bytes] | None:
    """Name and content of the file uploaded now, or before in this session; None until there is one.

    The file is kept under `role`; `key` is the widget's. `until_then` says what may be given.
    """
    upload = st.file_uploader(label, type=list(endings), max_upload_size=megabytes, key=key, help=help)
    if upload is not None:
        state.keep_upload(role, upload.name, upload.getvalue())
    kept = state.kept_upload(role)
    if kept is None and until_then:
        st.caption(until_then)
    elif kept is not None and upload is None:
        st.text(f"Still here from before: {kept[0]}")
    return kept
