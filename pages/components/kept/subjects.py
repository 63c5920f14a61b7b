"""A model on a text, kept between reruns: the model, its input, its attention.

A click on another head computes nothing anew. Attention of 512 tokens takes 75 MB with 72 heads, so that
few are kept.
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from tl_core.catalog.subjects import open_base, open_subject, subject_stamp
from tl_core.errors import DataError
from tl_core.runs.store import Store
from tl_core.settings import read_settings

if TYPE_CHECKING:
    from tl_core.encoders.attention.grid import Thumbnails
    from tl_core.encoders.attention.subject import Subject, Target
    from tl_core.encoders.attention.units import UnitMaps
    from tl_core.encoders.attribution.scores import Attribution, Method
    from tl_core.text.inputs import ModelInput


@dataclass(frozen=True, slots=True)
class Asked:
    """A text or a pair, put to the model `name`; `part` counts from 0 where the text is longer than it takes."""

    name: str
    stamp: str
    text: str
    pair: str
    part: int = 0

    def of(self, name: str, stamp: str) -> Asked:
        """The same text, put to another model."""
        return Asked(name, stamp, self.text, self.pair, self.part)


def asked(store: Store, name: str, text: str, pair: str, part: int = 0) -> Asked:
    return Asked(name, subject_stamp(store, name), text, pair, part)


def _forget(_: object) -> None:
    gc.collect()


def subject(request: Asked) -> Subject:
    """The model, on the CPU; shared, never trained."""
    return _subject(request.name, request.stamp)


@st.cache_resource(show_spinner="Loading the model", max_entries=2, on_release=_forget)
def _subject(name: str, stamp: str) -> Subject:
    return open_subject(Store(read_settings()), name)


def base(request: Asked) -> Subject:
    """The encoder under the model as it was before any training."""
    return _base(request.name, request.stamp)


@st.cache_resource(show_spinner="Loading the encoder", max_entries=1, on_release=_forget)
def _base(name: str, stamp: str) -> Subject:
    return open_base(Store(read_settings()), name)


def let_go_of_models() -> None:
    """Forget every loaded model, so that its files can be removed on every system."""
    _subject.clear()
    _base.clear()
    gc.collect()


def shown(request: Asked) -> ModelInput:
    """The part of the text as the model reads it; DataError if there is nothing to read."""
    inputs = subject(request).inputs(request.text, request.pair)
    return inputs[min(request.part, len(inputs) - 1)]


@st.cache_data(show_spinner=False, max_entries=4)
def whole_rows(name: str, stamp: str, texts: tuple[str, ...]) -> list[int]:
    """The places of the texts that the model can read whole."""
    model = _subject(name, stamp)

    def whole(text: str) -> bool:
        try:
            return len(model.inputs(text)) == 1
        except DataError:
            return False

    return [at for at, text in enumerate(texts) if whole(text)]


@st.cache_resource(show_spinner="Reading the text", max_entries=3)
def maps(request: Asked, of_base: bool = False) -> NDArray[np.float32]:
    """The attention of all layers and heads, (L, H, T, T)."""
    from tl_core.encoders.attention.maps import attention_maps

    return attention_maps(base(request) if of_base else subject(request), shown(request))


@st.cache_resource(show_spinner=False, max_entries=4)
def unit_maps(request: Asked, pieces: bool, special: bool, of_base: bool = False) -> UnitMaps:
    """The attention between words, or between tokens."""
    from tl_core.encoders.attention.units import unit_maps as made

    return made(maps(request, of_base), shown(request), pieces=pieces, special=special)


@st.cache_resource(show_spinner=False, max_entries=8)
def thumbnails(request: Asked, pieces: bool, special: bool) -> Thumbnails:
    from tl_core.encoders.attention.grid import thumbnails as made

    return made(unit_maps(request, pieces, special).maps)


@st.cache_resource(show_spinner=False, max_entries=16)
def targets(request: Asked) -> list[Target]:
    """The outputs of the model for the text, the prediction first."""
    from tl_core.encoders.attention.subject import targets as made

    return made(subject(request), shown(request))


@st.cache_resource(show_spinner="Asking what matters", max_entries=32)
def attribution(request: Asked, target: int, method: Method, steps: int) -> Attribution:
    """The scores of the words for target number `target` of `targets`."""
    from tl_core.encoders.attribution.scores import attribute

    return attribute(subject(request), shown(request), targets(request)[target], method, steps=steps)


@st.cache_resource(show_spinner=False, max_entries=8)
def drawn_on(request: Asked) -> NDArray[np.float32]:
    """Attention roll-out: how much each token draws on each input token after each layer, (L, T, T)."""
    from tl_core.encoders.attention.rollout import rollout

    return rollout(maps(request))


@st.cache_resource(show_spinner="Computing the flow", show_time=True, max_entries=32)
def flow(request: Asked, tokens: tuple[int, ...]) -> NDArray[np.float64]:
    """Attention flow from these tokens of the last layer to each input token, (T,)."""
    from tl_core.encoders.attention.rollout import attention_flow

    return attention_flow(maps(request), tokens)
