"""The report on a labelled table that a person reads before training on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tl_core.data.columns import Columns
from tl_core.data.examples import Examples, to_examples
from tl_core.data.findings import conflicts, duplicates, is_unequal, label_variants, overlap, small_classes
from tl_core.data.tables import Refused, Table
from tl_core.encoders.load import find_encoder, tokenizer_of
from tl_core.errors import TLError
from tl_core.settings import Settings
from tl_core.text.tokens import VocabularyFit, count_tokens, vocabulary_fit

FEW_ROWS = 8  # of a class, below which nothing reliable is learned or measured
UNKNOWN_WARNING = 0.02
FRAGMENTS_WARNING = 2.5
TOKENS_SAMPLE = 20_000  # texts whose tokens are counted; more are sampled evenly, and the report says so


@dataclass(frozen=True, slots=True)
class TokenReport:
    """How the texts look to an encoder: lengths (N,) in tokens, what is cut, how the vocabulary fits."""

    encoder: str
    max_tokens: int
    lengths: tuple[int, ...]
    cut: int
    fit: VocabularyFit
    sampled: bool

    @property
    def cut_share(self) -> float:
        return self.cut / len(self.lengths) if self.lengths else 0.0


@dataclass(frozen=True, slots=True)
class DataReport:
    """Everything found in a labelled table; `examples` is what training would get."""

    examples: Examples
    test: Examples | None
    refused: tuple[Refused, ...]
    test_refused: tuple[Refused, ...]
    classes: dict[str, int]
    variants: tuple[tuple[str, ...], ...]
    duplicate_groups: tuple[tuple[int, ...], ...]
    conflict_rows: tuple[tuple[int, ...], ...]
    in_both: tuple[int, ...]
    tokens: TokenReport | None
    encoding: str
    delimiter: str
    warnings: tuple[str, ...]

    @property
    def rows(self) -> int:
        return len(self.examples)

    def summary(self) -> dict[str, Any]:
        """What a command prints of it, as JSON."""
        return {
            "rows": self.rows,
            "refused": [{"row": each.row, "reason": each.reason} for each in self.refused],
            "classes": self.classes,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "warnings": list(self.warnings),
        }


def check_table(
    settings: Settings,
    table: Table,
    columns: Columns,
    *,
    test: Table | None = None,
    test_columns: Columns | None = None,
    merge_labels: bool = False,
    encoder: str = "",
    max_tokens: int = 256,
) -> DataReport:
    """Read examples out of a table and report on them; raises DataError if there are no columns to read."""
    labelled = to_examples(table, columns, merge_labels=merge_labels)
    held = None
    if test is not None:
        of_test = test_columns or columns
        if of_test.group not in test.columns:  # a test file need not have groups
            of_test = replace(of_test, group=None)
        held = to_examples(test, of_test, merge_labels=merge_labels)
    examples = labelled.examples
    token_notes: list[str] = []
    tokens = None
    if encoder:
        try:
            tokens = token_report(settings, encoder, examples.texts, max_tokens)
        except TLError as error:
            token_notes.append(f"Tokens were not counted: {error}")
    report = DataReport(
        examples=examples,
        test=held.examples if held else None,
        refused=labelled.refused,
        test_refused=held.refused if held else (),
        classes=examples.counts,
        variants=label_variants(examples.labels),
        duplicate_groups=duplicates(examples),
        conflict_rows=tuple(conflict.rows for conflict in conflicts(examples)),
        in_both=overlap(examples, held.examples) if held else (),
        tokens=tokens,
        encoding=table.encoding,
        delimiter=table.delimiter_name,
        warnings=(),
    )
    return _with_warnings(report, token_notes)


def token_report(settings: Settings, encoder: str, texts: Sequence[str], max_tokens: int) -> TokenReport:
    """Token lengths and vocabulary fit under an encoder's tokenizer; loads no torch for packaged ones."""
    tokenizer = tokenizer_of(find_encoder(encoder, settings), settings)
    sampled = len(texts) > TOKENS_SAMPLE
    chosen = (
        [texts[at] for at in np.linspace(0, len(texts) - 1, TOKENS_SAMPLE).astype(int)] if sampled else texts
    )
    lengths = count_tokens(tokenizer, chosen)
    cut = int((lengths > max_tokens).sum())
    fit = vocabulary_fit(tokenizer, chosen[:2000])
    return TokenReport(encoder, max_tokens, tuple(int(length) for length in lengths), cut, fit, sampled)


def _with_warnings(report: DataReport, extra: Sequence[str]) -> DataReport:
    return replace(report, warnings=(*_data_warnings(report), *_token_warnings(report.tokens), *extra))


def _data_warnings(report: DataReport) -> list[str]:
    notes: list[str] = []
    if len(report.classes) < 2:
        notes.append(f"{len(report.classes)} class found: a classifier needs at least two.")
    for label, count in small_classes(report.examples, FEW_ROWS).items():
        notes.append(
            f"Class {label!r} has only {count} rows; at least {FEW_ROWS} are needed to learn or to measure it."
        )
    if is_unequal(report.classes.values()):
        notes.append(
            f"Classes are unequal, from {min(report.classes.values()):,} to {max(report.classes.values()):,} rows: macro-F1 "
            "counts them alike, accuracy does not. Balanced class weights (more settings) weigh the rare ones up."
        )
    for group in report.variants:
        names = ", ".join(repr(each) for each in group)
        notes.append(f"Labels {names} differ only by case or spaces. They can be merged.")
    if report.duplicate_groups:
        extra = sum(len(group) - 1 for group in report.duplicate_groups)
        notes.append(
            f"{extra} rows repeat an earlier text; the same text never stands on both sides of a split."
        )
    if report.conflict_rows:
        shown = ", ".join(str(row) for row in report.conflict_rows[0])
        notes.append(
            f"{len(report.conflict_rows)} texts stand under different labels (rows {shown}, first of them)."
        )
    if report.in_both:
        notes.append(
            f"{len(report.in_both)} rows{' or their groups' if report.examples.groups else ''} stand in the test file too; "
            "they are removed from training."
        )
    if report.test is not None:
        unseen = sorted(set(report.test.classes) - set(report.classes))
        if unseen:
            notes.append(
                f"The test file has labels that training never sees: {', '.join(map(repr, unseen))}."
            )
    if report.examples.groups:
        notes += _group_notes(report.examples)
    if report.refused:
        notes.append(f"{len(report.refused)} rows were refused; each is listed with its reason.")
    return notes


def _group_notes(examples: Examples) -> list[str]:
    """How many groups there are, and what cannot be meant so."""
    counts = Counter(filter(None, examples.groups))
    without = len(examples) - counts.total()
    notes = [f"{len(counts):,} groups; the rows of one never stand on both sides of a split."]
    if without:
        notes.append(f"{without:,} rows have no group; each stands for itself.")
    if len(counts) == 1:
        notes.append(
            "All rows belong to one group, which cannot be split. Choose another group column, or none."
        )
    elif counts and max(counts.values()) == 1:
        notes.append("Every group has one row: this column groups nothing.")
    return notes


def _token_warnings(tokens: TokenReport | None) -> list[str]:
    if tokens is None:
        return []
    notes = []
    if tokens.cut:
        notes.append(
            f"{tokens.cut} texts ({tokens.cut_share:.0%}) are longer than {tokens.max_tokens} tokens; their ends are cut."
        )
    if tokens.fit.unknown_share > UNKNOWN_WARNING or tokens.fit.fragments_per_word > FRAGMENTS_WARNING:
        notes.append(
            f"The vocabulary of {tokens.encoder} fits these texts badly: {tokens.fit.unknown_share:.1%} of the pieces are "
            f"unknown, {tokens.fit.fragments_per_word:.1f} pieces a word. For Korean choose e5, the multilingual encoder."
        )
    return notes
