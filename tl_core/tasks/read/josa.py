"""The Korean particle (josa) glued to an answer, and a rule that cuts it off."""

from __future__ import annotations

from collections.abc import Callable

JosaRule = Callable[[str, int, int, str], int]


def without_josa(passage: str, start: int, end: int, question: str = "") -> int:
    """The end of the answer `passage[start:end]` without a particle at its end."""
    return end
