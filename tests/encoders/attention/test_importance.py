"""Heads switched off: what a network then says, what each head is worth over rows, and passes that begin later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from tests.encoders.attention.subjects import (
    CLASSES,
    QUESTION,
    READING_TYPES,
    TEXT,
    WATCHABLE_TYPES,
    tiny_bare_subject,
    tiny_classifier_subject,
    tiny_reader_subject,
)
from tl_core.encoders.attention.importance import head_importance
from tl_core.encoders.attention.replay import recorded, replayed
from tl_core.encoders.attention.subject import Subject, network_of, targets, tensors
from tl_core.encoders.attention.switch import targets_without
from tl_core.encoders.attention.watched import Head, watched
from tl_core.errors import ConfigError, DataError, ModelError
from tl_core.text.inputs import ModelInput

TEXTS = (TEXT, "a bad day", "the king saw my house and the big dog", "good")
WANTED = (0, 2, 1, 1)


def classifier(tmp_path: Path, model_type: str) -> tuple[Subject, list[ModelInput]]:
    subject = tiny_classifier_subject(tmp_path, model_type)
    return subject, [subject.inputs(text)[0] for text in TEXTS]


def logits_without(subject: Subject, shown: ModelInput, off: list[Head]) -> np.ndarray:
    """One input alone through the whole network, heads off."""
    with torch.inference_mode(), watched(subject.encoder, off=off):
        return network_of(subject)(tensors(subject, [shown]))[0].double().numpy()


@pytest.mark.parametrize("model_type", WATCHABLE_TYPES)
def test_no_head_off_changes_nothing_and_one_off_does(tmp_path: Path, model_type: str) -> None:
    subject, (shown, *_) = classifier(tmp_path, model_type)
    plain, same = targets(subject, shown), targets_without(subject, shown, [])
    assert [each.name for each in same] == [each.name for each in plain]
    assert [each.score for each in same] == pytest.approx([each.score for each in plain], abs=1e-5)
    for off in ([(0, 1)], [(1, 3), (0, 0)]):
        found = {each.name: each.score for each in targets_without(subject, shown, off)}
        wanted = logits_without(subject, shown, off)
        assert [found[name] for name in CLASSES] == pytest.approx(wanted, abs=1e-5)
        assert found != pytest.approx({each.name: each.score for each in plain}, abs=1e-5)
    assert targets(subject, shown)[0].score == plain[0].score


def test_a_reader_finds_other_spans_without_heads(tmp_path: Path) -> None:
    for model_type in READING_TYPES:
        if model_type not in WATCHABLE_TYPES:
            continue
        subject = tiny_reader_subject(tmp_path, model_type)
        shown = subject.inputs(QUESTION, TEXT)[0]
        plain = targets(subject, shown)
        every = [(layer, head) for layer in range(subject.layers) for head in range(subject.heads)]
        assert [each.name for each in targets_without(subject, shown, [])] == [each.name for each in plain]
        assert targets_without(subject, shown, every)[0].score != pytest.approx(plain[0].score, abs=1e-5)


@pytest.mark.parametrize("model_type", WATCHABLE_TYPES)
def test_importance_is_what_each_head_alone_costs(tmp_path: Path, model_type: str) -> None:
    """The oracle runs every text alone through the whole network, once a head."""
    subject, inputs = classifier(tmp_path, model_type)
    run = head_importance(subject, inputs, WANTED, batch_tokens=24)
    steps = []
    while True:
        try:
            steps.append(next(run))
        except StopIteration as stop:
            found = stop.value
            break

    def judged(off: list[Head]) -> tuple[float, float]:
        logits = np.stack([logits_without(subject, each, off) for each in inputs])
        right = np.mean(logits.argmax(1) == np.array(WANTED))
        return float(right), float(np.mean(logsumexp(logits, axis=1) - logits[range(len(inputs)), WANTED]))

    accuracy, loss = judged([])
    assert (found.accuracy, found.rows) == (accuracy, len(inputs))
    for layer in range(subject.layers):
        for head in range(subject.heads):
            right, without = judged([(layer, head)])
            assert found.lost[layer, head] == pytest.approx(accuracy - right)
            assert found.loss_rise[layer, head] == pytest.approx(without - loss, abs=1e-5)
    assert len(steps) > subject.layers  # of several batches
    assert [each.done for each in steps] == sorted(each.done for each in steps)
    assert steps[-1].done == steps[-1].total


@pytest.mark.parametrize("model_type", WATCHABLE_TYPES)
@pytest.mark.parametrize("below", [0, 1, 2])
def test_a_pass_that_begins_later_ends_the_same(tmp_path: Path, model_type: str, below: int) -> None:
    encoder = tiny_bare_subject(tmp_path, model_type).encoder
    subject = Subject("tiny", "Tiny", "bare", encoder, encoder.max_tokens)
    batch = tensors(subject, [subject.inputs(text)[0] for text in TEXTS])
    with torch.inference_mode():
        with recorded(encoder) as outputs:
            whole = encoder.model(**batch).last_hidden_state
        real = batch["attention_mask"].bool()  # what padding sees, of which there may be none, says nothing
        assert len(outputs) == encoder.layers
        with watched(encoder, layer=0) as watch, replayed(encoder, outputs[:below]):
            for _ in range(2):  # a second pass begins again
                watch.calls = below
                again = encoder.model(**batch).last_hidden_state
                assert torch.allclose(again[real], whole[real], atol=1e-5)
        assert (watch.told is None) == (below > 0)  # the first layer was not computed
        assert torch.equal(encoder.model(**batch).last_hidden_state, whole)
    names = [name for name, each in encoder.model.named_modules() if "forward" in vars(each)]
    assert not names


def test_blocks_come_back_after_an_error(tmp_path: Path) -> None:
    encoder = tiny_bare_subject(tmp_path, "bert").encoder
    with (
        pytest.raises(RuntimeError, match="stopped"),
        recorded(encoder) as outputs,
        replayed(encoder, outputs),
    ):
        raise RuntimeError("stopped")
    assert not [each for each in encoder.model.modules() if "forward" in vars(each) or each._forward_hooks]


def test_what_cannot_be_measured_is_said(tmp_path: Path) -> None:
    subject, inputs = classifier(tmp_path, "bert")
    for rows, wanted, told in (
        ([], [], "one text is the least; got 0 texts and 0 classes"),
        (inputs, [0, 1], "got 4 texts and 2 classes"),
        (inputs, [0, 1, 3, 0], "a number from 0 to 2; got 3"),
    ):
        with pytest.raises(DataError, match=told):
            next(head_importance(subject, rows, wanted))
    with pytest.raises(ModelError, match="predicts nothing"):
        next(head_importance(tiny_bare_subject(tmp_path / "bare", "bert"), inputs, WANTED))
    with pytest.raises(ModelError, match="measured for classifiers"):
        next(head_importance(tiny_reader_subject(tmp_path / "reader", "bert"), inputs, WANTED))
    own = tiny_classifier_subject(tmp_path / "own", "xlnet")
    with pytest.raises(ModelError, match="a way of its own"):
        next(head_importance(own, [own.inputs(TEXT)[0]], [0]))
    with pytest.raises(ModelError, match="a way of its own"):
        targets_without(own, own.inputs(TEXT)[0], [(0, 0)])
    with pytest.raises(ConfigError, match="2 layers of 4 heads"):
        targets_without(subject, inputs[0], [(2, 0)])
    with pytest.raises(ModelError, match="predicts nothing"):
        targets_without(tiny_bare_subject(tmp_path / "bare2", "bert"), inputs[0], [])
