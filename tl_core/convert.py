"""Dataclasses to JSON's values and back: one converter (cattrs) for everything that is kept on disk.

Reading is strict: a number is no text, true is no number, and an unknown field is left out. Importing this module is
cheap; cattrs is loaded when something is converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, get_args, get_origin

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


def to_json(value: object) -> Any:
    """The value as dicts, lists, numbers and text."""
    return _converter().unstructure(value)


def from_json(kind: type[T], values: object) -> T:
    """The dataclass `kind` that `to_json` made `values` of; ValueError, with what is wrong and where, otherwise."""
    from cattrs import BaseValidationError, transform_error

    if is_dataclass(kind) and not isinstance(values, Mapping):
        raise ValueError(f"{kind.__name__} must be an object; got {values!r:.40}")
    try:
        return _converter().structure(values, kind)
    except BaseValidationError as error:
        problems = transform_error(error, path=kind.__name__, format_exception=_problem)
        raise ValueError("; ".join(problems)) from error


def _problem(error: BaseException, kind: type[Any] | None) -> str:
    """The fault of one value, in words."""
    from cattrs.v import format_exception

    if get_origin(kind) is Literal:
        return f"must be one of {', '.join(get_args(kind))}; got {str(error).partition(' not in literal')[0][:60]}"
    return str(error) if str(error).startswith("must be") else format_exception(error, kind)


@lru_cache(maxsize=1)
def _converter() -> Converter:
    from cattrs import Converter

    converter = Converter(unstruct_collection_overrides={tuple: list})
    for kind in (int, float, str, bool):
        converter.register_structure_hook(kind, _primitive)
    converter.register_structure_hook_func(lambda kind: kind is Any, lambda value, _: value)
    return converter


def _primitive(value: object, kind: type[Any]) -> Any:
    """The value if it is of this kind as JSON has it; a whole number is a float too."""
    fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
    if not fits or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"must be {_NOUNS[kind]}; got {value!r:.40}")
    return cast(Any, kind)(value)


_NOUNS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
