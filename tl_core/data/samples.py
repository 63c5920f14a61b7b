"""The bundled samples, all written for this project: tables, one row of SAMPLES each, passages, a corpus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tl_core.data.tables import Table, read_table_file
from tl_core.errors import DataError

FOLDER = Path(__file__).parents[2] / "assets" / "samples"


@dataclass(frozen=True, slots=True)
class Sample:
    """A bundled file; `language` is 'en' or 'ko', `role` is 'source' or 'target' of a transfer."""

    name: str
    title: str
    file: str
    language: str
    role: str


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A question and its answer as it stands in the passage; empty if the passage does not answer it."""

    text: str
    answer: str

    @property
    def answerable(self) -> bool:
        return bool(self.answer)


@dataclass(frozen=True, slots=True)
class SamplePassage:
    """A bundled passage with questions about it; `language` is 'en' or 'ko'."""

    name: str
    title: str
    language: str
    text: str
    questions: tuple[SampleQuestion, ...]


SAMPLES = (
    Sample("product-reviews-en", "Product reviews, English", "product_reviews_en.csv", "en", "source"),
    Sample("film-reviews-en", "Film reviews, English", "film_reviews_en.csv", "en", "target"),
    Sample("product-reviews-ko", "Product reviews, Korean", "product_reviews_ko.csv", "ko", "source"),
    Sample("film-reviews-ko", "Film reviews, Korean", "film_reviews_ko.csv", "ko", "target"),
)


def read_sample(name: str) -> Table:
    """The table of a bundled sample, with the columns text and label; DataError for an unknown name."""
    for sample in SAMPLES:
        if sample.name == name:
            return read_table_file(FOLDER / sample.file, has_header=True)
    raise DataError(
        "There is no sample '{name}'. There are: {samples}.",
        name=name,
        samples=", ".join(known.name for known in SAMPLES),
    )


def sample_passages() -> tuple[SamplePassage, ...]:
    """The bundled passages, English before Korean."""
    given = json.loads((FOLDER / "passages.json").read_text(encoding="utf-8"))
    return tuple(
        SamplePassage(
            entry["name"],
            entry["title"],
            entry["language"],
            entry["text"],
            tuple(SampleQuestion(one["text"], one["answer"]) for one in entry["questions"]),
        )
        for entry in given
    )


def sample_corpus() -> str:
    """The bundled corpus: about 140 English sentences on ice, steam, water and more, one a line."""
    return (FOLDER / "ice_and_steam.txt").read_text(encoding="utf-8")
