"""Before and after fine-tuning: one text through both encoders, and which heads changed over many rows."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.components.charts.attention_words import attention_matrix
from pages.components.charts.heads import head_table
from pages.components.computing import computed
from pages.components.downloads import csv_button
from pages.components.kept import subjects
from pages.views.attention.head import clickable, current_head, heads_csv
from pages.views.attention.sample import choose_sample, readable
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.change import ChangeSum, head_distance
from tl_core.runs.store import Store
from tl_core.training.events import Progress, Training

LEGEND = (
    "The Jensen-Shannon distance between a head's rows before and after: 0 is the same attention, 1 none in common. "
    "Click a head to see it."
)


def show_change(store: Store, row: SubjectRow, request: subjects.Asked) -> None:
    """This text first, many rows on demand."""
    if row.kind == "bare":
        st.info(
            "This encoder is as it came, so there is no before and after. Choose a fine-tuned run or a reader."
        )
        return
    st.caption("The same text through the encoder as it came and as the training left it.")
    after, before = subjects.maps(request), subjects.maps(request, True)
    chosen = _heads(head_distance(before, after), "change.here")
    layer, head = chosen
    units = subjects.unit_maps(request, False, False).units
    words = [unit.text for unit in units]
    ours = subjects.unit_maps(request, False, False).maps[layer, head]
    theirs = subjects.unit_maps(request, False, False, True).maps[layer, head]
    largest = float(max(ours.max(), theirs.max()))
    shown = (("Before", theirs, False), ("After", ours, False), ("After - before", ours - theirs, True))
    for place, (title, matrix, signed) in zip(st.columns(3, gap="small"), shown):
        with place:
            st.markdown(f"**{title}**")
            st.plotly_chart(
                attention_matrix(matrix, words, words, signed=signed, largest=None if signed else largest),
                key=f"change.{title}",
                alt=f"{title}: layer {layer + 1}, head {head + 1}",
            )
    csv_button(
        ("looks from", "looks at", "before", "after"),
        [
            (looking, looked_at, f"{theirs[row, column]:.6f}", f"{ours[row, column]:.6f}")
            for row, looking in enumerate(words)
            for column, looked_at in enumerate(words)
        ],
        "before_and_after.csv",
        "change.csv",
    )
    st.subheader("Over many rows")
    sample = choose_sample(store, row, "change")
    if sample is None:
        return
    rows = readable(request, sample)
    texts = [sample.texts[at] for at in rows]
    distances = computed(
        ("change", request.name, request.stamp, hash(tuple(texts))),
        lambda: _over(request, texts),
        "Compare all heads",
    )
    if distances is not None:
        st.plotly_chart(
            head_table(distances, title="Mean distance"),
            key="change.rows",
            alt="Mean distance of each head over the rows",
        )
        strongest = np.unravel_index(int(distances.argmax()), distances.shape)
        st.caption(
            f"The mean over {len(texts):,} rows. Head {int(strongest[1]) + 1} of layer {int(strongest[0]) + 1} changed most."
        )
        heads_csv({"distance": distances}, "distances.csv", "change.rows.csv")


def _heads(distances: NDArray[np.float64], key: str) -> tuple[int, int]:
    chosen = current_head(*distances.shape)
    figure = head_table(distances, title="Distance", chosen=chosen)
    clickable(figure, key, "How far each head's attention of this text changed")
    st.caption(LEGEND)
    return chosen


def _over(request: subjects.Asked, texts: list[str]) -> Training[NDArray[np.float64]]:
    from tl_core.encoders.attention.maps import attention_maps

    total = ChangeSum()
    after, before = subjects.subject(request), subjects.base(request)
    for at, text in enumerate(texts):
        shown = after.inputs(text)[0]
        total.add(attention_maps(before, shown), attention_maps(after, shown))
        yield Progress(at + 1, len(texts))
    return total.result()
