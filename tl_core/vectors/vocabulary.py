"""The words of a vector set: their rows, and near spellings for a word that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from tl_core.errors import DataError

SUGGESTIONS = 5
PREFIX_CHARACTERS = 3


class UnknownWord(DataError):
    """A word that a vector set does not hold; `suggestions` are near spellings of it, best first."""

    def __init__(self, word: str, suggestions: Sequence[str], words: int) -> None:
        self.word = word
        self.suggestions = tuple(suggestions)
        meant = f" Did you mean {', '.join(self.suggestions)}?" if suggestions else ""
        super().__init__(f"'{word}' is not among the {words:,} words of these vectors.{meant}")


class Vocabulary:
    """V words in the order of their rows, as a rule the most frequent first."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words if isinstance(words, list) else list(words)
        self._rows: dict[str, int] = dict(zip(self.words, range(len(self.words)), strict=True))

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def find(self, word: str) -> int | None:
        """The row of the word as it is written, else of its lower-case, else of its capitalised form."""
        for form in (word, word.lower(), word.capitalize(), word.upper()):
            row = self._rows.get(form)
            if row is not None:
                return row
        return None

    def row(self, word: str) -> int:
        """The row of the word; UnknownWord, with near spellings, if there is none."""
        row = self.find(word)
        if row is None:
            raise UnknownWord(word, self.suggest(word), len(self))
        return row

    @cached_property
    def folded_rows(self) -> dict[str, int]:
        """The first, so the most frequent, row of each word whatever its case (upper-cased, as gensim does)."""
        folded: dict[str, int] = {}
        for row, word in enumerate(self.words):
            folded.setdefault(word.upper(), row)
        return folded

    def suggest(self, word: str, count: int = SUGGESTIONS) -> list[str]:
        """Known words near in spelling: by edit distance, then those the word begins, frequent ones first.

        Distance is that of Damerau and Levenshtein (optimal string alignment): letters added, left out,
        changed, or swapped with a neighbour; at most a third of the word, and never more than 3.
        """
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        if not word.strip():
            return []
        asked = word.lower()
        hits = process.extract(
            asked,
            self.words,
            scorer=OSA.distance,
            limit=8 * count,
            score_cutoff=min(3, max(1, len(asked) // 3)),
        )
        near = [text for text, _, _ in sorted(hits, key=lambda hit: (hit[1], hit[2]))]
        begun: list[str] = []
        if len(asked) >= PREFIX_CHARACTERS:
            begun = [known for known in self.words if known.startswith(asked)][:count]
        keep = count - min(len(begun), count // 2)
        return list(dict.fromkeys([*near[:keep], *begun, *near[keep:]]))[:count]
