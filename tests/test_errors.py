"""Errors as templates with values: what is shown in English can be said in another language."""

from __future__ import annotations

import ast
import pickle
import string
from pathlib import Path

import pytest

import tl_core.errors as errors
from tl_core.errors import DataError, RunError, TLError

PROJECT = Path(__file__).resolve().parents[1]
NAMES = {name for name, kind in vars(errors).items() if isinstance(kind, type)} | {"UnreadableRecord"}
CALLS = [
    (f"{path.relative_to(PROJECT).as_posix()}:{node.lineno}", node)
    for folder in ("tl_core", "pages")
    for path in sorted((PROJECT / folder).rglob("*.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES
]


def test_an_error_is_english_and_keeps_what_it_is_made_of():
    error = DataError("{file}, line {line:,}: {found!r} is no number.", file="a.csv", line=1200, found="x")
    assert str(error) == "a.csv, line 1,200: 'x' is no number."
    assert error.template == "{file}, line {line:,}: {found!r} is no number."
    assert (
        error.template.replace("line", "Zeile")
        .format(**{**error.values, "Zeile": 3})
        .startswith("a.csv, Zeile")
    )


def test_a_text_without_values_is_taken_as_it_is():
    assert str(TLError('{"a": 1} is no table.')) == '{"a": 1} is no table.'
    assert str(RunError("{text}", text="{braces}")) == "{braces}"


def test_an_error_goes_from_process_to_process():
    again = pickle.loads(pickle.dumps(DataError("{file} is empty.", file="{a}.csv")))
    assert (type(again), str(again)) == (DataError, "{a}.csv is empty.")


@pytest.mark.parametrize(("place", "call"), CALLS, ids=[place for place, _ in CALLS])
def test_every_error_is_a_template_whose_fields_are_its_values(place: str, call: ast.Call):
    assert len(call.args) <= 1, "one template"
    if not call.args:
        return
    assert not isinstance(call.args[0], ast.JoinedStr), "no f-string: give the values by name"
    if isinstance(call.args[0], ast.Constant) and call.keywords:
        fields = {
            name for _, name, _, _ in string.Formatter().parse(str(call.args[0].value)) if name is not None
        }
        assert fields == {keyword.arg for keyword in call.keywords}
