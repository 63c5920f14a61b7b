"""The quality of word vectors, and how two sets agree, as plotly figures: pure functions, in the look of `style`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from pages.components.charts.style import ACCENT, CUT, LONGEST_NAME, NEUTRAL, escaped, styled
from tl_core.vectors.quality import SYNTACTIC, AnalogyReport, Score, SimilarityReport

MOST_SECTIONS = 40  # bars; the table has them all
MOST_PAIRS = 5_000  # points


def section_bars(report: AnalogyReport) -> go.Figure:
    """The accuracy of each section, as in the file from above, with how many of its questions were covered.

    Grammatical sections have a colour of their own where there are others; of very many sections the
    largest are drawn.
    """
    places = largest_sections(report.sections)
    figure = go.Figure()
    kinds = {"semantic": ACCENT, "syntactic": CUT} if report.semantic else {"": ACCENT}
    for kind, colour in kinds.items():
        own = [at for at, section in enumerate(places) if not kind or kind == _kind(section)]
        figure.add_trace(_bars(own, [places[at] for at in own], kind, colour))
    figure.update_xaxes(
        title_text="Questions answered rightly",
        tickformat=".0%",
        range=[0, 1.6],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(places))),
        ticktext=[escaped(place.name, LONGEST_NAME) for place in places],
        range=[len(places) - 0.5, -0.5],
        showgrid=False,
    )
    return styled(figure, height=110 + 28 * len(places), legend=len(kinds) > 1)


def _kind(score: Score) -> str:
    return "syntactic" if score.name.startswith(SYNTACTIC) else "semantic"


def _bars(heights: Sequence[int], scores: Sequence[Score], kind: str, colour: str) -> go.Bar:
    return go.Bar(
        x=[score.accuracy or 0 for score in scores],
        y=heights,
        name=kind,
        orientation="h",
        width=0.72,
        marker={"color": colour},
        text=[_section_text(score) for score in scores],
        textposition="outside",
        cliponaxis=False,
        customdata=[(escaped(score.name), f"{score.correct:,}", f"{score.covered:,}") for score in scores],
        hovertemplate="%{customdata[0]}: %{x:.1%}, %{customdata[1]} of %{customdata[2]}<extra></extra>",
    )


def largest_sections(sections: Sequence[Score]) -> list[Score]:
    """At most MOST_SECTIONS of them, those of most covered questions, in their own order."""
    ranked = sorted(range(len(sections)), key=lambda at: -sections[at].covered)[:MOST_SECTIONS]
    return [sections[at] for at in sorted(ranked)]


def _section_text(score: Score) -> str:
    return "none covered" if score.accuracy is None else f"{score.accuracy:.0%} of {score.covered:,}"


def similarity_scatter(report: SimilarityReport) -> go.Figure:
    """People's score across, the cosine of the vectors up, a point a pair; of very many an even choice."""
    rows = report.rows
    if len(rows) > MOST_PAIRS:
        rows = tuple(rows[at] for at in np.linspace(0, len(rows) - 1, MOST_PAIRS).round().astype(int))
    figure = go.Figure(
        go.Scatter(
            x=[row.score for row in rows],
            y=[row.cosine for row in rows],
            mode="markers",
            marker={"size": 8, "color": ACCENT, "opacity": 0.6},
            customdata=[(escaped(row.a, LONGEST_NAME), escaped(row.b, LONGEST_NAME)) for row in rows],
            hovertemplate=(
                "%{customdata[0]}, %{customdata[1]}<br>people %{x:.2f}, cosine %{y:.3f}<extra></extra>"
            ),
        )
    )
    figure.update_xaxes(title_text="Score that people gave", zeroline=False)
    figure.update_yaxes(title_text="Cosine of the vectors", zeroline=True, zerolinecolor=NEUTRAL)
    return styled(figure, height=420)


def overlap_histogram(shares: NDArray[np.float64], k: int) -> go.Figure:
    """Histogram of the words that keep 0, 1, ... k of their k nearest words in the other set, and the mean as a line."""
    counts = np.bincount(np.rint(shares * k).astype(int), minlength=k + 1)
    mean = float(shares.mean()) * k
    figure = go.Figure(
        go.Bar(
            x=list(range(k + 1)),
            y=counts,
            width=0.94,
            marker={"color": ACCENT, "opacity": 0.8},
            hovertemplate=f"%{{y:,}} words share %{{x}} of {k}<extra></extra>",
        )
    )
    figure.add_vline(x=mean, line={"color": CUT, "dash": "dash", "width": 3})
    right = mean > 0.6 * k
    figure.add_annotation(
        x=mean,
        y=1,
        yref="paper",
        xanchor="right" if right else "left",
        yanchor="bottom",
        text=f" mean {mean:.1f} of {k} ",
        showarrow=False,
    )
    figure.update_xaxes(
        title_text=f"Of a word's {k} nearest words, in both sets", dtick=1 if k <= 12 else None
    )
    figure.update_yaxes(title_text="Words", tickformat=",")
    return styled(figure, height=300, top=30)
