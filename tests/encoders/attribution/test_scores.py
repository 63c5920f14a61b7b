"""Attributions: finite differences, a sum by hand, a linear network, and words left out by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from tests.encoders.attention.subjects import (
    CLASSES,
    QUESTION,
    READING_TYPES,
    TEXT,
    class_targets,
    tiny_bare_subject,
    tiny_classifier_subject,
    tiny_encoder,
    tiny_reader_subject,
)
from tests.encoders.tiny import TINY_TYPES, WIDTH
from tl_core.encoders.attention.subject import Subject, Target, targets, tensors
from tl_core.encoders.attribution import scores
from tl_core.encoders.attribution.scores import Method, attribute
from tl_core.encoders.attribution.vectors import EmbeddedInput, filler_id, without_texts
from tl_core.encoders.packaged_e5.word_table import QuantizedEmbedding
from tl_core.errors import ConfigError, ModelError
from tl_core.text.inputs import ModelInput

METHODS = get_args(Method)
MANY_STEPS = 200
Made = tuple[Subject, ModelInput, Target]


def made(kind: str, model_type: str, folder: Path) -> Made:
    """A subject, an input with its pair where it is a reader, and its prediction."""
    if kind == "span":
        subject = tiny_reader_subject(folder, model_type)
        shown = subject.inputs(QUESTION, TEXT)[0]
    else:
        subject = tiny_classifier_subject(folder, model_type)
        shown = subject.inputs(TEXT)[0]
    return subject, shown, targets(subject, shown)[0]


CASES = [("classes", each) for each in TINY_TYPES] + [("span", each) for each in READING_TYPES]


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return made(*request.param, tmp_path)


@pytest.fixture
def bert(tmp_path: Path) -> Made:
    return made("classes", "bert", tmp_path)


def by_hand(subject: Subject, shown: ModelInput, target: Target) -> tuple[Any, Callable[[Any], Any]]:
    """Word vectors in float64 and the target as a function of them, through the model's own `inputs_embeds`.

    Where a norm takes the word vectors alone, what it gives stands in their place.
    """
    network: Any = deepcopy(subject.network).double()
    batch = tensors(subject, [shown])
    ids = batch.pop("input_ids")
    table = network.encoder.get_submodule(subject.encoder.family.word_table)

    norm = subject.encoder.family.first_norm

    def value(vectors: torch.Tensor) -> torch.Tensor:
        rows = {name: each.expand(len(vectors), -1) for name, each in batch.items()}
        if not norm:
            return target.value(network(rows | {"inputs_embeds": vectors}))
        handle = network.encoder.get_submodule(norm).register_forward_hook(lambda *_: vectors)
        try:
            return target.value(network(rows | {"inputs_embeds": torch.zeros_like(vectors)}))
        finally:
            handle.remove()

    read = network.encoder.get_submodule(norm) if norm else torch.nn.Identity()
    return (
        read(table(ids)).detach(),
        read(table(without_texts(subject.encoder, shown, ids))).detach(),
    ), value


def test_gradient_x_input_is_the_slope_along_each_tokens_vector(case: Made) -> None:
    found = attribute(*case, "gradxinput")
    (vectors, _), value = by_hand(*case)
    rough = case[0].encoder.family.model_type.startswith(
        "deberta"
    )  # computes in float32 whatever it is given
    step, allowed = (1e-2, 1e-2) if rough else (1e-4, 2e-4)
    moves = step * torch.diag_embed(torch.ones(vectors.shape[1])).double()[:, :, None] * vectors  # (T, T, D)
    with torch.no_grad():
        slopes = (value(vectors + moves) - value(vectors - moves)).numpy() / (2 * step)
    assert found.tokens == pytest.approx(slopes, abs=allowed, rel=1e-3)
    assert np.abs(slopes).max() > 0.05
    assert (found.baseline, found.completeness_error, found.relative_error) == (None, None, None)


def test_integrated_gradients_are_the_mean_gradient_from_the_reference(case: Made) -> None:
    """The sum of Sundararajan et al. 2017, section 5, over the middles of many steps."""
    found = attribute(*case, "ig", steps=MANY_STEPS)
    (vectors, reference), value = by_hand(*case)
    total = torch.zeros_like(vectors)
    for chunk in ((torch.arange(600).double() + 0.5) / 600).split(200):
        between = (reference + chunk[:, None, None] * (vectors - reference)).requires_grad_()
        total += torch.autograd.grad(value(between).sum(), between)[0].sum(0)
    expected = ((vectors - reference) * total / 600).sum(-1)[0].numpy()
    assert found.tokens == pytest.approx(expected, abs=5e-3, rel=1e-2)
    with torch.no_grad():
        assert found.baseline == pytest.approx(float(value(reference)[0]), abs=1e-4)


def test_integrated_gradients_add_up_to_the_difference_of_the_outputs(case: Made) -> None:
    _, shown, _ = case
    found = attribute(*case, "ig", steps=MANY_STEPS)
    assert found.tokens is not None
    assert found.baseline is not None
    assert found.completeness_error == pytest.approx(
        abs(found.tokens.sum() - (found.output - found.baseline)), abs=1e-9
    )
    assert found.relative_error is not None
    assert found.relative_error < 1e-2
    assert found.relative_error == found.completeness_error / abs(found.output - found.baseline)
    assert not found.tokens[shown.sides < 0].any()  # special tokens are the same in the reference


def test_leaving_a_word_out_is_the_fall_of_the_output_by_hand(case: Made) -> None:
    subject, shown, target = case
    found = attribute(subject, shown, target, "occlusion")
    assert subject.network is not None
    with torch.no_grad():
        whole = float(target.value(subject.network(tensors(subject, [shown])))[0])
        for word in range(len(shown.words)):
            batch = tensors(subject, [shown])
            for at in np.flatnonzero(shown.word_of == word):
                batch["input_ids"][0, at] = filler_id(subject.encoder)
            left = float(target.value(subject.network(batch))[0])
            assert found.words[word] == pytest.approx(whole - left, abs=1e-5)
    assert found.tokens is None
    assert len(found.words) == len(shown.words)
    assert np.abs(found.words).max() > 0.05


@pytest.mark.parametrize("method", METHODS)
def test_the_output_is_the_targets_score_and_words_are_sums(case: Made, method: Method) -> None:
    subject, shown, _ = case
    for target in targets(subject, shown)[:2]:
        found = attribute(subject, shown, target, method, steps=3)
        assert found.method == method
        assert found.output == pytest.approx(target.score, abs=1e-4)
        if found.tokens is not None:
            assert found.tokens.shape == (len(shown),)
            assert found.tokens.dtype == found.words.dtype == np.float64
            sums = [found.tokens[shown.word_of == word].sum() for word in range(len(shown.words))]
            assert found.words == pytest.approx(np.array(sums))


def test_gradient_x_input_is_the_gradient_times_the_vectors(case: Made) -> None:
    subject, shown, target = case
    vectors = EmbeddedInput(subject, shown)
    own = vectors.of_input().requires_grad_()
    (gradient,) = torch.autograd.grad(target.value(vectors.logits(own)).sum(), own)
    expected = (gradient * own).detach().double().sum(-1)[0].numpy()
    assert attribute(*case, "gradxinput").tokens == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_largest_shade_is_one(bert: Made, method: Method) -> None:
    found = attribute(*bert, method, steps=3)
    assert np.abs(found.shades).max() == pytest.approx(1.0)
    assert found.scale > 0
    assert found.shades * found.scale == pytest.approx(found.words)


# --- a linear network, of which every score is known -------------------------------------------------


class Linear(torch.nn.Module):
    """Every place has weights of its own for each class: logits (B, C) are linear in the word vectors."""

    def __init__(self, table: torch.nn.Module, length: int) -> None:
        super().__init__()
        self.table = table
        random = torch.Generator().manual_seed(0)
        self.weights = torch.nn.Parameter(torch.randn(len(CLASSES), length, WIDTH, generator=random))

    def forward(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.einsum("btd,ctd->bc", self.table(batch["input_ids"]), self.weights)


@pytest.fixture
def linear(tmp_path: Path) -> Made:
    encoder = tiny_encoder(tmp_path, "bert")
    subject = Subject("toy", "toy", "classes", encoder, 64, None, CLASSES, class_targets)
    shown = subject.inputs(TEXT)[0]
    network = Linear(encoder.model.get_submodule("embeddings.word_embeddings"), len(shown))
    subject = Subject("toy", "toy", "classes", encoder, 64, network, CLASSES, class_targets)
    return subject, shown, targets(subject, shown)[1]


def test_of_a_linear_network_every_method_gives_weights_times_vectors(linear: Made) -> None:
    subject, shown, target = linear
    network: Any = subject.network
    ids = tensors(subject, [shown])["input_ids"]
    weights = network.weights[CLASSES.index(target.name)]
    with torch.no_grad():
        own = (weights * network.table(ids)[0]).sum(-1).double().numpy()
        filled = (weights * network.table(without_texts(subject.encoder, shown, ids))[0]).sum(-1).numpy()
    assert attribute(*linear, "gradxinput").tokens == pytest.approx(own, abs=1e-4)
    for steps in (1, 4):
        integrated = attribute(*linear, "ig", steps=steps)
        assert integrated.tokens == pytest.approx(own - filled, abs=1e-4)
        assert integrated.completeness_error == pytest.approx(0.0, abs=1e-4)
        assert integrated.baseline == pytest.approx(filled.sum(), abs=1e-4)
        # One linear word never hinders another, so leaving it out tells the same.
        assert integrated.words == pytest.approx(attribute(*linear, "occlusion").words, abs=1e-4)


# --- what must hold around it ------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("around", [torch.inference_mode, torch.no_grad, nullcontext])
def test_scores_are_the_same_inside_any_gradient_mode(
    bert: Made, method: Method, around: Callable[[], Any]
) -> None:
    expected = attribute(*bert, method, steps=5)
    with around():
        found = attribute(*bert, method, steps=5)
    assert found.words == pytest.approx(expected.words, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_the_networks_own_gradients_stay_untouched(bert: Made, method: Method) -> None:
    network = bert[0].network
    assert network is not None
    attribute(*bert, method, steps=3)
    assert all(each.grad is None for each in network.parameters())
    kept = next(network.parameters())
    kept.grad = torch.ones_like(kept)
    attribute(*bert, method, steps=3)
    assert (kept.grad == 1).all()
    assert sum(each.grad is not None for each in network.parameters()) == 1


@pytest.mark.parametrize("method", METHODS)
def test_frozen_networks_and_those_left_in_training_mode_give_the_same(bert: Made, method: Method) -> None:
    network = bert[0].network
    assert network is not None
    expected = attribute(*bert, method, steps=3).words
    network.requires_grad_(False).train()
    assert attribute(*bert, method, steps=3).words == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_quantised_word_table_gives_what_its_rows_in_float_give(bert: Made, method: Method) -> None:
    subject, shown, target = bert
    random = np.random.default_rng(0)
    embeddings: Any = subject.encoder.model.get_submodule("embeddings")
    rows = embeddings.word_embeddings.num_embeddings
    scales = random.uniform(0.01, 0.05, (rows, WIDTH // 32)).astype(np.float16)
    nibbles = random.integers(0, 256, (rows, WIDTH // 2)).astype(np.uint8)
    quantised = QuantizedEmbedding(scales, nibbles, 0)
    embeddings.word_embeddings = torch.nn.Embedding.from_pretrained(quantised.dequantized(torch.float32))
    expected = attribute(subject, shown, target, method, steps=5)
    embeddings.word_embeddings = quantised
    found = attribute(subject, shown, target, method, steps=5)
    assert found.words == pytest.approx(expected.words, abs=1e-5)
    assert np.abs(found.words).max() > 0.01


@pytest.mark.parametrize("model_type", ["bert", "xlnet"])
def test_how_much_is_computed_at_once_changes_nothing(
    model_type: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = made("classes", model_type, tmp_path)
    length = len(case[1])
    integrated, left_out = attribute(*case, "ig", steps=30), attribute(*case, "occlusion")
    for rows in (1, 7, length):  # as many rows as tokens is XLNet's trap
        monkeypatch.setattr(scores, "TOKENS_AT_ONCE", rows * length)
        monkeypatch.setattr(scores, "WORDS_AT_ONCE", rows)
        assert attribute(*case, "ig", steps=30).words == pytest.approx(integrated.words, abs=1e-5)
        assert attribute(*case, "occlusion").words == pytest.approx(left_out.words, abs=1e-5)


def test_an_input_longer_than_what_is_computed_at_once_goes_step_by_step(
    bert: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = attribute(*bert, "ig", steps=4).words
    monkeypatch.setattr(scores, "TOKENS_AT_ONCE", 5)
    assert attribute(*bert, "ig", steps=4).words == pytest.approx(expected, abs=1e-5)


def test_a_text_of_nothing_but_the_filler_has_nothing_to_explain(tmp_path: Path) -> None:
    subject, _, target = made("classes", "bert", tmp_path)
    shown = subject.inputs("[MASK]")[0]
    found = attribute(subject, shown, target, "ig", steps=3)
    assert not found.words.any()
    assert found.completeness_error == pytest.approx(0.0, abs=1e-6)
    assert not found.shades.any()
    assert not attribute(subject, shown, target, "occlusion").words.any()


@pytest.fixture
def seen_locked(bert: Made) -> Iterator[list[bool]]:
    """Whether another thread could have taken the subject's lock, at each pass of the network."""
    subject, _, _ = bert
    assert subject.network is not None
    seen: list[bool] = []

    def ask(*_: Any) -> None:
        other = threading.Thread(target=lambda: seen.append(subject.lock.acquire(blocking=False)))
        other.start()
        other.join()

    handle = subject.network.register_forward_pre_hook(ask)
    yield seen
    handle.remove()


@pytest.mark.parametrize("method", METHODS)
def test_every_pass_is_made_under_the_lock(bert: Made, method: Method, seen_locked: list[bool]) -> None:
    attribute(*bert, method, steps=3)
    assert seen_locked
    assert not any(seen_locked)


# --- bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_a_bare_encoder_has_nothing_to_explain(method: Method, tmp_path: Path) -> None:
    subject = tiny_bare_subject(tmp_path, "bert")
    target = Target("any", lambda logits: logits[:, 0], 0.0)
    with pytest.raises(ModelError, match="without a head"):
        attribute(subject, subject.inputs(TEXT)[0], target, method)


def test_a_method_must_be_one_of_three_and_steps_at_least_one(bert: Made) -> None:
    with pytest.raises(ConfigError, match="gradxinput, ig, occlusion; got 'shap'"):
        attribute(*bert, "shap")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least 1; got 0"):
        attribute(*bert, "ig", steps=0)
