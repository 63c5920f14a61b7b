"""Results of readers as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from pages.components.charts.style import (
    ACCENT,
    CUT,
    NEUTRAL,
    escaped,
    styled,
    translucent,
)
from tl_core.tasks.read.explain import Explanation

LONGEST_WORD = 18
MOST_TICKS = 24


def start_and_end(explanation: Explanation) -> go.Figure:
    """Start and end score by word of the window; a band marks the chosen answer, a line 'no answer'."""
    words = [escaped(passage_word.text, LONGEST_WORD) for passage_word in explanation.passage_words]
    scores, chosen = explanation.scores, _words_of(explanation)
    places = list(range(len(words)))
    figure = go.Figure()
    looks = (("Start", scores.start, ACCENT, "circle"), ("End", scores.end, CUT, "diamond"))
    for name, values, colour, symbol in looks:
        figure.add_trace(
            go.Scatter(
                x=places,
                y=values,
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 1.5, "dash": "solid" if name == "Start" else "dot"},
                marker={"color": colour, "symbol": symbol, "size": 5},
                customdata=words,
                hovertemplate=f"%{{customdata}}<br>{name.lower()} score %{{y:.2f}}<extra></extra>",
            )
        )
    if chosen:
        figure.add_vrect(
            x0=chosen[0] - 0.5,
            x1=chosen[-1] + 0.5,
            fillcolor=ACCENT,
            opacity=0.25,
            line_width=0,
            layer="below",
        )
    figure.add_hline(y=0, line={"color": NEUTRAL, "width": 1, "dash": "dash"})
    step = max(1, len(words) // MOST_TICKS)
    figure.update_xaxes(
        tickvals=places[::step], ticktext=words[::step], tickangle=-60, range=[-0.6, len(words) - 0.4]
    )
    figure.update_yaxes(title_text="Score")
    return styled(figure, height=360, legend=True)


def _words_of(explanation: Explanation) -> range:
    """The words of the joint best span."""
    joint, word_of = explanation.scores.joint, explanation.scores.word_of
    inside = [int(word_of[at]) for at in range(joint.first, joint.last + 1) if word_of[at] >= 0]
    return range(min(inside), max(inside) + 1) if inside else range(0)


def attention_map(explanation: Explanation, layer: int) -> go.Figure:
    """Attention from question words, and from the answer, to passage words in one layer, as a heat map."""
    attention = explanation.attention
    rows = np.vstack([attention.to_passage[layer], attention.answer_to_passage[layer][None]])
    names = [
        f"{at + 1}. {escaped(word.text, LONGEST_WORD)}" for at, word in enumerate(explanation.question_words)
    ]
    words = [escaped(passage_word.text, LONGEST_WORD) for passage_word in explanation.passage_words]
    places = list(range(len(words)))
    figure = go.Figure(
        go.Heatmap(
            z=np.sqrt(rows),
            x=places,
            y=[*names, "the answer"],
            customdata=np.dstack([np.tile(np.array(words, dtype=object), (len(rows), 1)), rows]),
            colorscale=[[0.0, translucent(ACCENT, 0.0)], [1.0, translucent(ACCENT, 1.0)]],
            showscale=False,
            hovertemplate="%{y} → %{customdata[0]}<br>%{customdata[1]:.1%}<extra></extra>",
        )
    )
    step = max(1, len(words) // MOST_TICKS)
    figure.update_xaxes(tickvals=places[::step], ticktext=words[::step], tickangle=-60, showgrid=False)
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return styled(figure, height=150 + 26 * len(rows))
