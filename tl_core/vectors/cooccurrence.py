"""Counts of words that stand near one another, and the ratios of probabilities that GloVe starts from.

X[i, k] counts word k within a window on both sides of word i, never across the end of a sentence; P(k | i)
is X[i, k] over the sum of row i. What sets two words apart shows in P(k | a) / P(k | b): large for what
belongs to a, small for what belongs to b, near 1 for what belongs to both or to neither (Pennington et al.
2014, section 3 and table 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tl_core.errors import ConfigError, DataError

Weighting = Literal["flat", "harmonic"]
WEIGHTINGS: tuple[str, ...] = get_args(Weighting)
FEW = 5


@dataclass(frozen=True, slots=True)
class Context:
    """A word found near another: its weighted count X[i, k] and its probability P(k | i)."""

    word: str
    count: float
    probability: float


@dataclass(frozen=True, slots=True)
class RatioRow:
    """A probe word near a and near b; `ratio` is p_a / p_b, None if p_b is 0.

    `few` marks a row whose probe was seen too seldom near one of them for its ratio to be trusted.
    """

    probe: str
    count_a: float
    count_b: float
    p_a: float
    p_b: float
    ratio: float | None
    few: bool


@dataclass(frozen=True, slots=True, eq=False)
class Cooccurrence:
    """Counts around some wanted words in a corpus of `total` running words.

    `counts[i][k]` is X[i, k] for wanted words i and all words k, `pairs[i][k]` the same unweighted;
    `occurrences` counts each word of the corpus.
    """

    counts: Mapping[str, Mapping[str, float]]
    pairs: Mapping[str, Counter[str]]
    sums: Mapping[str, float]
    occurrences: Counter[str]
    total: int
    window: int
    weighting: Weighting

    def count(self, k: str, word: str) -> float:
        """X[word, k]: 0 if k never stands near the word; DataError if the word was not counted."""
        if word not in self.counts:
            raise DataError(
                "Nothing was counted around '{word}'. Counted: {counts}.",
                word=word,
                counts=", ".join(self.counts),
            )
        return self.counts[word].get(k, 0)

    def probability(self, k: str, word: str) -> float:
        """P(k | word) = X[word, k] / sum of X[word]; 0 if the word always stands alone."""
        count = self.count(k, word)
        return count / self.sums[word] if count else 0.0

    def top(self, word: str, n: int = 10, *, least_count: int = 1) -> list[Context]:
        """The n words of largest count near a word, seen there `least_count` times, equal ones by spelling."""
        self.count(word, word)
        pairs = self.pairs[word]
        contexts = [(k, count) for k, count in self.counts[word].items() if pairs[k] >= least_count]
        contexts.sort(key=lambda context: (-context[1], context[0]))
        return [Context(k, count, count / self.sums[word]) for k, count in contexts[:n]]

    def ratio_table(self, a: str, b: str, probes: Sequence[str], *, few: int = FEW) -> list[RatioRow]:
        """P(probe | a) / P(probe | b), a row a probe; marked if seen fewer than `few` times near a or b."""
        return [self._ratio(a, b, probe, few) for probe in probes]

    def _ratio(self, a: str, b: str, probe: str, few: int) -> RatioRow:
        count_a, count_b = self.count(probe, a), self.count(probe, b)
        p_a, p_b = self.probability(probe, a), self.probability(probe, b)
        ratio = p_a / p_b if p_b else None
        occurrences = min(self.pairs[a][probe], self.pairs[b][probe])
        return RatioRow(probe, count_a, count_b, p_a, p_b, ratio, occurrences < few)


def count_cooccurrences(
    sentences: Iterable[Sequence[str]],
    *,
    words: Sequence[str],
    window: int = 10,
    weighting: Weighting = "flat",
) -> Cooccurrence:
    """Counts of the words within `window` words on both sides of each wanted word, taken in one pass.

    A sentence is a list of words; a text that is not cut into sentences counts as one. Words are compared as
    they are spelled. "flat" counts each pair as 1, "harmonic" as 1 / distance, as GloVe does. DataError for a
    wanted word that does not occur. Memory grows with the vocabulary, not with the corpus.
    """
    if window < 1:
        raise ConfigError("The window must be at least 1 word on each side; got {window}.", window=window)
    if weighting not in WEIGHTINGS:
        raise ConfigError(
            "weighting must be one of {weightings}; got {weighting!r}.",
            weightings=", ".join(WEIGHTINGS),
            weighting=weighting,
        )
    if not words:
        raise DataError("No word to count around. Name at least one.")
    pairs: dict[str, Counter[str]] = {word: Counter() for word in words}
    weighted: dict[str, dict[str, float]] = {word: {} for word in pairs}
    occurrences: Counter[str] = Counter()
    for sentence in sentences:
        if isinstance(sentence, str):
            raise DataError(
                "A sentence must be a list of words; got the text {sentence!r}. Split it.",
                sentence=sentence[:40],
            )
        occurrences.update(sentence)
        if pairs.keys().isdisjoint(sentence):
            continue
        for at, word in enumerate(sentence):
            if word in pairs:
                before, after = sentence[max(0, at - window) : at][::-1], sentence[at + 1 : at + 1 + window]
                pairs[word].update(before)
                pairs[word].update(after)
                if weighting == "harmonic":
                    _weigh(weighted[word], before)
                    _weigh(weighted[word], after)
    total = occurrences.total()
    missing = [word for word in pairs if word not in occurrences]
    if missing:
        raise DataError(
            "{missing} {verb} not occur in the corpus of "
            "{total:,} running words. Choose words that it holds, or give more text.",
            missing=", ".join(map(repr, missing)),
            verb="does" if len(missing) == 1 else "do",
            total=total,
        )
    counts: Mapping[str, Mapping[str, float]] = pairs if weighting == "flat" else weighted
    sums = {word: float(sum(near.values())) for word, near in counts.items()}
    return Cooccurrence(counts, pairs, sums, occurrences, total, window, weighting)


def _weigh(near: dict[str, float], side: Sequence[str]) -> None:
    """Add 1 / distance for each word of one side, the nearest first."""
    for distance, word in enumerate(side, start=1):
        near[word] = near.get(word, 0.0) + 1 / distance
