"""Statistics of each head over many rows: how spread, how far, to which tokens; the usual patterns by name."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.charts.heads import head_table
from pages.components.choice import one_of
from pages.components.computing import computed
from pages.components.downloads import csv_button
from pages.components.kept import subjects
from pages.views.attention.sample import choose_sample, readable
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.statistics import HeadStatistics, HeadStatisticsSum
from tl_core.runs.store import Store
from tl_core.training.events import Progress, Training

MEASURES = {
    "entropy": ("Entropy", "0: a token looks at one other; 1: at all alike, so the head is uniform."),
    "distance": ("Mean distance", "How many tokens away it looks, on average."),
    "previous": ("On the previous token", "Share of attention."),
    "following": ("On the next token", "Share of attention."),
    "same": ("On the same token", "Share of attention."),
    "special": (
        "On special tokens",
        "Share of attention; often a head's way of doing nothing (Clark et al. 2019).",
    ),
    "largest": ("Largest weight", "The mean of each row's largest weight."),
}


def show_statistics(store: Store, row: SubjectRow, request: subjects.Asked) -> None:
    """The sample, then one measure for all heads with the patterns' names."""
    st.caption("One text may mislead: here are means over many. Heads of well-known kinds are named.")
    sample = choose_sample(store, row, "statistics")
    if sample is None:
        st.text("Type some lines to see what the heads do.")
        return
    rows = readable(request, sample)
    texts = [sample.texts[at] for at in rows]
    statistics = computed(
        ("statistics", request.name, request.stamp, hash(tuple(texts))),
        lambda: _over(request, texts),
        "Look at all heads",
    )
    if statistics is None:
        return
    titles = {name: title for name, (title, _) in MEASURES.items()}
    measure = one_of("Measure", titles, key="statistics.measure")
    title, says = MEASURES[measure]
    st.plotly_chart(
        head_table(getattr(statistics, measure), title=title, text=statistics.patterns),
        key="statistics.table",
        alt=f"{title} of every head",
    )
    st.caption(f"{says} Means over {statistics.rows:,} tokens of {len(texts):,} rows.")
    _show_patterns(statistics)


def _show_patterns(statistics: HeadStatistics) -> None:
    """The heads that follow a usual pattern, and the table of everything."""
    heads: dict[str, list[str]] = {}
    for layer, names in enumerate(statistics.patterns):
        for head, name in enumerate(names):
            if name:
                heads.setdefault(name, []).append(f"{layer + 1}.{head + 1}")
    if heads:
        st.dataframe(
            pd.DataFrame(
                [(name, len(followers), ", ".join(followers)) for name, followers in heads.items()],
                columns=["p", "n", "h"],
            ),
            hide_index=True,
            height="content",
            column_config={
                "p": st.column_config.TextColumn("Pattern"),
                "n": st.column_config.NumberColumn("Heads", width="small"),
                "h": st.column_config.TextColumn("Layer.head", width="large"),
            },
            alt="Patterns and the heads that follow them",
        )
    layers, width = statistics.entropy.shape
    csv_button(
        ("layer", "head", "pattern", *MEASURES),
        [
            (
                layer + 1,
                head + 1,
                statistics.patterns[layer][head],
                *(f"{getattr(statistics, name)[layer, head]:.6f}" for name in MEASURES),
            )
            for layer in range(layers)
            for head in range(width)
        ],
        "heads.csv",
        "statistics.csv",
    )


def _over(request: subjects.Asked, texts: list[str]) -> Training[HeadStatistics]:
    from tl_core.encoders.attention.maps import attention_maps

    total, subject = HeadStatisticsSum(), subjects.subject(request)
    for at, text in enumerate(texts):
        shown = subject.inputs(text)[0]
        total.add(attention_maps(subject, shown), shown)
        yield Progress(at + 1, len(texts))
    return total.result()
