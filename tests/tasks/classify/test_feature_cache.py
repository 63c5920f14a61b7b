"""Frozen classifiers that share what their encoder says of a text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.tasks.classify.test_contract import STRANGE, fit, make_bench, make_rows, small_config
from tl_core.encoders.features import FeatureCache
from tl_core.settings import Settings
from tl_core.tasks.classify.encoder.classifier import EncoderClassifier
from tl_core.tasks.classify.encoder.frozen import cached_predictions
from tl_core.tasks.classify.saved import load_classifier, predict
from tl_core.training.events import drain


@pytest.mark.parametrize("changes", [{}, {"layer": 1, "pooling": "max"}])
def test_predictions_from_the_shelf_are_the_models_own(settings: Settings, tmp_path: Path, changes: dict):
    fitted, _ = fit(make_bench(settings, tmp_path), "frozen", **changes)
    folder = tmp_path / "saved"
    folder.mkdir()
    fitted.model.save(folder)
    saved = load_classifier(folder, settings, device="cpu")
    assert isinstance(saved, EncoderClassifier)
    texts = (*make_rows().texts, *STRANGE)
    config = small_config("frozen", **changes)
    found = drain(cached_predictions(saved, texts, config, settings))
    assert np.allclose(found, predict(saved, texts), atol=1e-5)


def test_a_text_is_computed_once(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    fitted, _ = fit(make_bench(settings, tmp_path), "frozen")
    added: list[int] = []
    monkeypatch.setattr(FeatureCache, "add", lambda self, texts, features: added.append(len(texts)))
    texts = make_rows().texts
    drain(cached_predictions(fitted.model, texts, small_config("frozen"), settings))
    assert not added  # the training rows lie there already
