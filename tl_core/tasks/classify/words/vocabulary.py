"""The words of a classifier and the vectors they begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_core.tasks.classify.words.config import WordConfig
from tl_core.tasks.classify.words.documents import FIRST, PAD
from tl_core.tasks.classify.words.splitting import Corpus, Splitter
from tl_core.training.events import Note, Training
from tl_core.vectors.space import WordVectors

SPREAD = 0.1  # standard deviation of random word vectors


@dataclass(frozen=True, slots=True, eq=False)
class SourceWords:
    """The word table of a source task's model: K words, `vectors` (K, D), `learned` (K,), the unknown word's (D,).

    `learned` is True for words whose vector a training changed.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    learned: NDArray[np.bool_]
    unknown: NDArray[np.float32]

    @property
    def width(self) -> int:
        return int(self.vectors.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class WordTable:
    """The V - 2 words of a classifier in the order of their ids, which begin at 2, and vectors (V, D) to begin with.

    Ids below `trained` are padding, the unknown word and the words of the training rows; `learned` (V,) is
    True where the vector came from a source that had trained it. `facts` are for the report.
    """

    words: list[str]
    vectors: NDArray[np.float32]
    trained: int
    learned: NDArray[np.bool_]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def index(self) -> dict[str, int]:
        return {word: at for at, word in enumerate(self.words, FIRST)}


class _Known:
    """Sources of a word's first vector: learned by the source, pretrained, else random."""

    def __init__(self, source: SourceWords | None, vectors: WordVectors | None) -> None:
        self.source, self.vectors = source, vectors
        self.rows = {word: row for row, word in enumerate(source.words)} if source else {}

    def learned(self, word: str) -> int | None:
        """The source's row of a word that it learned."""
        row = self.rows.get(word)
        return row if row is not None and self.source is not None and self.source.learned[row] else None

    def pretrained(self, word: str) -> int | None:
        return None if self.vectors is None else self.vectors.vocabulary.find(word)


def make_table(
    corpus: Corpus,
    splitter: Splitter,
    config: WordConfig,
    vectors: WordVectors | None,
    source: SourceWords | None,
    seed: int,
) -> Training[WordTable]:
    """The words of the training rows, those the source learned, and frequent pretrained ones.

    A word that the source learned begins with the source's vector, another one with its pretrained
    vector, another one at random. Vectors whose width differs from the source's are not used.
    """
    if config.start == "random":
        vectors = None
    elif vectors is None:
        yield Note("There are no pretrained word vectors: words that no source knows begin at random.")
    if source is not None and vectors is not None and vectors.width != source.width:
        yield Note(
            "The source's word vectors are {source_width} wide, those of {vectors} {width}: "
            "words that the source does not know begin at random.",
            {"source_width": source.width, "vectors": vectors.name, "width": vectors.width},
        )
        vectors = None
    known = _Known(source, vectors)
    counts = corpus.counts()
    order = np.argsort(-counts, kind="stable")
    order = order[counts[order] >= config.least_count][: config.most_words]
    trained = [corpus.words[at] for at in order]
    words = [*trained, *_others(set(trained), splitter, config, known)]
    width = source.width if source else vectors.width if vectors else config.width
    table, from_source = _fill(words, width, known, seed)
    updated = int(from_source[FIRST : FIRST + len(trained)].sum())
    facts: dict[str, Any] = {"words": len(words), "trained_words": len(trained), "width": width}
    if vectors is not None:
        facts["coverage"] = coverage(corpus, counts, vectors)
    if source is not None:
        facts["updated"] = {"words": updated, "of": len(trained)}
    return WordTable(words, table, FIRST + len(trained), from_source, facts)


def coverage(corpus: Corpus, counts: NDArray[np.int64], vectors: WordVectors) -> dict[str, float]:
    """The shares of different and of running words that have a pretrained vector."""
    held = np.array([vectors.vocabulary.find(word) is not None for word in corpus.words], dtype=bool)
    if not len(held):
        return {"words": 0.0, "running_words": 0.0}
    return {"words": float(held.mean()), "running_words": float(counts[held].sum() / counts.sum())}


def _others(taken: set[str], splitter: Splitter, config: WordConfig, known: _Known) -> Sequence[str]:
    """Words beside those of the training rows: all that the source learned, then frequent pretrained ones."""
    words: list[str] = []
    if known.source is not None:
        learned = zip(known.source.words, known.source.learned, strict=True)
        words = [word for word, is_learned in learned if is_learned and word not in taken]
    taken = taken | set(words)
    most = len(words) + config.extra_words
    for written in known.vectors.words if known.vectors is not None else ():
        if len(words) >= most:
            break
        word = written.lower()  # as it will stand in a text
        if word not in taken and splitter.holds(word):
            taken.add(word)
            words.append(word)
    return words


def _fill(
    words: list[str], width: int, known: _Known, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """First vectors (V, D) of padding, the unknown word and `words`; and which came from the source."""
    random = np.random.default_rng(seed)
    table = random.normal(0.0, SPREAD, (FIRST + len(words), width)).astype(np.float32)
    learned = np.zeros(len(table), dtype=bool)
    table[:FIRST] = 0.0
    table[PAD] = 0.0
    if known.source is not None:
        table[FIRST - 1] = known.source.unknown
        rows = [known.learned(word) for word in words]
        learned[FIRST:] = [row is not None for row in rows]
        table[learned] = known.source.vectors[[row for row in rows if row is not None]]
    if known.vectors is not None:
        pretrained = [None if learned[at] else known.pretrained(word) for at, word in enumerate(words, FIRST)]
        ids = [at for at, row in enumerate(pretrained, FIRST) if row is not None]
        table[ids] = known.vectors.rows[[row for row in pretrained if row is not None]]
    return table, learned
