"""A formula over words, and the words it points at; the words of an analogy drawn in their plane."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pages.components.charts.vectors import analogy_plane
from pages.components.downloads import csv_button
from pages.components.guard import guard, plain
from pages.views.vectors.words import ask_first, first_formula, first_words, tell_unknown
from tl_core.runs.store import Store
from tl_core.vectors.analogy import METHODS, Method, solve
from tl_core.vectors.formula import Formula, analogy_formula, parse_formula
from tl_core.vectors.projection import principal_components
from tl_core.vectors.search import Neighbour
from tl_core.vectors.space import WordVectors
from tl_core.vectors.vocabulary import UnknownWord

FORMULA = "king - man + woman"
FORMS = {"formula": "A formula", "analogy": "a is to b as c is to ?"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A worked example: a formula, a method, whether inputs may be answers, and what it shows."""

    title: str
    formula: str
    method: Method
    include_inputs: bool
    says: str


PRESETS = (
    Preset(
        "king - man + woman",
        FORMULA,
        "add",
        False,
        "The standard way: vectors at length one, cosine, the three words themselves left out.",
    ),
    Preset(
        "The course's line: + 1.3 * woman",
        "king - man + 1.3 * woman",
        "euclidean",
        True,
        "On vectors as they came and with nothing left out, king - man + woman is nearest to king itself: the sum "
        "hardly leaves it. With 1.3 times woman it has gone far enough to reach queen. Set it to 1.0 and see.",
    ),
    Preset("Capitals", "paris - france + italy", "add", False, "From a capital and its country to another."),
    Preset("Past tense", "walked - walk + sing", "add", False, "Grammar lies in directions, too."),
    Preset(
        "Comparative",
        "bigger - big + warm",
        "mul",
        False,
        "3CosMul keeps one large cosine from winning alone.",
    ),
)
OWN = "my own"


def show_analogies(store: Store, vectors: WordVectors, name: str) -> None:
    """Formula and method on the left, answers beside, the picture below."""
    st.caption(
        "Differences between vectors carry meaning: what makes a king of a man makes a queen of a woman."
    )
    presets = [preset for preset in PRESETS if _fits(preset, vectors)]
    preset = _choose_preset(presets)
    with st.container(border=True):
        formula = _ask_formula(vectors, preset)
        method, include, k, first = _ask_method(vectors, preset)
    if formula is None:
        return
    with guard():
        answers = solve(vectors, formula, k, method=method, first=first, include_inputs=include)
        _show_answers(vectors, formula, method, include, answers)


def _fits(preset: Preset, vectors: WordVectors) -> bool:
    try:
        parse_formula(preset.formula, vectors.vocabulary)
    except UnknownWord:
        return False
    return True


def _choose_preset(presets: list[Preset]) -> Preset | None:
    titles = {preset.title: preset for preset in presets}
    if not titles:
        return None
    title = st.pills("Examples", list(titles), default=next(iter(titles)), key="analogies.preset")
    preset = titles.get(str(title))
    if preset:
        st.text(preset.says)
    return preset


def _ask_formula(vectors: WordVectors, preset: Preset | None) -> Formula | None:
    form = st.radio(
        "Form",
        list(FORMS),
        format_func=FORMS.__getitem__,
        horizontal=True,
        key="analogies.form",
        label_visibility="collapsed",
    )
    title = preset.title if preset else OWN
    if form == "formula":
        key = f"analogies.formula.{title}.{vectors.name}"
        text = st.text_input(
            "Formula",
            preset.formula if preset else first_formula(vectors, FORMULA),
            key=key,
            help="Words with +, -, and numbers: 1.3 * woman",
        )
        try:
            return parse_formula(text, vectors.vocabulary)
        except UnknownWord as error:
            tell_unknown(error, key)
            return None
    words = []
    for place, label, default in zip(st.columns(3), "abc", first_words(vectors, "man king woman", 3)):
        key = f"analogies.{label}.{vectors.name}"
        with place:
            typed = st.text_input(label, default, key=key).strip()
        try:
            words.append(vectors.words[vectors.vocabulary.row(typed)])
        except UnknownWord as error:
            tell_unknown(error, key)
    return analogy_formula(*words) if len(words) == 3 else None


def _ask_method(vectors: WordVectors, preset: Preset | None) -> tuple[Method, bool, int, int | None]:
    title = preset.title if preset else OWN
    names: list[Method] = list(METHODS)
    left, middle, right = st.columns([3, 1, 2])
    with left:
        method = st.selectbox(
            "Method",
            names,
            index=names.index(preset.method) if preset else 0,
            format_func=lambda method_id: METHODS[method_id],
            key=f"analogies.method.{title}",
        )
    with middle:
        k = st.number_input("Answers", 1, 100, 10, key="analogies.k")
    with right:
        first = ask_first(vectors, f"analogies.first.{vectors.name}")
    include = st.toggle(
        "Let the formula's own words be answers",
        preset.include_inputs if preset else False,
        key=f"analogies.include.{title}",
    )
    if include:
        st.caption(
            "Nothing is left out. The sum then often stays nearest to one of its own words: on GloVe's 50 dimensions "
            "half of Google's questions are answered so, and accuracy falls from 46 % to 30 %."
        )
    else:
        st.caption("The formula's own words are left out, as is usual; without that they would often win.")
    return method, include, int(k), first


def _show_answers(
    vectors: WordVectors, formula: Formula, method: Method, include: bool, answers: list[Neighbour]
) -> None:
    far = method == "euclidean"
    left, right = st.columns([2, 3], gap="medium")
    with left:
        best = answers[0].word if answers else "nothing"
        st.markdown(f"{plain(str(formula))} **≈ {plain(best)}**")
        frame = pd.DataFrame(
            {
                "word": [answer.word for answer in answers],
                "score": [answer.score for answer in answers],
                "input": [answer.word in formula.words for answer in answers],
            }
        )
        st.dataframe(
            frame,
            hide_index=True,
            height="content" if len(answers) <= 25 else 600,
            column_order=["word", "score", *(["input"] if include else [])],
            column_config={
                "word": st.column_config.TextColumn("Answer"),
                "score": st.column_config.NumberColumn(
                    "Distance" if far else "Score",
                    format="%.4f",
                    help="Smaller is nearer." if far else "Larger is nearer.",
                ),
                "input": st.column_config.CheckboxColumn("Input", help="A word of the formula itself."),
            },
            alt=f"The best answers to {formula}",
        )
        csv_button(
            ("formula", "place", "word", "score"),
            [(str(formula), at, answer.word, f"{answer.score:.6f}") for at, answer in enumerate(answers, 1)],
            "analogy.csv",
            "analogies.csv",
        )
    with right:
        _show_plane(vectors, formula, method, answers)


def _show_plane(vectors: WordVectors, formula: Formula, method: Method, answers: list[Neighbour]) -> None:
    """The formula's words and its best answer that is none of them, in the plane of their two main directions."""
    others = [answer.word for answer in answers if answer.word not in formula.words][:1]
    words = [*formula.words, *others]
    if len(words) < 3:
        return
    rows = [vectors.vocabulary.row(word) for word in words]
    points = vectors.rows[rows] if method == "euclidean" else vectors.unit_rows(rows)
    plane, variance = principal_components(points, 2)
    st.plotly_chart(
        analogy_plane(words, plane, formula, others[0] if others else ""),
        key="analogies.plane",
        alt=f"The words {', '.join(words)} in the plane of their first two principal components",
    )
    st.caption(
        f"These words in the plane of their first two components, which hold {sum(variance):.0%} of what parts them. "
        "Where the analogy holds the four stand as a parallelogram."
    )
