"""The script that labels a CSV file with a saved word classifier, beside our own prediction."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.exchange.elsewhere import run_elsewhere
from tests.tasks.classify.words.rows import STRANGE, fit, make_rows, save
from tl_core.exchange.carried import carry
from tl_core.exchange.portable import predict_words
from tl_core.settings import Settings
from tl_core.tasks.classify.fitting import LabelledTexts
from tl_core.tasks.classify.saved import predict
from tl_core.tasks.classify.words.config import KINDS
from tl_core.tasks.fitting import WordStart

SCRIPT = Path(predict_words.__file__)
TEXTS = (
    *make_rows().texts,
    *STRANGE,
    "I didn't like it!! ! It's a well-made film,<br /><br />but <i>bad</i> &amp; poor. " * 3,
    "Ça n’est pas “bon” — good?… Café",
)
VARIANTS = [
    *((kind, {}) for kind in KINDS),
    ("mean", {"splitter": "words"}),
    ("recurrent", {"cell": "gru", "state": "last", "layers": 2}),
    ("recurrent", {"cell": "rnn", "bidirectional": False, "max_words": 5}),
    ("cnn", {"sentence_k": 3, "document_k": 4, "hidden": 7, "sentence_kernel": 4, "longest_sentence": 5}),
    ("cnn", {"max_words": 7}),
]


@pytest.mark.parametrize(("kind", "changes"), VARIANTS)
def test_the_script_gives_our_probabilities(settings: Settings, tmp_path: Path, kind: str, changes: dict):
    fitted, _ = fit(settings, kind, epochs=10, learning_rate=2e-2, **changes)
    model = predict_words.Model(save(fitted, tmp_path / "model"))
    assert np.allclose([model(text) for text in TEXTS], predict(fitted.model, TEXTS), atol=1e-5)


def test_the_script_cuts_korean_as_we_do(settings: Settings, tmp_path: Path):
    pytest.importorskip("kiwipiepy")
    texts = ("영화가 정말 좋았다. 재미있는 이야기였다!", "지루하고 나쁜 영화였다 ㅋㅋ 3점", "", "good")
    rows = LabelledTexts(texts * 2, np.array([1, 0, 1, 0] * 2))
    fitted, _ = fit(settings, "cnn", rows=rows, words=WordStart())
    model = predict_words.Model(save(fitted, tmp_path / "model"))
    assert fitted.facts["splitter"] == "morphemes"
    assert np.allclose([model(text) for text in texts], predict(fitted.model, texts), atol=1e-5)


def test_the_script_labels_texts_without_this_project(settings: Settings, tmp_path: Path):
    fitted, _ = fit(settings, "cnn", epochs=10, learning_rate=2e-2)
    folder = save(fitted, tmp_path / "model")
    (folder / "predict.py").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    carry(SCRIPT.name, folder)
    texts = ["good fine, nice\nwell", "bad 'poor' \"sad\"", ""]
    ended = run_elsewhere(folder, *texts)
    assert ended.returncode == 0, ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    wanted = predict(fitted.model, texts)
    classes = fitted.model.classes
    assert [each["text"] for each in answers] == texts
    assert [each["label"] for each in answers] == [classes[at] for at in wanted.argmax(1)]
    found = [[each["probabilities"][name] for name in classes] for each in answers]
    assert np.allclose(found, wanted, atol=1e-5)


def test_the_script_says_an_error_in_one_line(settings: Settings, tmp_path: Path):
    fitted, _ = fit(settings, "cnn", epochs=1)
    folder = save(fitted, tmp_path / "model")
    (folder / "predict.py").write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    carry(SCRIPT.name, folder)
    facts = json.loads((folder / "words.json").read_text(encoding="utf-8"))
    (folder / "words.json").write_text(json.dumps(facts | {"splitter": "syllables"}), encoding="utf-8")
    ended = run_elsewhere(folder, "a text")
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert ended.stderr.splitlines()[-1].startswith("error: The splitter must be one of")
