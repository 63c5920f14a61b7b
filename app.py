"""The entry point: `streamlit run app.py`. Page configuration and navigation, nothing else."""

import streamlit as st

st.set_page_config(page_title="Transfer learning on text", page_icon=":material/swap_horiz:", layout="wide")

pages = [
    st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
    st.Page("pages/fine_tune.py", title="Fine-tune", icon=":material/tune:"),
    st.Page("pages/runs.py", title="Runs", icon=":material/list:"),
]
st.navigation(pages, position="top").run()
