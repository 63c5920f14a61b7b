"""Every query parameter and session key, in one place; nobody else spells one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

JOB = "job"
FINE_TUNE_CONFIG = "fine_tune.config"
PREDICTION_JOB = "predict"


def open_job() -> str:
    """The id of the job that the page's address names; '' for none."""
    return str(st.query_params.get(JOB, ""))


def show_job(job_id: str) -> None:
    """Put a job into the page's address, so that a reload or another tab finds it; '' takes it out."""
    if job_id:
        st.query_params[JOB] = job_id
    else:
        st.query_params.pop(JOB, None)
        st.query_params.pop(PREDICTION_JOB, None)


def prediction_job() -> str:
    """The id of the file prediction that the page's address names; '' for none."""
    return str(st.query_params.get(PREDICTION_JOB, ""))


def show_prediction(job_id: str) -> None:
    st.query_params[PREDICTION_JOB] = job_id


def loaded_config() -> dict[str, Any]:
    """The settings that the Fine-tune form starts from: those of a loaded JSON, else none."""
    return dict(st.session_state.get(FINE_TUNE_CONFIG, {}))


def load_config(values: dict[str, Any]) -> None:
    """Start the Fine-tune form from these settings: its widgets are made anew."""
    st.session_state[FINE_TUNE_CONFIG] = values
    st.session_state[f"{FINE_TUNE_CONFIG}.turn"] = form_turn() + 1


def keep_upload(role: str, name: str, content: bytes) -> None:
    """Keep an uploaded table for this session: Streamlit forgets a file when its widget is not shown."""
    st.session_state[f"upload.{role}"] = (name, content)


def kept_upload(role: str) -> tuple[str, bytes] | None:
    """The name and content of the table last uploaded for this role in this session."""
    kept: tuple[str, bytes] | None = st.session_state.get(f"upload.{role}")
    return kept


def form_turn() -> int:
    """A number that grows with each loaded config; part of the form's widget keys."""
    return int(st.session_state.get(f"{FINE_TUNE_CONFIG}.turn", 0))


# the Runs page

CHOSEN_JOB = "runs.job"
IMPORT_TURN = "runs.import.turn"


def chosen_job() -> str:
    """The id of the job that is chosen in the list of jobs; '' before any choice."""
    return str(st.session_state.get(CHOSEN_JOB, ""))


def choose_job(job_id: str) -> None:
    st.session_state[CHOSEN_JOB] = job_id


def import_turn() -> int:
    """A number that grows with each import; part of the uploader's key, so that it empties."""
    return int(st.session_state.get(IMPORT_TURN, 0))


def next_import() -> None:
    st.session_state[IMPORT_TURN] = import_turn() + 1


def jobs_table(job_ids: Sequence[str]) -> str:
    """The key of the table of these jobs: another list of jobs is another table, with its own choice."""
    return f"runs.jobs.{len(job_ids)}.{job_ids[0]}"
