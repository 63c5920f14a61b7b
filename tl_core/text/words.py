"""Texts to sentences to words, for learning word vectors and for counting. Knows no model.

Two ways to cut a sentence: `words`, runs of letters and digits in any script, and `morphemes`, what
kiwipiepy finds in Korean, where particles and endings are written onto the word before them. What
holds no letter and no digit (punctuation, emoji) is never a word.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Literal, get_args

from tl_core.errors import ConfigError

Splitter = Literal["words", "morphemes"]
SPLITTERS: tuple[str, ...] = get_args(Splitter)

BREAK = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|table|h[1-6])\b[^<>]*>", re.IGNORECASE)
TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<[!?][^<>]*>|[\ud800-\udfff]")  # half a surrogate pair is no text
SENTENCE_END = re.compile(r"(?<=[.!?…。])\s+|[\r\n]+")
# Vowel signs and accents that stand as characters of their own; emoji's variation selectors are none.
MARKS = "".join(
    chr(code)
    for code in range(0x300, 0xFE00)
    if not 0xD800 <= code <= 0xDFFF and unicodedata.category(chr(code)) in ("Mn", "Mc")
)
RUN = rf"[^\W_](?:[^\W_]|[{MARKS}])*"
WORD = re.compile(rf"{RUN}(?:['-]{RUN})*")
PLAIN_ASCII = str.maketrans("’ʼ＇‐‑", "'''--")

PREDICATES = ("VV", "VA", "VX", "VCP", "VCN")  # verbs, adjectives, auxiliaries, 이다, 아니다
KEPT_SYMBOLS = ("SL", "SH", "SN")  # foreign letters, Chinese characters, numbers


def split_words(text: str, *, lower: bool = True) -> list[str]:
    """The words of a text in their order: runs of letters and digits, with inner apostrophes and hyphens.

    HTML tags are dropped and its entities resolved, letters composed (NFC), curly apostrophes made
    straight. "Don't buy the 2-in-1!<br />" gives don't, buy, the, 2-in-1.
    """
    return _words(_plain(text), lower)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, tags and blanks at their ends dropped, none empty.

    A plain rule: a sentence ends at a line break (also `<br>`, `<p>` and the like) and after . ! ? … 。
    where white space follows. So "Mr. Smith" is cut in two, which costs a word vector nothing but a
    few neighbours.
    """
    parts = (part.strip() for part in SENTENCE_END.split(_plain(text)))
    return [part for part in parts if part]


def sentences_of(
    texts: Iterable[str], splitter: str, *, lower: bool = True, threads: int = 0
) -> Iterator[list[str]]:
    """The words of each sentence of the texts, one list a sentence; sentences without words are left out.

    `words` cuts as `split_words`. `morphemes` takes the written forms of kiwipiepy's morphemes, particles
    and endings included; verbs and adjectives come as their dictionary form in 다, as is usual for Korean
    word vectors (갔다 gives 가다, 었, 다). `threads` are kiwipiepy's own, 0 for all cores. ConfigError for
    another splitter.
    """
    if splitter not in SPLITTERS:
        raise ConfigError(
            "The splitter must be one of {splitters}; got {splitter!r}.",
            splitters=", ".join(SPLITTERS),
            splitter=splitter,
        )
    sentences = (sentence for text in texts for sentence in split_sentences(text))
    if splitter == "morphemes":
        lists = _morphemes(sentences, lower, threads)
    else:
        lists = (_words(sentence, lower) for sentence in sentences)
    return (words for words in lists if words)


def _plain(text: str) -> str:
    """The text without tags, composed; line-breaking tags become line breaks."""
    if "&" in text:
        text = html.unescape(text)
    if "<" in text or not text.isascii():
        text = TAG.sub(" ", BREAK.sub("\n", text))
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(PLAIN_ASCII)


def _words(plain: str, lower: bool) -> list[str]:
    return WORD.findall(plain.lower() if lower else plain)


def _morphemes(sentences: Iterable[str], lower: bool, threads: int) -> Iterator[list[str]]:
    from kiwipiepy import Kiwi

    kiwi = Kiwi(num_workers=threads or -1)
    # Endings come in letters that a keyboard writes: ㄴ다, not the combining ᆫ다.
    for tokens in kiwi.tokenize(sentences, compatible_jamo=True):
        forms = (morpheme_form(token.form, token.tag) for token in tokens)
        yield [form.lower() if lower else form for form in forms if form]


def morpheme_form(form: str, tag: str) -> str:
    """A morpheme as it is counted; empty for punctuation and other symbols. Tags may end in -I or -R."""
    kind = tag.split("-")[0]
    if kind in PREDICATES:
        return form + "다"
    if kind.startswith("S") and kind not in KEPT_SYMBOLS:
        return ""
    return form if any(character.isalnum() for character in form) else ""
