"""Errors that speak to the person at the screen: what came, what may be, what to do.

A `TLError` is the user's to mend and is shown as one clear line; any other exception is a bug
and keeps its traceback.

The text is a template with values: `DataError("{file}, line {line}: ...", file=name, line=3)`. `str()` gives English;
whoever shows an error may look up another template and fill in the same `values`.
"""

from __future__ import annotations


class TLError(Exception):
    """A mistake or a missing thing that the user can mend.

    `template` holds `{name}` for each of the `values`, as `str.format` reads them; without values it is the text itself.
    """

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template, self.values = template, values


class DataError(TLError):
    """A file or a table that cannot be used as it is."""


class ConfigError(TLError):
    """A setting outside what it may be."""


class ModelError(TLError):
    """An encoder or a trained model that cannot be found, read or trusted."""


class RunError(TLError):
    """A job or a run that cannot be started, found, resumed or deleted."""


class StillInUse(TLError):
    """A file or a folder that another process has open, so that it cannot be moved, replaced, removed or read."""


class OutputError(RunError):
    """A file that a person named for a result and that cannot be written."""
