"""Many rows at once: where they come from, and a computation over them with progress and a stop."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.components.guard import plain
from pages.components.kept import resources, results, subjects
from tl_core.catalog.subjects import SubjectRow
from tl_core.data.corpus import corpus_of
from tl_core.data.samples import SAMPLES
from tl_core.errors import DataError
from tl_core.runs.store import IDENTIFIER, Store

USUAL, MOST = 100, 1_000
OWN, TEST = "Lines of my own", "Test rows of the run"


@dataclass(frozen=True, slots=True)
class Sample:
    """Texts that are looked into together, and their right classes where they are known."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[str, ...] = ()


def choose_sample(store: Store, row: SubjectRow, key: str, *, labelled: bool = False) -> Sample | None:
    """The widgets of a sample; None until there is one. A `labelled` one can only be a run's test rows."""
    titles = {sample.name: sample.title for sample in SAMPLES}
    is_run = row.kind == "classes" and IDENTIFIER.fullmatch(row.name) is not None
    places = [*([TEST] if is_run else []), *([] if labelled else [*titles, OWN])]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = st.selectbox(
            "Rows",
            places,
            format_func=lambda option: titles.get(option, option),
            key=f"{key}.place.{row.name}",
            width=330,
        )
        number = st.number_input("How many", 1, MOST, USUAL, key=f"{key}.number", width=160)
    if place == OWN:
        typed = st.text_area("One text a line", key=f"{key}.lines", height=120)
        lines = tuple(line.strip() for line in str(typed or "").splitlines() if line.strip())[:number]
        return Sample(OWN, lines) if lines else None
    if place == TEST:
        return _test_rows(store, row, int(number))
    texts = corpus_of(resources.sample_table(str(place))).texts
    return Sample(titles[str(place)], texts[:number])


def _test_rows(store: Store, row: SubjectRow, number: int) -> Sample:
    run = store.run(row.name)
    answers = results.answers(store.job(run.record.job), run)
    texts, labels = answers.examples.texts, answers.examples.labels
    step = max(1, len(texts) // number)  # evenly from the whole file, which may be sorted by class
    taken = list(range(0, len(texts), step))[:number]
    return Sample(TEST, tuple(texts[at] for at in taken), tuple(labels[at] for at in taken))


def readable(request: subjects.Asked, sample: Sample) -> list[int]:
    """The rows of the sample that the model can read whole; the others are told."""
    rows = subjects.whole_rows(request.name, request.stamp, sample.texts)
    if len(rows) < len(sample.texts):
        st.caption(
            plain(
                f"{len(sample.texts) - len(rows):,} of {len(sample.texts):,} rows are longer than the model takes, or hold "
                "nothing that it reads; they are left out."
            )
        )
    if not rows:
        raise DataError("None of these rows can be read whole by this model. Choose other rows.")
    return rows
