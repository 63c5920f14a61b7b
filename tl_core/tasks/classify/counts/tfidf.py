"""The baseline: TF-IDF over word n-grams with logistic regression, in about a second.

The head and the inverse document frequencies are saved with skops, which rebuilds only named
kinds of objects and runs no code of the file; the n-grams as JSON, since skops writes every
entry of a vocabulary as an array of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tl_core.errors import DataError, ModelError
from tl_core.tasks.classify.config import TfidfConfig
from tl_core.tasks.classify.counts.config import COUNTED_ROW
from tl_core.tasks.classify.effort import light_effort
from tl_core.tasks.classify.fitting import FitInput, FittedClassifier, Probabilities
from tl_core.tasks.classify.forms import COUNTS, LABELS, ModelForm
from tl_core.tasks.fitting import Fitted
from tl_core.text.script import is_korean
from tl_core.training.events import Note, Progress, Training, drain

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

MODEL = "model.skops"
N_GRAMS = "n_grams.json"
WORD = r"(?u)\b\w+\b"
MANY_N_GRAMS = 100_000  # from here on those of a single row cost more memory than they tell
TRUSTED: tuple[str, ...] = ()
VIEWS: dict[str, dict[str, Any]] = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": WORD},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 4)},
}


class TfidfClassifier:
    """Fitted TF-IDF views of a text, `words` and perhaps `characters`, under a logistic regression."""

    def __init__(
        self, views: dict[str, TfidfVectorizer], head: LogisticRegression, classes: tuple[str, ...]
    ) -> None:
        self.views, self.head, self.classes = views, head, classes

    def predict_events(self, texts: Sequence[str]) -> Training[Probabilities]:
        """Class probabilities, (N, C); classes that training never saw have probability 0."""
        probabilities = np.zeros((len(texts), len(self.classes)))
        if texts:
            probabilities[:, self.head.classes_] = self.head.predict_proba(features(self.views, texts))
        yield Progress(len(texts), len(texts))
        return probabilities

    def save(self, folder: Path) -> None:
        import skops.io

        frequencies = {name: view.idf_ for name, view in self.views.items()}
        skops.io.dump({"head": self.head, "idf": frequencies}, folder / MODEL)
        n_grams = {name: list(view.get_feature_names_out()) for name, view in self.views.items()}
        (folder / N_GRAMS).write_text(json.dumps(n_grams, ensure_ascii=False), encoding="utf-8")
        (folder / LABELS).write_text(json.dumps(self.classes, ensure_ascii=False), encoding="utf-8")


def features(views: dict[str, TfidfVectorizer], texts: Sequence[str]) -> csr_matrix:
    """The views of N texts side by side: sparse (N, n-grams)."""
    from scipy.sparse import hstack

    return hstack([view.transform(list(texts)) for view in views.values()]).tocsr()


def load_tfidf(folder: Path) -> TfidfClassifier:
    """A saved TF-IDF classifier; ModelError if the file holds any kind of object that ours does not."""
    import skops.io

    path = folder / MODEL
    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        if strange:
            raise ModelError(
                "{path} holds {strange}, which no TF-IDF model has. It was not loaded.",
                path=path.name,
                strange=", ".join(strange),
            )
        saved = skops.io.load(path, trusted=list(TRUSTED))
        n_grams = json.loads((folder / N_GRAMS).read_text(encoding="utf-8"))
        views = {name: make_view(name, vocabulary=n_grams[name]) for name in saved["idf"]}
        for name, view in views.items():
            view.idf_ = saved["idf"][name]
        classes = tuple(json.loads((folder / LABELS).read_text(encoding="utf-8")))
        model = TfidfClassifier(views, saved["head"], classes)
        drain(model.predict_events(["a"]))
    except ModelError:
        raise
    except Exception as error:  # skops meets a damaged file with many kinds of errors
        raise ModelError(
            "{path} is not a readable TF-IDF model ({name}).", path=path.name, name=type(error).__name__
        ) from error
    return model


def _fit_view(name: str, texts: Sequence[str], config: TfidfConfig) -> TfidfVectorizer:
    options: dict[str, Any] = {"max_features": config.largest_vocabulary, "min_df": config.least_rows or 1}
    try:
        view = make_view(name, **options).fit(list(texts))
    except ValueError as error:  # scikit-learn's way to say that nothing is left
        raise DataError(
            "No n-gram of {name} stands in at least {options} of the {texts:,} training texts. "
            "Lower least_rows or give more rows.",
            name=name,
            options=options["min_df"],
            texts=len(texts),
        ) from error
    if config.least_rows == 0 and len(view.vocabulary_) > MANY_N_GRAMS:
        view = make_view(name, **{**options, "min_df": 2}).fit(list(texts))
    return view


def make_view(name: str, **options: Any) -> TfidfVectorizer:
    """The vectorizer of a view, `words` or `characters`, before or with its vocabulary."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(sublinear_tf=True, dtype=np.float32, **VIEWS[name], **options)


TFIDF_FORM = ModelForm(
    COUNTS,
    MODEL,
    lambda folder, settings, device: load_tfidf(folder),
    "predict_classifier.py",
    (MODEL, N_GRAMS, LABELS),
    lambda folder: ("skops", "scikit-learn"),
)
TFIDF_EFFORT = light_effort(
    COUNTED_ROW, lambda config, rows: 1, in_loop=False, training_share=0.0, whole_table=True
)


def fit_tfidf(given: FitInput[TfidfConfig]) -> Training[FittedClassifier]:
    """Fit TF-IDF and logistic regression; validation rows are used for training too.

    Nothing is chosen on validation rows here, so they need not be held back.
    """
    from sklearn.linear_model import LogisticRegression

    began = time.perf_counter()
    config = given.config
    texts = given.train.texts + given.validation.texts
    targets = np.concatenate([given.train.targets, given.validation.targets])
    characters = config.characters == "on" or (config.characters == "auto" and is_korean(texts))
    if characters:
        yield Note("Character 2-4 grams stand beside the words.")
    names = ("words", "characters") if characters else ("words",)
    views = {name: _fit_view(name, texts, config) for name in names}
    head = LogisticRegression(C=config.strength, max_iter=1000, class_weight=given.sklearn_weights)
    head.fit(features(views, texts), targets)
    yield Progress(len(texts), len(texts))
    parameters = int(head.coef_.size + head.intercept_.size)
    facts = {"n_grams": int(head.coef_.shape[1]), "characters": characters}
    return Fitted(TfidfClassifier(views, head, given.classes), time.perf_counter() - began, parameters, facts)
