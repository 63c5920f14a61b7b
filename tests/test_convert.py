"""The one converter: dataclasses to JSON and back, strictly, with what is wrong and where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from tl_core.convert import from_json, to_json


@dataclass(frozen=True, slots=True)
class Leaf:
    share: float
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    kind: Literal["oak", "pine"]
    leaves: tuple[Leaf, ...]
    by_name: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    best: Leaf | None = None
    tall: bool = False
    anything: Any = None


WHOLE = Tree("한국어", "oak", (Leaf(0.5, 2), Leaf(1.0)), {"a": (1.0, 2.5)}, Leaf(0.1), True, {"b": [1, "x"]})
PLAIN = {"name": "x", "kind": "oak", "leaves": []}


def test_what_is_written_comes_back_equal():
    assert from_json(Tree, json.loads(json.dumps(to_json(WHOLE)))) == WHOLE
    assert to_json(WHOLE)["leaves"] == [{"share": 0.5, "count": 2}, {"share": 1.0, "count": 0}]


def test_a_whole_number_is_a_number_and_an_unknown_field_is_left_out():
    tree = from_json(Tree, {**PLAIN, "leaves": [{"share": 1, "colour": "red"}], "height": 3})
    assert tree.leaves == (Leaf(1.0),)
    assert isinstance(tree.leaves[0].share, float)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({**PLAIN, "leaves": [{"share": "much"}]}, "must be a number; got 'much' @ Tree.leaves"),
        ({**PLAIN, "leaves": [{"share": True}]}, "must be a number; got True"),
        ({**PLAIN, "leaves": [{"share": 1, "count": 1.5}]}, "must be a whole number; got 1.5"),
        ({**PLAIN, "name": 3}, "must be text; got 3 @ Tree.name"),
        ({**PLAIN, "tall": 1}, "must be true or false; got 1"),
        ({**PLAIN, "kind": "birch"}, "must be one of oak, pine; got birch"),
        ({"kind": "oak", "leaves": []}, "required field missing @ Tree.name"),
        ([], "Tree must be an object"),
        (None, "Tree must be an object"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(values: object, said: str):
    with pytest.raises(ValueError, match=said):
        from_json(Tree, values)


def test_the_converter_is_loaded_only_when_something_is_converted():
    code = "import sys, tl_core.convert, tl_core.runs.store; sys.exit('cattrs' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
