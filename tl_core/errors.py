"""Errors that speak to the person at the screen: what came, what may be, what to do.

A `TLError` is the user's to mend and is shown as one clear line; any other exception is a bug
and keeps its traceback.
"""


class TLError(Exception):
    """A mistake or a missing thing that the user can mend."""


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
