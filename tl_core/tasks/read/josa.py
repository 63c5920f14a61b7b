"""The Korean particle (josa) glued to an answer, and a rule that cuts it off.

A particle must fit the sound before it (은 after a consonant, 는 after a vowel), and one of a single
syllable must not be the end of the noun itself (고양이, 제주도, 회의). Passage and question decide
where they can: what takes a particle of its own elsewhere is a noun and stays whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

JosaRule = Callable[[str, int, int, str], int]
Sound = Literal["C", "L", "V", ""]  # a consonant, ㄹ, a vowel; "" where it is not clear
Trust = Literal["sure", "likely", "doubtful"]

CLOSING = dict(zip("\"'”’)]〉》」』", "\"'“‘([〈《「『", strict=True))
INSIDE = "([" + "".join(CLOSING).replace(" ", "")
DIGIT_SOUNDS: tuple[Sound, ...] = ("C", "L", "V", "C", "V", "V", "C", "L", "L", "V")
LATIN_SOUNDS: dict[str, Sound] = {
    **dict.fromkeys("aiouydfhsvwxz%", "V"),
    **dict.fromkeys("mn", "C"),
    "l": "L",
}
LONGEST = 6
COUNTED = re.compile(
    r"\d[십백천만억조여]*(?:년|년대|월|개월|일|주|시|시간|분|초|세|세기|살|명|인|개|개국|곳|회|차|차례|번|번째|호|위|대|권|편|장|점|표"
    r"|석|건|층|배|평|종|척|마리|가지|달러|퍼센트|미터|킬로미터|톤|억|조|원|엔)$"
)

_TABLE: tuple[tuple[str, Trust, str], ...] = (
    ("CL", "sure", "은 을 이라고 이라고도 이라고는 이라는 이라며 이라 이란 이나 이고 이며 인데 이지만"),
    ("CL", "sure", "이었다 이었고 이었으며 이었으나 이었는데 이었지만"),
    ("C", "sure", "으로 으로는 으로도 으로만 으로의 으로서 으로서는 으로서의 으로써 으로부터 으로부터의 으로까지"),
    ("V", "sure", "는 를 라고 라고도 라고는 라는 라며 였다 였고 였으며 였으나 였는데 였지만 이며"),
    ("VL", "sure", "로서 로서는 로서의 로써 로부터 로부터의"),
    ("CLV", "sure", "에서 에서는 에서도 에서만 에서의 에서부터 에게 에게는 에게도 에게만 에게서 에게로 에게까지"),
    ("CLV", "sure", "에는 에도 에만 에의 에선 께서 께서는 한테 한테서 까지 까지는 까지도 까지만 까지의"),
    ("CLV", "sure", "부터 부터는 부터의 처럼 보다 보다는 보다도 마다 만큼 조차 밖에 이다"),
    ("CLV", "likely", "에 의"),
    ("CL", "likely", "이 과 과의 과는"),
    ("V", "likely", "가 와 와의 와는"),
    ("VL", "likely", "로 로는 로도 로만 로의"),
    ("CLV", "doubtful", "도 만 만이 만을 만의 만은 만에 만으로"),
)
PARTICLES = {form: (after, trust) for after, trust, forms in _TABLE for form in forms.split()}

_NOUNS = (
    "고양이 호랑이"
)
NOUNS = tuple(_NOUNS.split())


def without_josa(passage: str, start: int, end: int, question: str = "") -> int:
    """The end of the answer `passage[start:end]` without a particle at its end."""
    behind = passage[end : end + 1]
    if end - start < 2 or not _is_hangul(passage[end - 1]) or _is_hangul(behind) or (behind and behind in INSIDE):
        return end
    texts = (passage[:start], passage[end:], question)
    word = _last_word(passage[start:end])
    for length in range(min(LONGEST, end - start - 1), 0, -1):
        form, cut = passage[end - length : end], end - length
        if form not in PARTICLES or passage[cut - 1].isspace():
            continue
        after, trust = PARTICLES[form]
        if _sound(passage[max(0, cut - 80) : cut]) not in after:
            continue
        stem = word[: len(word) - length]
        if _may_cut(stem, form, trust, passage[start:cut], texts):
            return cut
    return end


def _may_cut(stem: str, form: str, trust: Trust, before: str, texts: tuple[str, ...]) -> bool:
    if _noun_goes_on(stem, form, texts):
        return False
    if not stem or not _is_hangul(stem[-1]):  # a digit, a Latin letter, a closing mark
        return trust != "doubtful"
    if COUNTED.search(before):
        return not (form == "도" and stem.endswith("년"))
    if trust == "doubtful":
        return len(stem) > 1 and _stands_alone(stem, form, texts)
    if trust == "likely" and len(stem) == 1 and form != "에":
        return _stands_alone(stem, form, texts)
    return True


def _noun_goes_on(stem: str, form: str, texts: tuple[str, ...]) -> bool:
    """Whether a noun is known that is the stem and some of the particle."""
    for length in range(1, len(form) + 1):
        noun = stem + form[:length]
        if noun.endswith(NOUNS):
            return True
        for tail in _tails(noun, texts):
            if tail in PARTICLES and _sound(noun) in PARTICLES[tail][0] and form[:length] + tail not in PARTICLES:
                return True
    return False


def _stands_alone(stem: str, form: str, texts: tuple[str, ...]) -> bool:
    """Whether the stem is a word elsewhere, bare or with another particle."""
    for tail in _tails(stem, texts):
        if not tail:
            return True
        if tail in PARTICLES and not tail.startswith(form) and _sound(stem) in PARTICLES[tail][0]:
            return True
    return False


def _tails(word: str, texts: tuple[str, ...]) -> Iterator[str]:
    """The Hangul that follows each place where a text has a word that begins so."""
    if not word:
        return
    pattern = re.compile(rf"(?<![0-9A-Za-z가-힣]){re.escape(word)}([가-힣]*)(?![0-9A-Za-z])")
    for text in texts:
        for found in pattern.finditer(text):
            yield found[1]


def _last_word(text: str) -> str:
    found = re.search(r"[0-9A-Za-z가-힣]+$", text)
    return found[0] if found else ""


def _is_hangul(character: str) -> bool:
    return "가" <= character <= "힣"


def _sound(text: str) -> Sound:
    """How a text ends when it is read aloud in Korean."""
    last = text[-1:].lower()
    if not last:
        return ""
    if last in CLOSING:
        opening = text.rfind(CLOSING[last], 0, -1)
        if last in ")]":
            return _sound(text[:opening].rstrip()) if opening > 0 else ""
        return _sound(text[:-1])
    if _is_hangul(last):
        final = (ord(last) - ord("가")) % 28
        return "V" if final == 0 else "L" if final == 8 else "C"
    if last in "0123456789":
        return DIGIT_SOUNDS[int(last)]
    return LATIN_SOUNDS.get(last, "")
