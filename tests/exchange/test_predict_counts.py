from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tests.tasks.classify.test_contract import STRANGE, make_rows
from tests.tasks.classify.test_counts import KOREAN, fit
from tl_core.exchange.carried import SCRIPTS, carry
from tl_core.settings import Settings
from tl_core.tasks.classify.saved import predict

SCRIPT = SCRIPTS / "predict_counts.py"
ODD = (
    "가 나 ab",
    "x",
    "İstanbul ẞ Straße",
    "a\u00a0b\u3000c",
    "don't re-do it_is 3.14",
    "좋았다!! (영화)",
    "a  b\n\n c",
)
BLOCKED = ("torch", "sklearn", "scipy", "transformers")


def as_module(folder: Path) -> ModuleType:
    """The predict.py of a folder as a module of this process."""
    shutil.copyfile(SCRIPT, folder / "predict.py")
    spec = importlib.util.spec_from_file_location("predict_counts_copy", folder / "predict.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("weights", ["counts", "presence"])
@pytest.mark.parametrize(("ngrams", "korean"), [(1, False), (2, True), (3, False)])
def test_the_script_gives_our_probabilities(
    settings: Settings, tmp_path: Path, ngrams: int, korean: bool, weights: str
):
    rows = KOREAN if korean else make_rows()
    fitted, _ = fit(settings, rows, ngrams=ngrams, weights=weights)
    fitted.save(tmp_path)
    model = as_module(tmp_path).Model()
    texts = (*rows.texts, *STRANGE, *ODD)
    theirs = np.array([list(model.probabilities(text).values()) for text in texts])
    assert np.allclose(theirs, predict(fitted.model, texts), atol=1e-6)


def test_the_script_cuts_texts_as_sklearn_does(tmp_path: Path):
    from tl_core.tasks.classify.counts.n_grams import make_view

    script = as_module(tmp_path)
    for text in (*STRANGE, *ODD, *KOREAN.texts):
        words, characters = (
            make_view(name, 3, "counts").build_analyzer() for name in ("words", "characters")
        )
        assert script.words(text, 3) == words(text)
        assert script.characters(text) == characters(text)


def test_the_script_runs_with_numpy_and_safetensors_alone(settings: Settings, tmp_path: Path):
    fitted, _ = fit(settings, ngrams=2)
    fitted.save(tmp_path)
    shutil.copyfile(SCRIPT, tmp_path / "predict.py")
    carry(SCRIPT.name, tmp_path)
    texts = ["good fine nice", "나쁜 bad"]
    start = f"import sys, runpy; sys.modules.update(dict.fromkeys({BLOCKED!r})); "
    start += "runpy.run_path('predict.py', run_name='__main__')"
    ended = subprocess.run(
        [sys.executable, "-c", start, *texts], cwd=tmp_path, capture_output=True, encoding="utf-8", check=True
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [each["text"] for each in answers] == texts
    assert [each["label"] for each in answers] == ["good", "bad"]
    for row, answer in zip(predict(fitted.model, texts), answers, strict=True):
        assert list(answer["probabilities"].values()) == pytest.approx(row, abs=1e-6)
