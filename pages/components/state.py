"""Every query parameter and session key, in one place; nobody else spells one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tl_core.data.documents import Document

JOB = "job"
ENTERED = "app.entered"
FINE_TUNE_CONFIG = "fine_tune.config"
PREDICTION_JOB = "predict"


def held(key: str, default: Any = None) -> Any:
    """The value that the widget of this key holds, or is about to; `default` before anybody set it."""
    return st.session_state.get(key, default)


def put(key: str, value: Any) -> None:
    """Let the widget of this key hold `value`, if it is not drawn yet in this run."""
    st.session_state[key] = value


def mark_entered() -> None:
    """Note that the page's run passed through app.py, which calls this."""
    st.session_state[ENTERED] = True


def has_entered() -> bool:
    """Whether a run of this session passed through app.py before."""
    return ENTERED in st.session_state


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


def arm_numbers(key: str, saved: int) -> tuple[int, ...]:
    """The numbers of a strategy's arms on a form, from 1; at first as many as a loaded config has."""
    return tuple(st.session_state.get(f"{key}.arms", range(1, saved + 1)))


def add_arm(key: str, saved: int) -> None:
    """One more arm of a strategy, under a number that none had before."""
    numbers = arm_numbers(key, saved)
    last = int(st.session_state.get(f"{key}.arms.last", max(numbers, default=0)))
    st.session_state[f"{key}.arms.last"] = last + 1
    st.session_state[f"{key}.arms"] = (*numbers, last + 1)


def remove_arm(key: str, number: int, saved: int) -> None:
    """Take an arm off a form; its number is not given again."""
    numbers = arm_numbers(key, saved)
    st.session_state.setdefault(f"{key}.arms.last", max(numbers, default=0))
    st.session_state[f"{key}.arms"] = tuple(arm for arm in numbers if arm != number)


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


# the Reading page

PASSAGE = "reading.passage"
HISTORY = "reading.history"
MOST_ASKED = 50


def kept_passage() -> str:
    """The text that was typed last: Streamlit forgets it when its widget is not shown."""
    return str(st.session_state.get(PASSAGE, ""))


def keep_passage(text: str) -> None:
    st.session_state[PASSAGE] = text


def question_key(passage: str) -> str:
    """The key of the question's widget: each passage has its own."""
    return f"reading.question.{hash(passage)}"


def remember_question(passage: str, question: str, answer: str) -> None:
    """Note a question and its answer ('' for none) for this passage."""
    asked = [asked_question for asked_question in asked_questions(passage) if asked_question[0] != question]
    kept = {**st.session_state.get(HISTORY, {}), hash(passage): [(question, answer), *asked][:MOST_ASKED]}
    st.session_state[HISTORY] = kept


def asked_questions(passage: str) -> list[tuple[str, str]]:
    """(question, answer) pairs asked on this passage in this session, newest first."""
    return list(st.session_state.get(HISTORY, {}).get(hash(passage), []))


REPLIES = "reading.replies"
STOPPED = "reading.stopped"
MOST_REPLIES = 32


def kept_reply(key: object) -> Any:
    """The reply to the same question before in this session; None if it was not asked."""
    return st.session_state.get(REPLIES, {}).get(key)


def keep_reply(key: object, reply: object) -> None:
    kept = dict(list(st.session_state.get(REPLIES, {}).items())[-MOST_REPLIES + 1 :])
    st.session_state[REPLIES] = {**kept, key: reply}


def stop_asking(key: object) -> None:
    """Note that the person stopped this question; None forgets it."""
    st.session_state[STOPPED] = key


def was_stopped(key: object) -> bool:
    return bool(st.session_state.get(STOPPED) == key)


DOCUMENTS = "reading.documents"


def keep_document(document: Document) -> None:
    """Keep an uploaded document for this session; one of the same name and text only once."""
    kept = kept_documents()
    if document not in kept:
        st.session_state[DOCUMENTS] = (*kept, document)


def kept_documents() -> tuple[Document, ...]:
    documents: tuple[Document, ...] = st.session_state.get(DOCUMENTS, ())
    return documents


def forget_documents() -> None:
    st.session_state[DOCUMENTS] = ()


# the Word vectors page

VECTORS = "vectors.wanted"
VECTORS_TURN = "vectors.turn"


def wanted_vectors() -> str:
    """The name of the vectors to begin with: those just loaded or learned; '' for the first of the list."""
    return str(st.session_state.get(VECTORS, ""))


def want_vectors(name: str) -> None:
    """Choose these vectors: the selection is made anew with them."""
    st.session_state[VECTORS] = name
    st.session_state[VECTORS_TURN] = vectors_turn() + 1


def vectors_turn() -> int:
    """A number that grows with each `want_vectors`; part of the selection's key."""
    return int(st.session_state.get(VECTORS_TURN, 0))


def take_context_link() -> None:
    """Open the Context view on the sentence that a link brought, once; its word is typed by the person."""
    sentence = st.query_params.get("sentence", "")
    if sentence:
        del st.query_params["sentence"]
        st.session_state["vectors.view"] = "context"
        st.session_state["context.preset"] = OWN_SENTENCES
        st.session_state[f"context.sentences.{OWN_SENTENCES}"] = sentence


OWN_SENTENCES = "my own"
DRAWN = "vectors.drawn"
MOST_DRAWN = 32


def draw_map(key: object) -> None:
    """Note that the person asked for this map, which takes long."""
    st.session_state[DRAWN] = (*st.session_state.get(DRAWN, ()), key)[-MOST_DRAWN:]


def was_drawn(key: object) -> bool:
    return key in st.session_state.get(DRAWN, ())


# the Attention page: its address restores what is seen

ATTENTION = "attention"
HEAD = "attention.chosen_head"
LONGEST_IN_ADDRESS = 1_500  # characters of a text; browsers and servers cut very long addresses
VIEWS_OF_OLD_LINKS = {  # addresses once carried what stood on the view's button
    "Heads": "heads",
    "Roll-out": "roll-out",
    "What matters": "what-matters",
    "Before and after": "before-after",
    "Statistics": "statistics",
    "Switch off": "switch-off",
    "Step by step": "steps",
}


def attention_key(name: str) -> str:
    """The widget key of one of `model`, `text`, `pair` and `part`, begun with what the address says."""
    key = f"{ATTENTION}.{name}"
    if key not in st.session_state and name in st.query_params:
        st.session_state[key] = st.query_params[name]
    return key


def attention_view_key(ids: Sequence[str]) -> str:
    """The widget key of the view, begun with the one that the address names; with the first if that is none of these."""
    key = f"{ATTENTION}.view"
    if st.session_state.get(key) not in ids:
        given = st.query_params.get("view", "")
        given = VIEWS_OF_OLD_LINKS.get(given, given)
        st.session_state[key] = given if given in ids else ids[0]
    return key


def look_into(model: str, text: str, pair: str = "", view: str = "what-matters") -> None:
    """Go to the Attention page with this model and this text; `view` is the id of one of its views."""
    for name, value in {"model": model, "text": text, "pair": pair, "view": view}.items():
        st.session_state[f"{ATTENTION}.{name}"] = value
    st.switch_page("pages/attention.py")


def write_attention_address(values: dict[str, str]) -> bool:
    """Put these into the page's address, without empty ones; False if the texts are too long for one."""
    short = sum(map(len, values.values())) <= LONGEST_IN_ADDRESS
    layer, head = chosen_head()
    kept = {**values, "layer": str(layer + 1), "head": str(head + 1)}
    if not short:
        kept = {name: value for name, value in kept.items() if name not in ("text", "pair")}
    wanted = {name: value for name, value in kept.items() if value}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    return short


def write_head_address() -> None:
    """Put the chosen head alone into the address that the page has already; a fragment's run does not reach its end."""
    layer, head = chosen_head()
    wanted = {"layer": str(layer + 1), "head": str(head + 1)}
    if "model" in st.query_params and not wanted.items() <= st.query_params.to_dict().items():
        st.query_params.update(wanted)


def chosen_head() -> tuple[int, int]:
    """The layer and the head, from 0, that were chosen last; those of the address at first."""
    if HEAD not in st.session_state:
        numbers = [st.query_params.get(name, "1") for name in ("layer", "head")]
        layer, head = (
            int(number) if number.isdecimal() and 1 <= int(number) <= 99 else 1 for number in numbers
        )
        st.session_state[HEAD] = (layer - 1, head - 1)
    position: tuple[int, int] = st.session_state[HEAD]
    return position


def choose_head(layer: int, head: int) -> None:
    st.session_state[HEAD] = (layer, head)
