"""A slow, plain reading of the E5 file's tokenizer: its own table, then the best path over pieces."""

from __future__ import annotations

import math

from tl_core.encoders.packaged_e5.file import E5File


class E5Oracle:
    """Ids of a text by the file's table and a textbook Viterbi (Kudo 2018, section 3.2)."""

    def __init__(self, file: E5File) -> None:
        self.table = file.normaliser
        self.special = file.special
        scores = file.scores.astype(float).tolist()
        self.pieces = {piece: (at, scores[at]) for at, piece in enumerate(file.pieces())}
        self.longest = max(map(len, self.pieces))
        self.unknown_score = min(scores) - 10.0

    def normalise(self, text: str) -> str:
        return "".join(self.table.get(each, each) for each in text)

    def ids(self, text: str) -> list[int]:
        words = self.normalise(text).split()
        inner = [at for word in words for at in self._best_path("▁" + word)]
        return [self.special.begin, *inner, self.special.end]

    def _best_path(self, word: str) -> list[int]:
        best = [0.0] + [-math.inf] * len(word)
        back: list[tuple[int, int]] = [(0, 0)] * (len(word) + 1)
        for start in range(len(word)):
            for end in range(start + 1, min(len(word), start + self.longest) + 1):
                at, score = self.pieces.get(word[start:end], (-1, 0.0))
                if at < 0 and end == start + 1:
                    at, score = self.special.unknown, self.unknown_score
                if at >= 0 and best[start] + score > best[end]:
                    best[end], back[end] = best[start] + score, (start, at)
        return self._read_back(back)

    def _read_back(self, back: list[tuple[int, int]]) -> list[int]:
        """The path from its end; neighbouring unknown characters make one unknown piece."""
        ids: list[int] = []
        end = len(back) - 1
        while end:
            end, at = back[end]
            if not (ids and ids[-1] == at == self.special.unknown):
                ids.append(at)
        return ids[::-1]
