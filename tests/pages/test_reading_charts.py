"""Figures and HTML of the Reading page: what they hold, and that user text stays text."""

from __future__ import annotations

import numpy as np
import pytest

from pages.components.charts.reading import attention_map, start_and_end
from pages.components.html import Highlight, highlighted, shaded
from tl_core.encoders.attention.subject import Target
from tl_core.tasks.read.attention import QuestionAttention
from tl_core.tasks.read.explain import Explanation, ShownSpan, WindowRange, WordScores
from tl_core.text.inputs import InputWord, ModelInput
from tl_core.text.places import Place
from tl_core.text.tokens import Encoded

QUESTION, PASSAGE = ("who", "<b>sat?"), ("the", "<i>king", "sat")


def explanation() -> Explanation:
    start, end = np.array([-1.0, 4.0, -2.0]), np.array([-3.0, 2.0, 1.0])
    attention = np.array(
        [[[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]], [[0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]]
    )  # (L, Q, P)
    words = [(word, side) for side, words in enumerate((QUESTION, PASSAGE)) for word in words]
    shown = ModelInput(
        encoded=Encoded([0] * 5, [0] * 5),
        tokens=(*QUESTION, *PASSAGE),
        offsets=np.array([(0, len(word)) for word, _ in words]),
        sides=np.array([side for _, side in words]),
        word_of=np.arange(5),
        words=tuple(InputWord(word, 0, len(word), side) for word, side in words),
        unknown=0,
        number=0,
        parts=1,
    )
    return Explanation(
        shown=shown,
        target=Target("<i>king sat", lambda logits: logits[:, 0, 0], 5.0),
        scores=WordScores(
            start,
            end,
            tuple(Place(word, 0, len(word)) for word in PASSAGE),
            start,
            end,
            np.array([0, 1, 2]),
            ShownSpan(1, 2, 5.0, "<i>king sat"),
            ShownSpan(1, 1, 6.0, "<i>king"),
        ),
        windows=(WindowRange(0, 15, 6.0),),
        answer_tokens=(1, 2),
        attention=QuestionAttention(
            attention,
            attention.transpose(0, 2, 1),
            np.array([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
            np.full((2, 2), 0.5),
        ),
    )


def test_start_and_end_show_every_word_and_the_chosen_span():
    figure = start_and_end(explanation())
    start, end = figure.data
    assert (list(start.y), list(end.y)) == ([-1.0, 4.0, -2.0], [-3.0, 2.0, 1.0])
    assert start.customdata[1] == "&lt;i&gt;king"
    [band] = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1) == (0.5, 2.5)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_attention_map_has_a_row_a_question_word_and_one_for_the_answer(layer: int):
    [heat] = attention_map(explanation(), layer).data
    assert heat.y[-1] == "the answer"
    shown = np.array(heat.customdata[:, :, 1], dtype=float)
    wanted = explanation().attention
    assert np.allclose(shown[:2], wanted.to_passage[layer])
    assert np.allclose(shown[2], wanted.answer_to_passage[layer])
    assert "<b>" not in "".join(heat.y)


def test_highlights_mark_characters_and_escape_everything():
    text = "a <b>bold</b> & 한국어 text"
    shown = highlighted(text, [Highlight(2, 13, 'score "1"'), Highlight(16, 19)])
    assert shown.count("<mark") == 2
    assert "&lt;b&gt;bold&lt;/b&gt;</mark>" in shown
    assert 'title="score &quot;1&quot;"' in shown
    assert "<b>" not in shown
    assert "한국어</mark>" in shown


def test_the_first_highlight_is_the_best_wherever_it_stands():
    shown = highlighted("one two", [Highlight(4, 7), Highlight(0, 3)])
    first, second = shown.split("</mark>")[:2]
    assert "font-weight" not in first
    assert "font-weight" in second


def test_highlights_that_overlap_are_drawn_once():
    assert highlighted("one two", [Highlight(0, 5), Highlight(3, 7)]).count("<mark") == 1


def test_shading_has_a_colour_for_each_side_and_escapes_words():
    shown = shaded(["<i>", "b"], [1.0, -1.0])
    assert "rgba(74, 127, 224" in shown
    assert "rgba(217, 125, 12" in shown
    assert "<i>" not in shown
