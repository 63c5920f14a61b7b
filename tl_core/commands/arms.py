"""Arms of an experiment on a command line: `--arm "LoRA rank 4: lora rank=4"`, one for each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from tl_core.errors import ConfigError
from tl_core.knobs import knobs_of, parse_value

FORM = 'NAME: STRATEGY SETTING=VALUE ..., such as "LoRA rank 4: lora rank=4"'


def parse_arm(text: str, settings: Mapping[str, type[Any]], places: Mapping[str, str]) -> dict[str, Any]:
    """An arm as JSON has it. The name may be left out, with its colon.

    `settings` are those of each strategy, by its name; `places` are words for fields of an arm, such as encoder for
    its start. ConfigError, with what may be, for anything else.
    """
    name, colon, rest = text.partition(":")
    if not colon or "=" in name:
        name, rest = "", text
    try:
        words = shlex.split(rest)
    except ValueError as error:
        raise ConfigError(
            "--arm takes {form}; got {text!r} ({error}).", form=FORM, text=text, error=error
        ) from error
    if not words or words[0] not in settings:
        known = ", ".join(settings)
        raise ConfigError(
            "--arm takes {form}, with one of the strategies {known}; got {text!r}.",
            form=FORM,
            known=known,
            text=text,
        )
    strategy = words[0]
    knobs = {knob.name: knob for knob in knobs_of(settings[strategy])}
    arm: dict[str, Any] = {"name": name.strip(), "strategy": strategy, "settings": {}}
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if equals and key in places:
            arm[places[key]] = value
        elif equals and key in knobs:
            arm["settings"][key] = parse_value(knobs[key], value)
        else:
            known = ", ".join([*places, *knobs])
            raise ConfigError(
                "{strategy} has no setting {word!r}. An arm of it has: {known}.",
                strategy=strategy,
                word=word,
                known=known,
            )
    return arm
