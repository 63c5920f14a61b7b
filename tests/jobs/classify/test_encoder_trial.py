"""Which packaged encoder is taken for rows: tried without test rows, remembered, and told."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.jobs.jobs import word_examples
from tl_core.data.columns import guess_columns
from tl_core.data.examples import Examples, to_examples, write_examples
from tl_core.data.samples import read_sample
from tl_core.encoders.catalog import card_of
from tl_core.encoders.installed import is_here
from tl_core.errors import ModelError
from tl_core.jobs.classify import beside, encoder_trial
from tl_core.jobs.classify.encoder_trial import (
    EncoderTrial,
    better_of,
    cross_validated,
    in_words,
    known_trials,
    run_trials,
    try_encoders,
)
from tl_core.records import read_record
from tl_core.settings import Settings

MEASURED = encoder_trial._measured  # before a fixture stands in for it
BOTH = [EncoderTrial("minilm", 0.6, 48), EncoderTrial("e5", 0.8, 48)]
BOTH_HERE = all(is_here(card_of(name)) for name in ("minilm", "e5"))


def test_the_better_one_is_taken_and_of_equals_the_cheaper() -> None:
    assert better_of(BOTH) == "e5"
    assert better_of([EncoderTrial("minilm", 0.8, 48), EncoderTrial("e5", 0.8, 48)]) == "minilm"
    said = in_words(BOTH)
    assert "MiniLM (English) 60.0 % [" in said
    assert "48 of the rows to learn from, 5 folds" in said
    assert said.endswith("Taken: Multilingual E5 small (Korean, English and about 100 more).")


def test_the_same_rows_are_tried_once(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measured(_: Settings, rows: Examples) -> list[EncoderTrial]:
        asked.append(len(rows))
        return BOTH

    monkeypatch.setattr(encoder_trial, "_measured", measured)
    monkeypatch.setattr(encoder_trial, "encoders_to_try", lambda: ["minilm", "e5"])
    rows = word_examples(400)
    assert known_trials(settings, rows) is None
    assert try_encoders(settings, rows) == try_encoders(settings, rows) == BOTH
    assert asked == [encoder_trial.MOST_ROWS]
    assert known_trials(settings, rows) == BOTH
    assert known_trials(settings, word_examples(60)) is None
    monkeypatch.setattr(encoder_trial, "encoders_to_try", lambda: ["minilm", "e5", "a new one"])
    assert known_trials(settings, rows) is None


def test_what_goes_wrong_is_told_in_one_line(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder_trial, "_measured", MEASURED)
    ended = subprocess.CompletedProcess([], 2, "", "Traceback\nerror: no such weights\n")
    monkeypatch.setattr(beside, "run_beside", lambda *_: ended)
    with pytest.raises(ModelError, match="could not be tried: no such weights"):
        try_encoders(settings, word_examples(20))

    def slow(*_: object) -> None:
        raise subprocess.TimeoutExpired("python", 300)

    monkeypatch.setattr(beside, "run_beside", slow)
    with pytest.raises(ModelError, match="took longer than 300 s"):
        try_encoders(settings, word_examples(20))
    monkeypatch.setattr(encoder_trial, "encoders_to_try", lambda: [])
    with pytest.raises(ModelError, match="No packaged encoder"):
        try_encoders(settings, word_examples(20))


def test_every_row_is_judged_by_a_head_that_did_not_see_it_or_its_group() -> None:
    """Each pair of rows shares features and a label drawn by coin: only who saw the twin could be right more than by luck."""
    random = np.random.default_rng(0)
    features = np.repeat(random.standard_normal((150, 300)), 2, axis=0).astype(np.float32)
    targets = np.repeat(random.integers(2, size=150), 2)
    groups = np.repeat(np.arange(150), 2)
    assert cross_validated(features, targets, groups).mean() < 0.65
    assert cross_validated(features, targets, np.arange(300)).mean() > 0.8  # twins on both sides
    told = (targets * 2 - 1)[:, None] * np.ones((300, 4), dtype=np.float32)
    assert cross_validated(told + 0.1, targets, groups).all()


@pytest.mark.parametrize("counts", [(1, 5), (2, 2), (1, 1), (30, 1)])
def test_few_rows_of_a_class_break_nothing(counts: tuple[int, int]) -> None:
    targets = np.repeat([0, 1], counts)
    features = np.random.default_rng(1).standard_normal((len(targets), 4)).astype(np.float32)
    assert cross_validated(features, targets, np.arange(len(targets))).shape == targets.shape


@pytest.mark.slow
@pytest.mark.skipif(not BOTH_HERE, reason="needs both packaged encoders")
def test_the_packaged_encoders_are_tried(settings: Settings, tmp_path: Path) -> None:
    table = read_sample("film-reviews-ko")
    write_examples(tmp_path / "rows.jsonl", to_examples(table, guess_columns(table)).examples)
    run_trials(settings, tmp_path)
    found = read_record(tmp_path / encoder_trial.KEPT)
    assert found is not None
    shares = {trial["encoder"]: trial["accuracy"] for trial in found["trials"]}
    assert shares["e5"] > shares["minilm"]
