"""A reader as a subject: its targets are its best answers, and it never computes beside its reader."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.tasks.read.tiny_reader import tiny_reader
from tl_core.encoders.attention.subject import network_of, targets, tensors
from tl_core.errors import DataError
from tl_core.tasks.read.subject import reader_subject


def test_a_reader_has_the_best_spans_as_targets(tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path, "bert")
    subject = reader_subject(reader, "tiny")
    shown = subject.inputs("who saw the film?", "the queen saw a good film in the city")[0]
    found = targets(subject, shown)
    with torch.inference_mode():
        logits = network_of(subject)(tensors(subject, [shown]))
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    for each in found:
        assert each.name in "the queen saw a good film in the city"
        assert float(each.value(logits)[0]) == pytest.approx(each.score, abs=1e-4)
        assert each.probability is None
    with pytest.raises(DataError, match="a question and a passage"):
        targets(subject, subject.inputs("who saw the film?")[0])


def test_a_subject_and_its_reader_have_one_lock(tmp_path: Path) -> None:
    reader = tiny_reader(tmp_path, "bert")
    subject = reader_subject(reader)
    assert subject.lock is reader.lock
    assert subject.network is reader.network
