"""The arms of an experiment as widgets: what is chosen, and the same again under names and settings of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components import state
from pages.components.forms import knob_widgets
from pages.components.guard import plain
from tl_core.jobs.experiment import LONGEST_NAME, NO_SOURCE
from tl_core.knobs import knobs_of
from tl_core.tasks.classify.strategies import strategy

Starts = Callable[[str], Mapping[str, str]]  # strategy -> titles of what an arm of it may begin with, by name


@dataclass(frozen=True, slots=True)
class ArmForm:
    """One arm on the page: its strategy, the key of its widgets, where it begins, and the settings it was given.

    `config` is the class of its settings. `main` are its main settings as the widgets hold them, `given` those that
    all its widgets begin with.
    """

    strategy: str
    config: type[Any]
    title: str
    key: str
    name: str
    start: str
    source: str
    given: Mapping[str, Any]
    main: Mapping[str, Any]

    def finish(self) -> dict[str, Any]:
        """The widgets of the arm's further settings; the arm as a config has it."""
        st.markdown(f"**{plain(self.name or self.title)}**")
        more = knob_widgets(self.config, self.given, self.key, advanced=True)
        return {
            "name": self.name,
            "strategy": self.strategy,
            "start": self.start,
            "source": self.source,
            "settings": {**self.main, **more},
        }


def choose_arms(
    names: Sequence[str], loaded: Sequence[Mapping[str, Any]], key: str, starts: Starts, with_source: bool
) -> list[ArmForm]:
    """The widgets of the main settings of every arm of these strategies: one each, and those that are added.

    `loaded` are the arms of a loaded config. `with_source` says whether there is a source that an arm may do without.
    """
    _offer_another(names, loaded, key)
    forms = []
    for name in names:
        saved, row = _saved(name, loaded), strategy(name)
        for number in state.arm_numbers(f"{key}.{name}", len(saved)):
            given = saved[number - 1] if number <= len(saved) else {}
            if number == 1:
                forms.append(_first_arm(name, given, f"{key}.{name}"))
                continue
            form = arm_box(
                name,
                row.config,
                f"{row.title} {number}",
                given,
                f"{key}.{name}-{number}",
                {"": "As chosen above", **starts(name)},
                with_source=with_source and bool(row.source),
            )
            if form is None:
                state.remove_arm(f"{key}.{name}", number, len(saved))
                st.rerun()
            else:
                forms.append(form)
    return forms


def _offer_another(names: Sequence[str], loaded: Sequence[Mapping[str, Any]], key: str) -> None:
    """One button a strategy: the same again, to be compared with other settings or another start."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Beside it, with other settings:", width="content")
        for name in names:
            title = strategy(name).title
            if st.button(f"{title} again", icon=":material/add:", type="tertiary", key=f"{key}.{name}.again"):
                state.add_arm(f"{key}.{name}", len(_saved(name, loaded)))
                st.rerun()


def _saved(name: str, loaded: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The loaded arms of a strategy; an empty one where there is none."""
    return [arm for arm in loaded if arm["strategy"] == name] or [{}]


def _first_arm(name: str, given: Mapping[str, Any], key: str) -> ArmForm:
    """The first arm of a strategy: its main settings, and what a loaded config says beside."""
    row, settings = strategy(name), given.get("settings", {})
    called, start, source = (str(given.get(field, "")) for field in ("name", "start", "source"))
    if not all(knob.advanced for knob in knobs_of(row.config)):
        st.markdown(f"**{plain(called or row.title)}**")
    main = knob_widgets(row.config, settings, key, advanced=False)
    return ArmForm(name, row.config, row.title, key, called, start, source, settings, main)


def arm_box(
    strategy_name: str,
    config: type[Any],
    title: str,
    given: Mapping[str, Any],
    key: str,
    starts: Mapping[str, str],
    *,
    with_source: bool = False,
) -> ArmForm | None:
    """An added arm in a box: its name, at first `title`, where it begins, its main settings; None if just removed."""
    settings: Mapping[str, Any] = given.get("settings", {})
    called, start, source = (str(given.get(field, "")) for field in ("name", "start", "source"))
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            called = st.text_input(
                "Name",
                called or title,
                key=f"{key}:name",
                width=250,
                max_chars=LONGEST_NAME,
                help="What this one is called in the results.",
            )
            start = _start(start, key, starts)
            if with_source:
                alone = st.toggle("Without the source", source == NO_SOURCE, key=f"{key}:without")
                source = NO_SOURCE if alone else "" if source == NO_SOURCE else source
            if st.button("Remove", icon=":material/delete:", type="tertiary", key=f"{key}:remove"):
                return None
        main = knob_widgets(config, settings, key, advanced=False)
    name = " ".join(called.split())
    return ArmForm(strategy_name, config, title, key, name, start, source, settings, main)


def _start(given: str, key: str, starts: Mapping[str, str]) -> str:
    """The start of an arm, chosen among these."""
    offered = dict(starts)
    if given and given not in offered:
        offered[given] = given
    if len(offered) == 1:
        return next(iter(offered))
    return str(
        st.selectbox(
            "Starts from",
            list(offered),
            index=list(offered).index(given) if given in offered else 0,
            format_func=offered.__getitem__,
            key=f"{key}:start",
            width=250,
        )
    )
