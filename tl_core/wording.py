"""Durations and sizes: as rates that divide by no bare duration, and as words for people."""

from __future__ import annotations

SHORTEST = 1e-6  # seconds; some clocks tell nothing shorter apart from no time at all


def per_second(amount: float, seconds: float) -> float:
    """So much in a second; a duration that the clock could not tell from none counts as a microsecond."""
    return amount / max(seconds, SHORTEST)


def seconds_text(seconds: float | None) -> str:
    """A duration for people: '4 s', '3 min 20 s', '2 h 5 min'."""
    if seconds is None:
        return "unknown"
    whole = int(seconds + 0.5)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def bytes_text(size: float) -> str:
    """A size for people: '512 MB', '1.4 GB'."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
