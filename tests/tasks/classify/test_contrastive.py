"""Pairs of texts and what is learned from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.test_layers import tiny
from tests.tasks.classify.test_contract import make_bench, make_rows
from tests.tasks.classify.test_encoder_strategies import PAIRED, fit, saved
from tl_core.encoders.batcher import Batcher
from tl_core.settings import Settings
from tl_core.tasks.classify.config import MOST_PAIRS, pairs_for
from tl_core.tasks.classify.encoder.contrastive import (
    draw_pairs,
    fit_length_head,
    make_pair_problem,
    make_vector_network,
)
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.training.events import Stopped
from tl_core.training.loop import LoopControl


def test_pairs_are_balanced_and_every_row_stands_in_them() -> None:
    targets = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    pairs, same = draw_pairs(targets, 200, seed=3)
    assert pairs.shape == (200, 2)
    assert same.sum() == 100
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert np.array_equal(targets[pairs[:, 0]] == targets[pairs[:, 1]], same == 1)
    for kind in (0, 1):
        assert set(Counter(pairs[same == kind, 0].tolist()).values()) == {10}
    again, _ = draw_pairs(targets, 200, seed=3)
    other, _ = draw_pairs(targets, 200, seed=4)
    assert np.array_equal(pairs, again)
    assert not np.array_equal(pairs, other)


def test_a_row_alone_in_its_class_has_no_like() -> None:
    targets = np.array([0, 0, 1])
    pairs, same = draw_pairs(targets, 10, seed=0)
    assert set(pairs[same == 1].ravel().tolist()) == {0, 1}
    pairs, same = draw_pairs(np.array([0, 1, 2]), 5, seed=0)
    assert pairs.shape == (5, 2)
    assert not same.any()


def test_rows_of_one_class_have_no_other() -> None:
    pairs, same = draw_pairs(np.array([1, 1, 1]), 9, seed=0)
    assert pairs.shape == (9, 2)
    assert same.all()
    assert (pairs[:, 0] != pairs[:, 1]).all()


def test_a_stop_is_heard_while_features_are_computed(settings: Settings, tmp_path: Path) -> None:
    steps = PAIRED["pairs"] // PAIRED["batch_size"]
    asked = iter([False] * steps)  # after the last step a stop is asked for
    context = replace(
        make_bench(settings, tmp_path), control=LoopControl(stop_requested=lambda: next(asked, True))
    )
    with pytest.raises(Stopped):
        fit(context, "contrastive")


def test_the_number_of_pairs_is_capped() -> None:
    assert pairs_for(32) == 640
    assert pairs_for(1_000_000) == MOST_PAIRS
    pairs, same = draw_pairs(np.arange(50_000) % 4, MOST_PAIRS, seed=0)
    assert (len(pairs), same.sum()) == (MOST_PAIRS, MOST_PAIRS / 2)


def test_the_loss_is_the_squared_distance_of_the_cosine_and_a_text_is_computed_once(
    settings: Settings, tmp_path: Path
) -> None:
    import torch

    encoder = tiny(tmp_path, "bert", settings)
    texts = ("good film", "bad film", "a great story", "sad")
    batcher = Batcher(encoder, texts, 32, torch.device("cpu"))
    pairs, same = np.array([[0, 2], [1, 2], [3, 0], [2, 0]]), np.array([1, 0, 0, 1], dtype=np.float32)
    problem = make_pair_problem(batcher, pairs, same)
    network = make_vector_network(encoder)
    sizes: list[int] = []
    encoder.model.register_forward_pre_hook(
        lambda _, __, named: sizes.append(len(named["input_ids"])), with_kwargs=True
    )
    with torch.no_grad():
        losses = problem.losses(network, np.array([3, 0, 1]))
        assert sizes == [3]
        vectors = network(batcher(range(4)))
        cosines = torch.nn.functional.cosine_similarity(vectors[[2, 0, 1]], vectors[[0, 2, 2]])
    assert losses.tolist() == pytest.approx(
        ((cosines - torch.tensor([1.0, 1.0, 0.0])) ** 2).tolist(), abs=1e-5
    )
    assert problem.lengths.tolist() == [max(batcher.lengths[row]) for row in pairs]
    assert problem.validate is None


def test_the_head_is_a_logistic_regression_on_features_of_mean_length_one() -> None:
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    targets = np.arange(30) % 3
    features = (5 * random.normal(size=(30, 4)) + targets[:, None]).astype(np.float32)
    weight, bias = fit_length_head(features, targets, 4, 2.0)
    length = np.sqrt((features**2).sum(1)).mean()
    wanted = LogisticRegression(C=2.0, max_iter=2000).fit(features / length, targets)
    scores = wanted.decision_function(features / length)
    logits = features @ weight.T + bias
    assert np.allclose(logits[:, :3] - logits[:, :1], scores - scores[:, :1], atol=1e-3)
    assert (logits[:, 3] < -1e3).all()  # a class without rows is never predicted


def test_classes_are_further_apart_than_before(settings: Settings, tmp_path: Path) -> None:
    import torch

    fitted, _ = fit(make_bench(settings, tmp_path), "contrastive", pairs=480)
    rows = make_rows()
    batcher = Batcher(fitted.model.encoder, rows.texts, 32, torch.device("cpu"))
    pairs, same = draw_pairs(rows.targets, 100, seed=5)
    problem = make_pair_problem(batcher, pairs, same)
    with torch.no_grad():
        after = problem.losses(make_vector_network(fitted.model.encoder), np.arange(100)).mean()
    assert after < 0.1
    assert fitted.facts["pairs"] == 480


def test_the_saved_model_holds_an_adapter_and_a_head_only(settings: Settings, tmp_path: Path) -> None:
    fitted, _ = fit(make_bench(settings, tmp_path), "contrastive", make_rows(6))
    folder = saved(fitted, tmp_path / "saved")
    names = {each.name for each in folder.iterdir()}
    assert names == {"adapter", "head.safetensors", "encoder.json", "labels.json"}
    texts = make_rows().texts
    loaded = load_classifier(folder, settings, device="cpu")
    assert np.allclose(predict(fitted.model, texts), predict(loaded, texts), atol=1e-5)
