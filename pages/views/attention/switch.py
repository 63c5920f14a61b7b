"""Heads switched off: what becomes of this prediction, and what each head is worth over many rows."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components.charts.heads import head_table
from pages.components.choice import one_of
from pages.components.computing import computed
from pages.components.guard import plain
from pages.components.kept import subjects
from pages.views.attention.head import current_head, heads_csv
from pages.views.attention.sample import choose_sample, readable
from tl_core.catalog.subjects import SubjectRow
from tl_core.encoders.attention.importance import head_importance
from tl_core.encoders.attention.switch import targets_without
from tl_core.encoders.attention.watched import check_watchable
from tl_core.errors import DataError
from tl_core.outcomes.heads import in_words, judged_heads
from tl_core.runs.store import Store

MEASURES = {"accuracy": "Accuracy lost, points", "loss": "Loss rises, nats"}


def show_switch(store: Store, row: SubjectRow, request: subjects.Asked) -> None:
    """The heads to switch off and the prediction with and without them; importance below."""
    if row.kind == "bare":
        st.info(
            "An encoder without a head predicts nothing that could change. Choose a fine-tuned run or a reader."
        )
        return
    subject = subjects.subject(request)
    check_watchable(subject.encoder)
    st.caption(
        "A head that is off adds nothing to the states; all else stays. What the model says without it is its worth here."
    )
    every = {f"{at + 1}.{to + 1}": (at, to) for at in range(subject.layers) for to in range(subject.heads)}
    layer, head = current_head(subject.layers, subject.heads)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        off = st.multiselect(
            "Switched off, as layer.head",
            list(every),
            [f"{layer + 1}.{head + 1}"],
            key=f"switch.off.{request.name}",
        )
        whole = st.multiselect(
            "Whole layers", range(1, subject.layers + 1), key=f"switch.layers.{request.name}", width=240
        )
    heads = [*(every[name] for name in off), *((at - 1, to) for at in whole for to in range(subject.heads))]
    _show_targets(request, list(dict.fromkeys(heads)))
    if row.kind == "classes":
        st.subheader("What each head is worth")
        _show_importance(store, row, request)


def _show_targets(request: subjects.Asked, off: list[tuple[int, int]]) -> None:
    before = subjects.targets(request)
    after = targets_without(subjects.subject(request), subjects.shown(request), off)
    unchanged = after[0].name == before[0].name
    st.markdown(
        f"With all heads: **{plain(before[0].name)}**. With {len(off)} off: **{plain(after[0].name)}**"
        + (", the same." if unchanged else ", another.")
    )
    probable = before[0].probability is not None
    values = {
        name: {target.name: _value(target) for target in side}
        for name, side in (("all", before), ("off", after))
    }
    names = list(dict.fromkeys([*values["all"], *values["off"]]))
    frame = pd.DataFrame(
        {
            "name": names,
            "all": [values["all"].get(name) for name in names],
            "off": [values["off"].get(name) for name in names],
        }
    )
    form = "percent" if probable else "%.2f"
    st.dataframe(
        frame,
        hide_index=True,
        height="content" if len(frame) <= 12 else 420,
        placeholder="not among the best",
        column_config={
            "name": st.column_config.TextColumn("Class" if probable else "Answer"),
            "all": st.column_config.NumberColumn("All heads", format=form),
            "off": st.column_config.NumberColumn("Heads off", format=form),
        },
        alt="The prediction with all heads and with some off",
    )


def _value(target: object) -> float:
    chance = getattr(target, "probability", None)
    return float(chance if chance is not None else getattr(target, "score", 0.0))


def _show_importance(store: Store, row: SubjectRow, request: subjects.Asked) -> None:
    st.caption(
        "Each head alone is switched off over the rows of a test set: accuracy that is lost, in points (Michel et al. "
        "2019). Many heads can go without a loss, since others do the same."
    )
    sample = choose_sample(store, row, "importance", labelled=True)
    if sample is None or not sample.labels:
        return
    subject = subjects.subject(request)
    missing = set(sample.labels) - set(subject.classes)
    if missing:
        raise DataError(
            "The rows have classes that the run does not know: {missing}.",
            missing=", ".join(sorted(missing)[:5]),
        )
    rows = readable(request, sample)
    importance = computed(
        ("importance", request.name, request.stamp, hash(sample.texts)),
        lambda: head_importance(
            subject,
            [subject.inputs(sample.texts[at])[0] for at in rows],
            [subject.classes.index(sample.labels[at]) for at in rows],
        ),
        "Switch off each head in turn",
    )
    if importance is None:
        return
    measure = one_of("Importance", MEASURES, key="importance.measure")
    lost = measure == "accuracy"
    values = 100 * importance.lost if lost else importance.loss_rise
    st.plotly_chart(
        head_table(values, title=MEASURES[measure], signed=True, tickformat=".1f" if lost else ".3f"),
        key="importance.table",
        alt="What is lost without each head",
    )
    st.caption(
        f"Accuracy with all heads: {importance.accuracy:.1%} of {importance.rows:,} rows. "
        f"{in_words(judged_heads(importance), importance.rows)}"
    )
    heads_csv(
        {"accuracy lost": importance.lost, "loss rise": importance.loss_rise},
        "importance.csv",
        "importance.csv",
    )
