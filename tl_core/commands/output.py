"""Output of commands: one JSON object or plain lines on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tl_core.errors import ConfigError
from tl_core.knobs import Value, knobs_of, parse_value
from tl_core.training.events import Event, Progress, Training, drive

T = TypeVar("T")


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")


def show(options: argparse.Namespace, answer: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Print the answer as JSON if asked for, else the lines."""
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for line in lines:
            print(line)


def tell(text: str) -> None:
    """One line of progress on stderr."""
    print(text, file=sys.stderr, flush=True)


def parse_settings(given: Sequence[str], config: type[Any]) -> dict[str, Value]:
    """The values of several `--set NAME=VALUE` by name; ConfigError for a name that the config does not have."""
    known = {knob.name: knob for knob in knobs_of(config)}
    values = {}
    for setting in given:
        name, equals, text = setting.partition("=")
        if not equals or name not in known:
            raise ConfigError(
                "--set takes NAME=VALUE with one of {known}; got {setting!r}.",
                known=", ".join(known),
                setting=setting,
            )
        values[name] = parse_value(known[name], text)
    return values


def told_by_tenths(training: Training[T], doing: str) -> T:
    """Run a training to its end and return its result; each tenth of the way is a line of progress."""
    tenths = -1

    def tell_tenths(event: Event) -> None:
        nonlocal tenths
        if isinstance(event, Progress) and int(10 * event.share) > tenths:
            tenths = int(10 * event.share)
            tell(f"{10 * tenths:3d} %  {doing}")

    return drive(training, tell_tenths)
