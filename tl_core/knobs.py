"""One declaration per setting: default, bounds and help stand in one place.

A config is a frozen dataclass whose fields are made by `knob`. Validation at birth, the saved
JSON, the command line's `--set` and the page's widgets all read that declaration. This module
knows no config.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from tl_core.errors import ConfigError

T = TypeVar("T")
Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting: its possible values and its effect."""

    name: str
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    advanced: bool = False
    label: str = ""

    @property
    def title(self) -> str:
        """The name on screen."""
        return self.label or self.name.replace("_", " ").capitalize()

    @property
    def kind(self) -> type:
        return type(self.default)

    def problem(self, value: object) -> str | None:
        """The reason why `value` will not do, as the end of a sentence; None if it will."""
        if self.choices:
            wanted = ", ".join(self.choices)
            return None if value in self.choices else f"must be one of {wanted}; got {value!r}"
        if self.kind is bool:
            return None if isinstance(value, bool) else f"must be true or false; got {value!r}"
        if self.kind is str:
            return None if isinstance(value, str) else f"must be text; got {value!r}"
        numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
        if self.kind is int:
            numeric = isinstance(value, int) and not isinstance(value, bool)
        if not numeric or value != value:  # NaN differs from itself
            noun = "a whole number" if self.kind is int else "a number"
            return f"must be {noun}; got {value!r}"
        low, high = self.low, self.high
        assert isinstance(value, (int, float))
        if (low is not None and value < low) or (high is not None and value > high):
            return f"must be {_range(low, high)}; got {value!r}"
        return None


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    if high is None:
        return f"at least {low:g}"
    return f"between {low:g} and {high:g}"


def knob(
    default: Value,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
    advanced: bool = False,
    label: str = "",
) -> Any:
    """A dataclass field that carries its bounds and its help; `advanced` folds it away on pages."""
    facts = {
        "help": help,
        "low": low,
        "high": high,
        "choices": tuple(choices),
        "advanced": advanced,
        "label": label,
    }
    return dataclasses.field(default=default, metadata={"knob": facts})


def knobs_of(config: type[Any] | object) -> tuple[Knob, ...]:
    """The knobs of a config class or instance, in the order of its fields."""
    knobs = []
    for field in dataclasses.fields(config):  # type: ignore[arg-type]
        if "knob" in field.metadata:
            knobs.append(Knob(name=field.name, default=cast(Value, field.default), **field.metadata["knob"]))
    return tuple(knobs)


def check_knobs(config: object) -> None:
    """Raise ConfigError, naming the setting, if a value of `config` is out of its bounds."""
    for setting in knobs_of(config):
        problem = setting.problem(getattr(config, setting.name))
        if problem:
            raise ConfigError(
                "{config}.{setting} {problem}.",
                config=type(config).__name__,
                setting=setting.name,
                problem=problem,
            )


def to_values(config: object) -> dict[str, Value]:
    """The knobs of `config` by name, ready for JSON."""
    return {setting.name: getattr(config, setting.name) for setting in knobs_of(config)}


def from_values(config_class: type[T], values: Mapping[str, object]) -> T:
    """A config from saved values; missing ones take their default, unknown ones are refused."""
    known = {setting.name: setting for setting in knobs_of(config_class)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ConfigError(
            "{name} has no setting {unknown}. It has: {known}.",
            name=config_class.__name__,
            unknown=", ".join(unknown),
            known=", ".join(known),
        )
    ready = {
        name: float(value) if known[name].kind is float and type(value) is int else value
        for name, value in values.items()
    }
    return config_class(**ready)


def parse_value(declared: Knob, text: str) -> Value:
    """The value that `text` spells for this knob (`epochs=3` on a command line)."""
    text = text.strip()
    try:
        if declared.kind is bool:
            return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}[
                text.lower()
            ]
        return cast(Value, declared.kind(text))
    except (KeyError, ValueError):
        raise ConfigError(
            "{declared} {declared2}.", declared=declared.name, declared2=declared.problem(text)
        ) from None
