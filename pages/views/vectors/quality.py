"""Quality of a set of word vectors: a set of questions, its settings, and what was evaluated before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import state
from pages.components.choice import one_of
from pages.components.forms import knob_widgets
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.uploads import kept_file
from tl_core.jobs.vectors.evaluate import QualityConfig, submit_evaluation
from tl_core.runs.store import Job, Store
from tl_core.vectors.quality import SimilarityReport
from tl_core.vectors.quality_files import (
    ANALOGY_FORM,
    LARGEST_FILE,
    SIMILARITY_FORM,
    AnalogySet,
    SimilaritySet,
)
from tl_core.vectors.space import WordVectors

SETS = {"google": "Google analogies", "wordsim353": "WordSim-353", "simlex999": "SimLex-999"}
OWN = "own"
ABOUT = {
    "google": "Athens is to Greece as Oslo is to ...? Mikolov et al. 2013; semantic and grammatical sections.",
    "wordsim353": "How related are two words? Coffee and cup count as close. Finkelstein et al. 2002.",
    "simlex999": "How alike are two words? Coffee and cup are not. Hill et al. 2015.",
}
FORMS = f"Analogies: {ANALOGY_FORM}. Or pairs: {SIMILARITY_FORM}."
NEWEST = 10
COLUMNS = ["set", "right", "spearman", "covered", "method", "inputs", "searched", "created"]


def show_quality(store: Store, vectors: WordVectors, name: str) -> None:
    """Set, settings and the button that starts the job; earlier evaluations below."""
    st.caption(
        "Do the vectors answer analogies, and do they find alike what people find alike? Neither says how well they "
        "serve a task, but both tell good vectors from bad ones."
    )
    with guard(), st.container(border=True):
        _ask(store, vectors, name)
    with guard():
        _show_earlier(store, name)


def _ask(store: Store, vectors: WordVectors, name: str) -> None:
    titles = {**SETS, OWN: "Your own file"}
    set_name, content = one_of("Set", titles, key="quality.set", label_visibility="visible"), None
    if set_name == OWN:
        upload = _upload()
        if upload is None:
            st.caption(FORMS)
            return
        set_name, content = upload
    else:
        st.caption(ABOUT[set_name])
    questions = resources.quality_set(set_name, content)
    st.text(_facts(questions))
    config = QualityConfig()
    if isinstance(questions, AnalogySet):
        config = QualityConfig(**knob_widgets(QualityConfig, {}, "quality", advanced=False))  # type: ignore[arg-type]
    if st.button("Evaluate", type="primary", icon=":material/fact_check:", key="quality.evaluate"):
        state.show_job(submit_evaluation(store, name, config, set_name, content).id)
        st.rerun()


def _upload() -> tuple[str, bytes] | None:
    """The name and content of the file, which is kept for the session."""
    return kept_file(
        "quality",
        "Analogies or word pairs",
        ("txt", "tsv", "csv", "gz"),
        LARGEST_FILE // 1_000_000,
        key="quality.file",
        help=FORMS,
    )


def _facts(questions: AnalogySet | SimilaritySet) -> str:
    if isinstance(questions, SimilaritySet):
        return f"{questions.total:,} pairs of words with people's scores"
    noun = "section" if len(questions.sections) == 1 else "sections"
    return f"{questions.total:,} analogies in {len(questions.sections):,} {noun}"


def _show_earlier(store: Store, name: str) -> None:
    """The newest evaluations of these vectors, one of which can be opened."""
    jobs = [job for job in store.jobs() if _is_evaluation_of(job, name)][:NEWEST]
    if not jobs:
        return
    st.subheader("Earlier evaluations")
    event = st.dataframe(
        pd.DataFrame([_line(job) for job in jobs], columns=COLUMNS),
        hide_index=True,
        height="content",
        on_select="rerun",
        selection_mode="single-row",
        key=f"quality.earlier.{name}.{jobs[0].id}",
        column_config={
            "set": st.column_config.TextColumn("Set"),
            "right": st.column_config.NumberColumn("Answered rightly, %", format="%.1f"),
            "spearman": st.column_config.NumberColumn("Spearman", format="%.3f"),
            "covered": st.column_config.TextColumn("Covered"),
            "method": st.column_config.TextColumn("Method"),
            "inputs": st.column_config.CheckboxColumn("Inputs may answer"),
            "searched": st.column_config.TextColumn("Words searched"),
            "created": st.column_config.DatetimeColumn("Date", format="YYYY-MM-DD HH:mm"),
        },
        placeholder="",
        alt="Earlier evaluations of these vectors",
    )
    rows = [row for row in event.selection.rows if row < len(jobs)]
    if st.button(
        "Open the chosen one", disabled=not rows, icon=":material/open_in_full:", key="quality.open"
    ):
        state.show_job(jobs[rows[0]].id)
        st.rerun()


def _is_evaluation_of(job: Job, name: str) -> bool:
    of_these = job.kind == "evaluate_vectors" and job.record.config.get("vectors") == name
    return of_these and job.status == "done"


def _line(job: Job) -> dict[str, Any]:
    """The table's row for one evaluation; word pairs know nothing of method, inputs and search."""
    report, _ = resources.evaluation(job)
    config = job.record.config
    line: dict[str, Any] = {
        "set": SETS.get(str(config["set"]), str(config["set"])),
        "created": datetime.fromtimestamp(job.record.created),
    }
    if isinstance(report, SimilarityReport):
        return line | {
            "right": None,
            "spearman": report.spearman,
            "covered": f"{report.covered:,} of {report.total:,}",
        }
    accuracy, settings = report.overall.accuracy, config["quality"]
    return line | {
        "right": None if accuracy is None else 100 * accuracy,
        "spearman": None,
        "covered": f"{report.overall.covered:,} of {report.overall.total:,}",
        "method": settings["method"],
        "inputs": bool(settings["include_inputs"]),
        "searched": f"{settings['first']:,}" if settings["first"] else "all",
    }
