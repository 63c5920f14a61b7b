"""The entry point: `streamlit run app.py`. Page configuration and navigation, nothing else."""

import streamlit as st

from tl_core.pythons import refusal

st.set_page_config(page_title="Transfer learning on text", page_icon=":material/swap_horiz:", layout="wide")
if refusal():
    st.error(refusal())
    st.stop()

from pages.components import state  # noqa: E402
from pages.components.navigation import all_pages  # noqa: E402
from tl_core.processes import prepare_torch  # noqa: E402

prepare_torch()
state.mark_entered()
st.navigation(all_pages(), position="top").run()
