"""Fine-tune: labelled rows in, strategies trained side by side, the result judged and used."""

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.job_panel import show_job_panel
from pages.components.kept import resources
from pages.components.navigation import through_app
from pages.views.comparison.show import show_result
from pages.views.fine_tune.data import choose_data
from pages.views.fine_tune.source import choose_source
from pages.views.fine_tune.start import start_training
from pages.views.fine_tune.strategies import choose_strategies
from pages.views.fine_tune.use import use_model

through_app()
st.title("Fine-tune")
store = resources.store()

if state.open_job():
    with guard():
        job = store.job(state.open_job())
        if st.button("New training", icon=":material/add:"):
            state.show_job("")
            st.rerun()
        show_job_panel(store, job)
        show_result(store, job)
        use_model(store, job)
else:
    st.caption(
        "Labelled rows, a model to start from, and what to do with it. Change what you like, then train."
    )
    data = choose_data("target")
    if data is not None:
        source = choose_source(store, data)
        config = choose_strategies(data, source) if source else None
        if source and config:
            start_training(store, data, source, config)
