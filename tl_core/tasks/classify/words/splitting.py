"""Texts to sentences to words, one list a text, for classifiers; texts are read once into flat arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_core.errors import ConfigError
from tl_core.text.words import RUN, WORD, morpheme_form, split_sentences

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

SPLITTERS = ("words", "penn", "morphemes")
PENN = re.compile(rf"n't|'(?:s|m|d|re|ve|ll)\b|{RUN}|[!?]")
APART = re.compile(r"(?<=[!?])\s+(?=[!?])")


class Splitter:
    """Cuts texts into sentences and these into words, all in lower case.

    `words` are runs of letters and digits with inner apostrophes and hyphens. `penn` cuts as the Penn
    Treebank does where it matters to GloVe: did n't, it 's; hyphens part words, ! and ? are words; a raw
    text and one that was cut so before give the same. `morphemes` are kiwipiepy's. ConfigError for another.
    """

    def __init__(self, name: str) -> None:
        if name not in SPLITTERS:
            raise ConfigError(
                "The splitter must be one of {splitters}; got {name!r:.40}.",
                splitters=", ".join(SPLITTERS),
                name=name,
            )
        self.name = name

    def strings(self, text: str) -> list[str]:
        """The sentences of one text, as they are cut; some may hold no word."""
        return split_sentences(APART.sub("", text) if self.name == "penn" else text)

    def words(self, texts: Sequence[str]) -> Iterator[list[list[str]]]:
        """The words of each sentence of each text, in the order of `strings`."""
        if self.name == "morphemes":
            yield from self._morphemes([self.strings(text) for text in texts])
            return
        cut = _penn if self.name == "penn" else _plain
        for text in texts:
            yield [cut(sentence) for sentence in self.strings(text)]

    def holds(self, word: str) -> bool:
        """Whether this word could come out of a text."""
        if self.name == "morphemes":
            return any(character.isalnum() for character in word)
        pattern = PENN if self.name == "penn" else WORD
        return pattern.fullmatch(word) is not None

    def _morphemes(self, texts: list[list[str]]) -> Iterator[list[list[str]]]:
        # Endings come in letters that a keyboard writes: ㄴ다, not the combining ᆫ다.
        tokenised = self._kiwi.tokenize(
            (sentence for text in texts for sentence in text), compatible_jamo=True
        )
        for text in texts:
            sentences = []
            for _ in text:
                forms = (morpheme_form(token.form, token.tag) for token in next(tokenised))
                sentences.append([form.lower() for form in forms if form])
            yield sentences

    @cached_property
    def _kiwi(self) -> Kiwi:
        from kiwipiepy import Kiwi

        return Kiwi(num_workers=-1)


def _plain(sentence: str) -> list[str]:
    return WORD.findall(sentence.lower())


def _penn(sentence: str) -> list[str]:
    return PENN.findall(sentence.lower().replace("n't", " n't"))


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """N texts as running words: S sentences that hold a word, R running words.

    `words` are the different words in the order they came; `ids` (R,) int32 points into them;
    sentence s is ids[sentences[s] : sentences[s + 1]], text t holds the sentences texts[t] to texts[t + 1].
    """

    words: list[str]
    ids: NDArray[np.int32]
    sentences: NDArray[np.int64]
    texts: NDArray[np.int64]

    def counts(self) -> NDArray[np.int64]:
        """Count of each of `words` in the texts."""
        return np.bincount(self.ids, minlength=len(self.words))


def read_corpus(splitter: Splitter, texts: Sequence[str], max_words: int) -> Corpus:
    """The first `max_words` words of each text, cut into sentences."""
    numbers: dict[str, int] = {}
    ids: list[int] = []
    sentences, ends = [0], [0]
    for text in splitter.words(texts):
        most = len(ids) + max_words
        for sentence in text:
            if not sentence:
                continue
            ids.extend([numbers.setdefault(word, len(numbers)) for word in sentence])
            if len(ids) >= most:
                del ids[most:]
                sentences.append(most)
                break
            sentences.append(len(ids))
        ends.append(len(sentences) - 1)
    return Corpus(list(numbers), np.array(ids, np.int32), np.array(sentences), np.array(ends))
