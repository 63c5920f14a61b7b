"""The passage to read: an example, typed or pasted text, or a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.components import state
from pages.components.guard import guard
from pages.components.kept import resources
from pages.components.uploads import kept_file
from pages.components.views import View, choose_view
from tl_core.data.documents import MAX_FILE_BYTES
from tl_core.data.samples import SamplePassage

FILES = ["txt", "md", "pdf"]


@dataclass(frozen=True, slots=True)
class ChosenPassage:
    """A text to read, and questions that go with it, if it is an example."""

    name: str
    text: str
    questions: tuple[str, ...] = ()


def choose_passage() -> ChosenPassage | None:
    """The widgets of one passage; None until there is one."""
    origins: tuple[View[Callable[[], ChosenPassage | None]], ...] = (
        View("example", "Example", _example),
        View("typed", "Your text", _typed),
        View("file", "File", _file),
    )
    origin = choose_view("Passage from", origins, key="reading.origin")
    with guard():
        return origin.show()
    return None


def _example() -> ChosenPassage:
    examples: dict[str, SamplePassage] = {
        sample_text.name: sample_text for sample_text in resources.sample_texts()
    }
    name = st.selectbox(
        "Example", list(examples), format_func=lambda example: examples[example].title, key="reading.example"
    )
    chosen = examples[name]
    return ChosenPassage(chosen.title, chosen.text, tuple(question.text for question in chosen.questions))


def _typed() -> ChosenPassage | None:
    text = st.text_area(
        "Passage",
        value=state.kept_passage(),
        key="reading.typed",
        height=260,
        placeholder="Type or paste a text of any length, in English or Korean",
    )
    state.keep_passage(text)
    return ChosenPassage("Your text", text) if text.strip() else None


def _file() -> ChosenPassage | None:
    kept = kept_file(
        "passage",
        "A text",
        FILES,
        MAX_FILE_BYTES >> 20,
        key="reading.file",
        help="txt, md or pdf.",
        until_then="Plain text, Markdown, or a pdf that holds text (not a scan).",
    )
    if kept is None:
        return None
    name, content = kept
    document = resources.document(content, name)
    return ChosenPassage(document.name, document.text)
