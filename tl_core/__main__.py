"""`python -m tl_core COMMAND`: the engine without a browser.

With `--json` a command prints one JSON object on stdout; progress goes to stderr. The exit code
is 0, or 2 with one clear line for a mistake of the user's ({"error": text} on stdout as well
under `--json`), or 1 for a training that failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from tl_core.pythons import refusal

if refusal():
    sys.exit(f"error: {refusal()}")

from tl_core.commands import attention, get, inspect, read, runs, train, vectors
from tl_core.console import speak_utf8
from tl_core.errors import TLError
from tl_core.processes import prepare_torch


class _Parser(argparse.ArgumentParser):
    """Says a wrong argument as any other mistake is said: one line, exit code 2."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise TLError("{message}. `{prog} --help` shows what may be given.", message=message, prog=self.prog)


def make_parser() -> argparse.ArgumentParser:
    """The parser of every command; each puts its function under `run`."""
    parser = _Parser(prog="python -m tl_core", description="Transfer learning on text, without a browser.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    for group in (inspect, get, train, read, vectors, attention, runs):
        group.add_commands(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    speak_utf8()
    prepare_torch()
    try:
        options = make_parser().parse_args(given)
        return int(options.run(options))
    except TLError as error:
        if "--json" in given:
            print(json.dumps({"error": str(error)}, ensure_ascii=False))
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
