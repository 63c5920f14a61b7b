"""Script that a text is written in, as far as the engine needs to know."""

from __future__ import annotations

from collections.abc import Sequence

HANGUL_SHARE = 0.1
TEXTS_LOOKED_AT = 1000


def is_korean(texts: Sequence[str]) -> bool:
    """Whether Hangul makes up a tenth or more of the characters of the first 1,000 texts."""
    sample = "".join(texts[:TEXTS_LOOKED_AT])
    hangul = sum("가" <= letter <= "힣" for letter in sample)
    return hangul >= HANGUL_SHARE * max(1, len(sample))
