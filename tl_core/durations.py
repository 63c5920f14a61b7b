"""What is done in a time: durations are measured with `time.perf_counter`, and none is divided by as it is."""

from __future__ import annotations

SHORTEST = 1e-6  # seconds; some clocks tell nothing shorter apart from no time at all


def per_second(amount: float, seconds: float) -> float:
    """So much in a second; a duration that the clock could not tell from none counts as a microsecond."""
    return amount / max(seconds, SHORTEST)
