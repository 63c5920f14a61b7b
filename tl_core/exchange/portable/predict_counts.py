"""Predict with an exported bag of words; needs only numpy and safetensors.

    python predict.py "a text" "another text"      prints one JSON line a text

This file is copied into the zip of every exported bag of words; `tl_core/` beside it holds what it shares with the
project that wrote it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import load_file

from tl_core.console import parser_of_texts, plain_errors, print_labels, speak_utf8

FOLDER = Path(__file__).resolve().parent
WORD = re.compile(r"\b\w+\b")
WHITE_SPACE = re.compile(r"\s\s+")
CHARACTERS = (2, 3, 4)


def words(text: str, longest: int) -> list[str]:
    """Rows of 1 to `longest` neighbouring words, joined by a space."""
    split = WORD.findall(text.lower())
    return [
        " ".join(split[at : at + size])
        for size in range(1, longest + 1)
        for at in range(len(split) - size + 1)
    ]


def characters(text: str) -> list[str]:
    """Rows of 2 to 4 characters within each word, which a space begins and ends; a short one counts once."""
    grams = []
    for word in WHITE_SPACE.sub(" ", text.lower()).split():
        padded = f" {word} "
        for size in CHARACTERS:
            grams += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
            if len(padded) <= size:
                break
    return grams


class Model:
    """The classifier in the files beside this one."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.facts: dict[str, Any] = json.loads((folder / "counts.json").read_text(encoding="utf-8"))
        self.labels: list[str] = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
        n_grams = json.loads((folder / "n_grams.json").read_text(encoding="utf-8"))
        self.ids: dict[str, dict[str, int]] = {}
        count = 0
        for view in self.facts["views"]:
            self.ids[view] = {entry: count + at for at, entry in enumerate(n_grams[view])}
            count += len(n_grams[view])
        layer = load_file(folder / "counts.safetensors")
        self.weight, self.bias = layer["weight"], layer["bias"]

    def probabilities(self, text: str) -> dict[str, float]:
        """The probability of each label."""
        n_grams = {"words": words(text, self.facts["ngrams"])}
        if "characters" in self.ids:
            n_grams["characters"] = characters(text)
        ids = [
            self.ids[view][n_gram]
            for view in self.ids
            for n_gram in n_grams[view]
            if n_gram in self.ids[view]
        ]
        if self.facts["weights"] == "presence":
            ids = sorted(set(ids))
        logits = self.weight[ids].astype(numpy.float64).sum(axis=0) + self.bias
        powers = numpy.exp(logits - logits.max())
        return dict(zip(self.labels, (powers / powers.sum()).tolist(), strict=True))


@plain_errors()
def main() -> None:
    speak_utf8()
    texts = parser_of_texts("Predict with this bag of words.").parse_args().texts
    print_labels(texts, map(Model().probabilities, texts))


if __name__ == "__main__":
    main()
