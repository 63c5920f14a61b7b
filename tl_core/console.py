"""Printing: UTF-8 wherever it goes, an error as one line, a classifier's answers as one JSON line a text."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tl_core.errors import TLError


def speak_utf8() -> None:
    """Let what is printed be UTF-8 in a file or a pipe; a terminal shows `?` for what it has no letter for."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:  # half a character, as a damaged argument holds it, has no UTF-8
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print an error of this project as one line instead of a traceback, and end the process with exit code 2."""
    try:
        yield
    except TLError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def parser_of_texts(description: str) -> argparse.ArgumentParser:
    """The parser of a command that takes texts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("texts", nargs="+")
    return parser


def print_labels(texts: Sequence[str], answers: Iterable[Mapping[str, float]]) -> None:
    """One line of JSON for each text: the most probable label, and the probability of each."""
    for text, probabilities in zip(texts, answers, strict=True):
        label = max(probabilities, key=probabilities.__getitem__)
        print(
            json.dumps(
                {"text": text, "label": label, "probabilities": dict(probabilities)}, ensure_ascii=False
            )
        )
