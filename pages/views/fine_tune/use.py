"""The last step: use a finished run on a typed text or a file, or take it away as a zip."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.columns import PREFERRED_HELP
from pages.components.guard import guard, plain
from pages.components.html import shaded
from pages.components.job_panel import show_job_panel
from pages.components.kept import resources
from pages.components.missing_encoder import encoder_ready
from pages.components.views import View, choose_view
from pages.views.fine_tune.data import FILES, LARGEST_TABLE
from tl_core.data.columns import guess_columns
from tl_core.exchange.zips import export_run
from tl_core.jobs.classify.compare import runs_done
from tl_core.jobs.classify.predict import RESULT, submit_prediction
from tl_core.outcomes.runs import run_title
from tl_core.outcomes.tasks import preferred
from tl_core.runs.store import Job, Run, Store
from tl_core.tasks.classify.fitting import Classifier
from tl_core.tasks.classify.saved import predict
from tl_core.tasks.classify.strategies import Sentences, strategy
from tl_core.whole_files import scratch_folder


def use_model(store: Store, job: Job) -> None:
    """Try, apply and export one of the job's finished runs."""
    runs = {run.id: run for run in runs_done(store.runs_of(job.id))}
    if not runs:
        return
    st.subheader("Use it")
    with st.container(border=True), guard():
        chosen = st.selectbox(
            "Model",
            list(runs),
            index=list(runs).index(preferred(list(runs.values())).id),
            format_func=lambda name: _title(runs[name]),
            key="use.run",
            help=PREFERRED_HELP,
        )
        run = runs[chosen]
        if not encoder_ready(store, run.id, "use"):
            return
        uses: tuple[View[Callable[[Store, Run], None]], ...] = (
            View("type", "Type a text", _type),
            View("label", "Label a file", _label_file),
            View("export", "Export", _export),
        )
        choose_view("What", uses, key="use.what").show(store, run)


def _title(run: Run) -> str:
    report = run.tested
    return f"{run_title(run)} · accuracy {report['accuracy']:.1%}"


def _type(store: Store, run: Run) -> None:
    text = st.text_area("Text", key="use.text", placeholder="Type or paste a text", height=100)
    if not text.strip():
        st.caption("The probabilities of every class appear here.")
        return
    model = resources.classifier(run)
    [probabilities] = predict(model, [text])
    frame = pd.DataFrame({"class": model.classes, "probability": probabilities})
    st.dataframe(
        frame.sort_values("probability", ascending=False),
        hide_index=True,
        column_config={
            "probability": st.column_config.ProgressColumn(format="%.3f", min_value=0.0, max_value=1.0),
        },
    )
    st.caption("Calibrated only as well as the reliability diagram above shows.")
    scored = strategy(run.record.strategy).sentences
    if scored is not None:
        _show_sentences(scored, model, text)


def _show_sentences(scored: Sentences, model: Classifier, text: str) -> None:
    """The sentences that decided: what each adds to the score of the most probable class."""
    label = model.classes[int(predict(model, [text])[0].argmax())]
    sentences = scored(model, text, label)
    if not sentences:
        return
    largest = max(abs(sentence.score) for sentence in sentences) or 1.0
    st.markdown(f"**The sentences that decided: {plain(label)}**")
    st.html(
        shaded(
            [sentence.sentence for sentence in sentences],
            [sentence.score / largest for sentence in sentences],
        )
    )
    st.caption(
        "Blue speaks for the class, orange against it: the gradient by each sentence times the sentence."
    )


def _label_file(store: Store, run: Run) -> None:
    upload = st.file_uploader(
        "A table without labels", type=FILES, max_upload_size=LARGEST_TABLE, key="use.file"
    )
    if upload is not None:
        table = resources.table(upload.getvalue(), upload.name, None)
        columns = st.multiselect(
            "Text columns",
            table.columns,
            default=guess_columns(table).text,
            key=f"use.columns.{hash(table.columns)}",
        )
        st.caption(
            f"{len(table.rows):,} rows. The file comes back with the columns predicted and probability."
        )
        if columns and st.button("Predict", type="primary", key="use.predict"):
            state.show_prediction(submit_prediction(store, run, upload.getvalue(), table, tuple(columns)).id)
            st.rerun()
    if state.prediction_job():
        job = store.job(state.prediction_job())
        show_job_panel(store, job)
        result = job.folder / RESULT
        if job.status == "done" and result.exists():
            st.download_button(
                "Download with predictions",
                result.read_bytes(),
                "predicted.csv",
                "text/csv",
                key="use.download",
            )
            st.caption("Cells that a spreadsheet would run as formulas start with an apostrophe.")


def _export(store: Store, run: Run) -> None:
    st.caption(
        "A zip with the weights, tokenizer, labels, settings, a card, and a predict.py that needs only pip packages."
    )
    encoder = bool(run.record.encoder)
    with_base = encoder and st.toggle(
        "Carry the base encoder too (float16)",
        key="use.with_base",
        help="Larger, but needs no hub afterwards.",
    )
    if st.button("Make the zip", key="use.export"):
        with st.spinner("Packing"), scratch_folder() as folder:
            out = folder / "run.zip"
            export_run(store, run.id, out, with_base=with_base)
            st.download_button(
                "Download the zip",
                out.read_bytes(),
                f"{run.id}.zip",
                "application/zip",
                key="use.zip",
                on_click="ignore",
            )
