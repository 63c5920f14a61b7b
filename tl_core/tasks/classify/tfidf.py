"""The baseline: TF-IDF over word n-grams with logistic regression, in about a second.

Saved with skops, which rebuilds only the named kinds of objects and runs no code of the file.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.errors import ModelError
from tl_core.tasks.classify.config import TfidfConfig
from tl_core.tasks.classify.fitting import Bench, Fitted, LabelledTexts, Probabilities
from tl_core.training.events import Note, Progress, Training

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MODEL = "model.skops"
WORD = r"(?u)\b\w+\b"
HANGUL_SHARE = 0.1
TRUSTED: tuple[str, ...] = ("numpy.dtype", "scipy.sparse._csr.csr_matrix")


class TfidfClassifier:
    """A fitted TF-IDF pipeline."""

    def __init__(self, pipeline: Pipeline, classes: tuple[str, ...]) -> None:
        self.pipeline = pipeline
        self.classes = classes

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C); classes that training never saw have probability 0."""
        probabilities = np.zeros((len(texts), len(self.classes)))
        if texts:
            probabilities[:, self.pipeline.classes_] = self.pipeline.predict_proba(list(texts))
        yield Progress(len(texts), len(texts))
        return probabilities

    def save(self, folder: Path) -> None:
        import skops.io

        skops.io.dump(self.pipeline, folder / MODEL)
        (folder / "labels.json").write_text(json.dumps(self.classes, ensure_ascii=False), encoding="utf-8")


def load_tfidf(folder: Path) -> TfidfClassifier:
    """A saved TF-IDF classifier; ModelError if the file holds any kind of object that ours does not."""
    import skops.io

    path = folder / MODEL
    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        if strange:
            raise ModelError(f"{path.name} holds {', '.join(strange)}, which no TF-IDF model has. It was not loaded.")
        pipeline = skops.io.load(path, trusted=list(TRUSTED))
        classes = tuple(json.loads((folder / "labels.json").read_text(encoding="utf-8")))
    except ModelError:
        raise
    except Exception as error:  # skops meets a damaged file with many kinds of errors
        raise ModelError(f"{path.name} is not a readable TF-IDF model ({type(error).__name__}).") from error
    return TfidfClassifier(pipeline, classes)


def fit_tfidf(
    bench: Bench,
    classes: tuple[str, ...],
    train: LabelledTexts,
    validation: LabelledTexts,
    config: TfidfConfig,
) -> Training[Fitted]:
    """Fit TF-IDF and logistic regression; validation rows are used for training too.

    Nothing is chosen on validation rows here, so they need not be held back.
    """
    began = time.monotonic()
    texts = train.texts + validation.texts
    targets = np.concatenate([train.targets, validation.targets])
    characters = config.characters == "on" or (config.characters == "auto" and is_korean(texts))
    if characters:
        yield Note("Character 2-4 grams stand beside the words.")
    pipeline = _pipeline(config, characters)
    pipeline.fit(list(texts), targets)
    yield Progress(len(texts), len(texts))
    parameters = int(pipeline[-1].coef_.size + pipeline[-1].intercept_.size)
    facts = {"n_grams": int(pipeline[-1].coef_.shape[1]), "characters": characters}
    return Fitted(TfidfClassifier(pipeline, classes), time.monotonic() - began, parameters, facts)


def _pipeline(config: TfidfConfig, characters: bool) -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    shared: dict[str, Any] = {"sublinear_tf": True, "max_features": config.largest_vocabulary, "dtype": np.float32}
    views = [("words", TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, **shared))]
    if characters:
        views.append(("characters", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), **shared)))
    head = LogisticRegression(C=config.strength, max_iter=1000)
    return Pipeline([("n_grams", FeatureUnion(views)), ("head", head)])


def is_korean(texts: Sequence[str]) -> bool:
    """Whether Hangul makes up a tenth or more of the characters of the first 1,000 texts."""
    sample = "".join(texts[:1000])
    hangul = sum("가" <= each <= "힣" for each in sample)
    return hangul >= HANGUL_SHARE * max(1, len(sample))
